"""A plain stable-step method for weight: the difference of two plateaus of a second, rounded."""

from __future__ import annotations

from collections import deque

from simulators.world.truth import NS_PER_S, OUTSIDE, Observed, Scenario, Weights
from tests.bench.judging.claims import Claim, Told

STILL_NS = NS_PER_S
STILL_G = 3.0
SAMPLES_MIN = 4
UNITS_MIN = 0.5


class StableStep:
    """Cells of one item only: it knows nothing of mixed plates."""

    def __init__(self, scenario: Scenario) -> None:
        units = {good.code: good.unit_g for good in scenario.block.goods}
        self._cells = {
            cell.cell: (cell.location, cell.items[0], units[cell.items[0]])
            for cell in scenario.block.cells
            if len(cell.items) == 1
        }
        self._last: dict[str, deque[tuple[int, float]]] = {cell: deque() for cell in self._cells}
        self._base: dict[str, float] = {}
        self._claims: list[Claim] = []

    def observe(self, observed: Observed) -> None:
        """Take in one observation; only weights count."""
        if type(observed) is not Weights:
            return
        now = observed.at
        for cell, gross, _ in observed.samples:
            last = self._last.get(cell)
            if last is None:
                continue
            last.append((now, gross))
            while last[0][0] < now - STILL_NS:
                last.popleft()
            levels = [level for _, level in last]
            if len(levels) >= SAMPLES_MIN and max(levels) - min(levels) <= STILL_G:
                self._still(cell, sum(levels) / len(levels), (last[0][0], now))

    def finish(self, at: int) -> Told:
        """What was claimed."""
        del at
        return Told(claims=self._claims)

    def _still(self, cell: str, level: float, when: tuple[int, int]) -> None:
        place, item, unit = self._cells[cell]
        change = level - self._base.get(cell, level)
        self._base[cell] = level
        if abs(change) < UNITS_MIN * unit:
            return
        source, target = (place, OUTSIDE) if change < 0 else (OUTSIDE, place)
        self._claims.append(Claim(*when, item, source, target, max(1, round(abs(change) / unit))))
