"""What a decision was made of: the raw readings around it, kept beside the movement for `why`.

The newest reports are kept as they came; only when a turn decides are those looked through that
tell of its tags and its cell. The hot path pays one append per report.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import replace

from gateway.model import (
    NS_PER_MS,
    NS_PER_S,
    Amendment,
    CellId,
    Event,
    Fact,
    Movement,
    Ns,
    Site,
    TagReport,
    Unresolved,
    WeightReport,
)
from gateway.outcome import EvidenceRow, Outcome
from gateway.ports import JsonValue

REPORTS_KEPT = 2_000
"""Reports of each kind: minutes of a shelf, seconds of a large site; looked through in a
millisecond or two, and only when something was decided."""

BACK_NS: Ns = 30 * NS_PER_S
"""How far before its decision a reading still says something about it."""

READINGS_MAX = 20
"""Readings of each kind beside one event: half a kilobyte."""


class EvidenceRing:
    """The newest reports, and what of them belongs to an outcome."""

    def __init__(self, site: Site) -> None:
        self._tags: deque[tuple[Ns, TagReport]] = deque(maxlen=REPORTS_KEPT)
        self._weights: deque[tuple[Ns, WeightReport]] = deque(maxlen=REPORTS_KEPT)
        self._cells: dict[str, list[CellId]] = {}
        for cell in site.cells:
            self._cells.setdefault(cell.location, []).append(cell.cell)

    def note(self, at: Ns, fact: Fact) -> None:
        """See one fact, as a tap of the pipeline."""
        if type(fact) is TagReport:
            self._tags.append((at, fact))
        elif type(fact) is WeightReport:
            self._weights.append((at, fact))

    def explained(self, outcome: Outcome) -> Outcome:
        """The outcome with the rule that told each event, and the readings behind its movements,
        their pieces that are known later, and unresolved acts.
        """
        rows = []
        for index, event in enumerate(outcome.events):
            told: dict[str, JsonValue] = {}
            if outcome.tellers:
                told["rule"] = outcome.tellers[index]
            if isinstance(event, Movement | Unresolved) or _names_pieces(event):
                told |= self._readings(event, outcome.at)
            if told:
                rows.append(EvidenceRow(index, told))
        return replace(outcome, evidence=tuple(rows)) if rows else outcome

    def _readings(self, event: Event, until: Ns) -> dict[str, JsonValue]:
        readings: dict[str, JsonValue] = {}
        if isinstance(event, Movement):
            places: Collection[str] = (event.from_location, event.to_location)
        elif isinstance(event, Unresolved):
            places = (event.location,)
        elif isinstance(event, Amendment):
            places = ()
        else:
            return readings
        if event.epcs:
            readings["reads"] = self._reads(frozenset(event.epcs), until)
        cells = [cell for place in places for cell in self._cells.get(place, ())]
        if cells:
            readings["weights"] = self._samples(cells[0], until)
        return readings

    def _reads(self, epcs: frozenset[str], until: Ns) -> list[JsonValue]:
        """The last reads of these tags, newest first: ms before, where, EPC, RSSI, count."""
        found: list[JsonValue] = []
        for at, report in reversed(self._tags):
            if until - at > BACK_NS or len(found) >= READINGS_MAX:
                break
            for read in report.reads:
                if read.epc in epcs and len(found) < READINGS_MAX:
                    before_ms = (until - at + read.age_ns) // NS_PER_MS
                    row = (before_ms, read.read_point, read.epc, read.rssi_cdbm, read.seen_count)
                    found.append(row)
        return found

    def _samples(self, cell: CellId, until: Ns) -> list[JsonValue]:
        """The last samples of this cell, newest first: ms before, milligrams, flags."""
        found: list[JsonValue] = []
        for at, report in reversed(self._weights):
            if until - at > BACK_NS or len(found) >= READINGS_MAX:
                break
            for sample in report.samples:
                if sample.cell == cell:
                    gross_mg = round(sample.gross_g * 1000)
                    found.append(((until - at) // NS_PER_MS, gross_mg, sample.flags))
        return found


def _names_pieces(event: Event) -> bool:
    return isinstance(event, Amendment) and bool(event.epcs)
