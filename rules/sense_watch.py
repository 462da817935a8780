"""Which sense of which place is missing: told at once to the rules, and to people if it lasts.

    reader or antenna silent, or blind by its own word --> the tags of its zones and gates missing
    transmitter silent, or cell that weighs nothing -----> the weight of that cell missing
    missing for hold_s ----------------------------------> alert sense_missing, since when
    there again for hold_s ------------------------------> cleared

One alert for each sense and place: the cells of a zone are one. Where the other sense watches still
the place works by that one and by scans, less surely (`rules.degraded`); where none does, nothing
is booked there until it is back. Durable are the alerts alone. Part of the health rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.model import (
    Alert,
    CellFlag,
    CellId,
    Coverage,
    Fact,
    Ns,
    Sense,
    SenseChange,
    Severity,
    Site,
    WeightReport,
)
from gateway.ports import NOTHING, Row, Turn
from rules.senses import SILENT_NS, Senses
from rules.turns import together

CODE = "sense_missing"
ALERT_ROW = CODE + ":"

SAMPLES_SILENT = 3
"""A cell that is polled seldom gives a sample that seldom: so many of them must be missing."""

TEXT_MAX = 1024
"""What the contract lets an alert say."""

WEIGHT_LEFT = (
    "{place}: tags are not read ({who}); it goes on by weight and scan, less surely; look at the "
    "reader and its antennas"
)
TAGS_LEFT = (
    "{place}: nothing is weighed ({who}); it goes on by tags and scan, less surely; look at the "
    "scale"
)
NONE_LEFT = "{place}: nobody sees what moves there ({who}); count it when that is mended"
BACK = {"tags": "{place}: tags are read again", "weight": "{place}: it is weighed again"}

Place = tuple[Sense, str]


@dataclass(frozen=True, slots=True)
class _Point:
    """One cell, or one zone or portal with its antennas; `place` is what people call it, `who`
    watches it.
    """

    sense: Sense
    name: str
    place: str
    who: str


class SenseWatch:
    """See the module."""

    def __init__(self, site: Site, hold_ns: Ns) -> None:
        self._hold_ns = hold_ns
        self._senses = Senses(site)
        self._cells: dict[CellId, tuple[Ns, Ns]] = {}
        self._points = [
            *(
                _Point("tags", zone.location, zone.location, ", ".join(zone.antennas))
                for zone in site.zones
            ),
            *(
                _Point("tags", gate.portal, gate.portal, ", ".join((*gate.outer, *gate.inner)))
                for gate in site.portals
            ),
            *(
                _Point("weight", cell.cell, cell.zone or cell.location, cell.cell)
                for cell in site.cells
            ),
        ]
        self._missing: dict[_Point, Ns] = {}
        self._raised: set[Place] = set()
        self._pending: dict[Place, Ns] = {}
        self._look_at: Ns | None = None

    def restore(self, row: Row) -> bool:
        """Take back an alert that stands; False if the row is somebody else's."""
        if not row.key.startswith(ALERT_ROW):
            return False
        sense, _, place = row.key.removeprefix(ALERT_ROW).partition(":")
        self._raised.add(("tags" if sense == "tags" else "weight", place))
        return True

    def weighed(self, now: Ns, report: WeightReport) -> Turn:
        """Cells have told their weight. This is the path of every sample: it must cost little."""
        cells, back = self._cells, False
        for sample in report.samples:
            if not sample.flags & CellFlag.FAULT:
                at, _ = cells.get(sample.cell, (now, 0))
                back = back or now - at > SILENT_NS
                cells[sample.cell] = now, now - at
        return self._look(now) if back else NOTHING

    def heard(self, now: Ns, coverage: Coverage) -> Turn:
        """A device proves that it watches."""
        changed = self._senses.hear(now, coverage)
        if changed or coverage.blind_antennas or self._missing or self._look_at is None:
            return self._look(now)
        return NOTHING

    def put_off(self, span_ns: Ns) -> None:
        """The gateway stood still: nobody was silent meanwhile, and no state lasted longer."""
        self._senses.put_off(span_ns)
        self._cells = {cell: (at + span_ns, gap) for cell, (at, gap) in self._cells.items()}
        self._pending = {place: due + span_ns for place, due in self._pending.items()}

    def overdue(self, now: Ns) -> Turn:
        """Look who has fallen silent, and tell what has lasted long enough."""
        looked = self._look(now)
        due = [place for place, due in self._pending.items() if due <= now]
        for place in due:
            del self._pending[place]
        return together(looked, *(self._tell(now, place) for place in due))

    def next_due(self) -> Ns | None:
        """When to be asked again; None before any device was heard."""
        dues = [*self._pending.values(), *(at for at in (self._look_at,) if at is not None)]
        return min(dues, default=None)

    def _look(self, now: Ns) -> Turn:
        """Find what has changed, and when something can next."""
        facts: list[Fact] = []
        for point in self._points:
            last = self._watched_at(now, point)
            missing = last is not None
            if missing == (point in self._missing):
                continue
            if last is not None:
                self._missing[point] = last
            else:
                del self._missing[point]
            facts.append(SenseChange(point.sense, point.name, missing, last or now))
            self._weigh(now, (point.sense, point.place))
        if self._look_at is None:  # what stood in an earlier run is looked at anew
            for place in sorted(self._raised):
                self._weigh(now, place)
        self._look_at = now + SILENT_NS
        return Turn(tuple(facts))

    def _weigh(self, now: Ns, place: Place) -> None:
        """A state that is not what is told of it must last before it is."""
        if bool(self._absent(place)) == (place in self._raised):
            self._pending.pop(place, None)
        else:
            self._pending.setdefault(place, now + self._hold_ns)

    def _watched_at(self, now: Ns, point: _Point) -> Ns | None:
        """Until when a point was watched that is missing now; None of one that is not."""
        if point.sense == "tags":
            blind = self._senses.zone_blind(now, point.name)
            return (
                self._missing.get(point, self._senses.zone_heard(now, point.name))
                if blind
                else None
            )
        device = point.name.rpartition(":")[0]
        silent = self._senses.silent(now, device)
        at, gap = self._cells.get(point.name, (self._senses.first_heard or now, 0))
        if not silent and now - at <= max(SILENT_NS, SAMPLES_SILENT * gap):
            return None
        return at

    def _absent(self, place: Place) -> list[_Point]:
        return [point for point in self._missing if (point.sense, point.place) == place]

    def _tell(self, now: Ns, place: Place) -> Turn:
        """Raise the alert of a place, or clear it."""
        sense, name = place
        key = f"{CODE}:{sense}:{name}"
        absent = self._absent(place)
        if not absent:
            self._raised.discard(place)
            text = BACK[sense].format(place=name)
            return Turn((Alert(CODE, key, False, "warning", text, now),), deletes=(key,))
        self._raised.add(place)
        severity, text = self._words(name, absent)
        since = min(self._missing[point] for point in absent)
        alert = Alert(CODE, key, True, severity, text[:TEXT_MAX], since)
        return Turn((alert,), (Row(key, {"raised": 1}),))

    def _words(self, place: str, absent: Iterable[_Point]) -> tuple[Severity, str]:
        sense = next(iter(absent)).sense
        others = [p for p in self._points if p.place == place and p.sense != sense]
        left = [point for point in others if point not in self._missing]
        who = ", ".join(point.who for point in absent)
        if not left:
            return "critical", NONE_LEFT.format(place=place, who=who)
        told = WEIGHT_LEFT if sense == "tags" else TAGS_LEFT
        return "warning", told.format(place=place, who=who)
