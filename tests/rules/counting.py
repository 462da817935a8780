"""A site whose stock is counted, while it stands still unless the test says otherwise."""

from collections.abc import Sequence
from typing import Any

from gateway.model import (
    UNKNOWN_LOCATION,
    Cell,
    CountLine,
    CountReport,
    CountRequest,
    Coverage,
    Dismissal,
    Item,
    Movement,
    Portal,
    Proposal,
    Site,
    Snapshot,
    SnapshotLine,
    TagRead,
    TagReport,
    WeightReport,
    WeightSample,
    WeightStep,
    Zone,
)
from rules.count import Count
from rules.stock import Stock
from rules.stocktake import Stocktake
from tests.rules.play import Play

BOLT = Item("BOLT", unit_mg=50_000, unit_sd_mg=300)
NUT = Item("NUT", unit_mg=337_000, unit_sd_mg=1_500)
GEAR = Item("GEAR", unit_mg=150_000, unit_sd_mg=700)
PUMP = Item("PUMP", epc_prefixes=("3034",))
VALVE = Item("VALVE", unit_mg=400_000, unit_sd_mg=2_000, epc_prefixes=("3035",))
ITEMS = (BOLT, NUT, GEAR, PUMP, VALVE)

PLACES = Site(
    zones=(Zone("HALL", ("r:1",)), Zone("RACK", ("r:2", "r:3")), Zone("GATE", ("g:3",))),
    cells=(
        Cell("s:1", "A1", "BOLT"),
        Cell("s:2", "A2", items=("GEAR", "NUT")),
        Cell("s:3", "R1", "VALVE", "RACK"),
    ),
    portals=(Portal("gate", ("g:1",), ("g:2",), "yard", "inside"),),
)

WINDOW_S = 20.0
FULL = CountRequest("c-1", "full")


class Counting(Play):
    """The rules that count, while the site stands still unless the test says otherwise."""

    def __init__(self, **known: Any) -> None:
        known.setdefault("site", PLACES)
        known.setdefault("items", ITEMS)
        rules = known.pop("rules", [Count, Stocktake, Stock])
        super().__init__(rules, **known)
        self.on_scales = {"s:1": 0.0, "s:2": 0.0, "s:3": 0.0}
        self.reads: dict[str, Sequence[str]] = {}
        self.blind: tuple[int, ...] = ()

    def book(self, location: str, *lines: SnapshotLine) -> None:
        self.feed(self.now_s, Snapshot(f"s-{location}", "first_start", location, lines, 0))

    def stand(self, for_s: float) -> None:
        """Let the devices tell what is there, five times a second."""
        until_s = self.now_s + for_s
        while self.now_s < until_s - 1e-9:
            now_s = min(until_s, self.now_s + 0.2)
            for device in ("r", "g"):
                reads = tuple(
                    TagRead(point, epc, -5000)
                    for point, epcs in self.reads.items()
                    for epc in epcs
                    if point.startswith(device)
                )
                if reads:
                    self.feed(now_s, TagReport(device, reads))
                self.feed(now_s, Coverage(device, 200_000_000, self.blind))
            samples = tuple(WeightSample(*pair) for pair in self.on_scales.items())
            if samples:
                self.feed(now_s, WeightReport("s", samples), Coverage("s", 200_000_000))
            self.wake(now_s)

    def count(self, request: CountRequest = FULL) -> None:
        self.feed(self.now_s, request)
        self.stand(WINDOW_S + 1)

    def reports(self) -> dict[str, CountReport]:
        return {report.location: report for report in self.kinds(CountReport)}

    def lines(self, location: str) -> dict[str, CountLine]:
        return {line.item: line for line in self.reports()[location].lines}

    def proposals(self) -> list[Proposal]:
        return self.kinds(Proposal)

    def closed(self) -> list[tuple[str, str]]:
        return [(each.unresolved_id, each.reason) for each in self.kinds(Dismissal)]

    def held(self, location: str, item: str) -> int:
        quantity: int = self.rows[f"Stock/{location}\t{item}"]["quantity"]
        return quantity


def line(item: str, quantity: int, *epcs: str) -> SnapshotLine:
    return SnapshotLine(item, quantity, "pcs", epcs)


def moved(name: str, quantity: int, source: str, item: str = "BOLT", **rest: Any) -> Movement:
    told = (rest.pop("kind", "issue"), rest.pop("reason", "observed"), item, quantity, "pcs")
    return Movement(name, *told, source, UNKNOWN_LOCATION, 0, 0, 990, **rest)


def step(cell: str, before_g: float, after_g: float) -> WeightStep:
    return WeightStep(cell, before_g, after_g, 0.3, 0, level_sd_g=0.3)


def tags(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number:020x}" for number in range(count)]
