"""Baseline E: weight events in the manner of the AutoCheckout contest entry, from the field notes.

The shelf's sum of all plates is watched through a window of one second: it is active while its
deviation exceeds 20 g, and an active spell of half a second that changed the mean by more than 10 g
is an event. Plates that changed by a third of the lightest product take part in it.
"""

from __future__ import annotations

from collections import deque
from statistics import fmean, pstdev

from simulators.world.truth import NS_PER_S, OUTSIDE, Observed, Scenario, Weights
from tests.bench.judging.claims import Claim, Told

WINDOW_NS = NS_PER_S
ACTIVE_SD_G, EVENT_G = 20.0, 10.0
ACTIVE_NS = NS_PER_S // 2
PLATE_SHARE = 1 / 3
PICK_UNITS_MIN, PUT_UNITS_MIN = 0.4, 0.75
OVERLAP_SD_G = 10.0
CHANGE_SHARE_WEIGHT = 0.8


class _Shelf:
    """One scale device: its plates' last second, and the event that is going on."""

    def __init__(self) -> None:
        self.window: deque[tuple[int, dict[str, float]]] = deque()
        self.began = 0
        self.before: dict[str, float] | None = None


class AutoCheckout:
    """One event books one product, the likeliest by change on its plates and by weight."""

    def __init__(self, scenario: Scenario) -> None:
        self._units = {good.code: good.unit_g for good in scenario.block.goods}
        self._cells = {cell.cell: cell for cell in scenario.block.cells}
        self._shelves: dict[str, _Shelf] = {}
        self._claims: list[Claim] = []

    def observe(self, observed: Observed) -> None:
        """Take in one observation; only weights count."""
        if type(observed) is not Weights:
            return
        shelf = self._shelves.setdefault(observed.device, _Shelf())
        now, window = observed.at, shelf.window
        window.append((now, {cell: gross for cell, gross, _ in observed.samples}))
        while window[0][0] < now - WINDOW_NS:
            window.popleft()
        if len(window) < 4:
            return
        sums = [sum(plates.values()) for _, plates in window]
        active = pstdev(sums) > ACTIVE_SD_G
        if active and shelf.before is None:
            shelf.began, shelf.before = now, _mean(window)
        elif not active and shelf.before is not None:
            before, shelf.before = shelf.before, None
            if now - shelf.began >= ACTIVE_NS:
                self._event(before, _mean(window), shelf.began, now)

    def finish(self, at: int) -> Told:
        """What was claimed."""
        del at
        return Told(claims=self._claims)

    def _event(self, before: dict[str, float], after: dict[str, float], at: int, now: int) -> None:
        changes = {cell: after[cell] - before[cell] for cell in after if cell in before}
        total = sum(changes.values())
        if abs(total) <= EVENT_G:
            return
        products = {item for cell in changes for item in self._cells[cell].items}
        least = PLATE_SHARE * min(self._units[item] for item in products)
        parts = {cell: change for cell, change in changes.items() if abs(change) >= least}
        if not parts:
            return
        whole = sum(abs(change) for change in parts.values())
        ranked = [
            (self._worth(item, change, abs(change) / whole), cell, item)
            for cell, change in parts.items()
            for item in self._cells[cell].items
        ]
        _, cell, item = max(ranked)
        self._book(self._cells[cell].location, item, parts[cell], (at, now))

    def _worth(self, item: str, change: float, share: float) -> float:
        """0.8 x share of the change + 0.2 x likeness of change and product weight."""
        apart = abs(abs(change) - self._units[item]) / (2 * OVERLAP_SD_G)
        likeness = max(0.0, 1.0 - apart)
        return CHANGE_SHARE_WEIGHT * share + (1 - CHANGE_SHARE_WEIGHT) * likeness

    def _book(self, place: str, item: str, change: float, when: tuple[int, int]) -> None:
        units = abs(change) / self._units[item]
        if units < (PICK_UNITS_MIN if change < 0 else PUT_UNITS_MIN):
            return
        source, target = (place, OUTSIDE) if change < 0 else (OUTSIDE, place)
        self._claims.append(Claim(*when, item, source, target, max(1, round(units))))


def _mean(window: deque[tuple[int, dict[str, float]]]) -> dict[str, float]:
    return {cell: fmean(plates[cell] for _, plates in window) for cell in window[0][1]}
