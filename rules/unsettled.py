"""Unresolved acts that are still open, and what closes them: a Dismissal that names them.

    tag goes back the way it came, or comes back ----------------> returned
    a later movement names that EPC -----------------------------> settled_by_movement
    cell's weight is in line again with what was counted there --> returned, or by a movement
    count of the cell says what it was --------------------------> returned, or by a movement
    what lay there on the first start is stated -----------------> settled_by_snapshot
    a person scans what it was (`rules.scan_desk`) --------------> settled_by_scan

A cell that is not in line weighs an excess: what its steps came to, less the pieces told. What
stays open longer than OPEN_MAX_NS is for a person. Part of the movement rule; durable.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self

from gateway.model import (
    NS_PER_S,
    Arrival,
    CellId,
    CountChange,
    Departure,
    Dismissal,
    Item,
    Ns,
    Site,
    Unresolved,
)
from gateway.ports import NOTHING, Row, Turn
from rules.turns import together

OPEN_ROW = "open:"
TAG = OPEN_ROW + "tag:"
CELL = OPEN_ROW + "cell:"

OPEN_MAX_NS = 24 * 3600 * NS_PER_S
"""A person has looked by then; a tag that comes back the next day tells of something else."""

SUBJECTS_MAX = 10_000
"""EPCs and cells with something open; of more, that which changed longest ago stays open."""

IDS_MAX = 16
"""Open acts of one EPC or cell; of more, the oldest stay open."""

IN_LINE_UNITS = 0.3
"""How far the weight may be from whole pieces: as far as a count may misfit."""

IN_LINE_MG = 5_000
"""The same where the weight of a piece is not known: the least step that a scale tells of."""

RETURN_NS = 60 * NS_PER_S
"""What is put down and taken away within this time is one coming and going."""

FIRST = "\tfirst"
"""After the name of a cell: what lay there on the first start."""


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is open about one EPC or cell: the last act's direction in a zone, or the excess; and
    where a tag is in the books whose act was too unsure to be booked.
    """

    ids: tuple[str, ...]
    opened: Ns
    zone: str = ""
    arriving: bool = False
    excess_mg: int = 0
    booked: str = ""


class Weighed(NamedTuple):
    """A cell's weight changed by so much, which was read as `quantity` pieces of that weight; it
    `settles` what was unresolved there if the count says so.
    """

    cell: str
    delta_mg: int
    quantity: int
    unit_mg: int
    settles: bool = False

    @classmethod
    def of(cls, change: CountChange, item: Item | None) -> Self:
        """What a count reads of a step; `item` is what the catalogue says of its item."""
        step = change.step
        delta_mg = round(step.after_g * 1000) - round(step.before_g * 1000)
        unit_mg = round(change.unit_g * 1000) or (item.unit_mg if item else 0)
        return cls(change.cell, delta_mg, change.quantity, unit_mg, change.settles)


class OpenAct(NamedTuple):
    """What is open of one EPC or cell at a place; `ids` are the oldest first."""

    key: str
    ids: tuple[str, ...]
    at: Ns
    place: str
    arriving: bool
    epc: str = ""
    cell: str = ""
    excess_mg: int = 0


class Unsettled:
    """See the module. `boot` and `last_alive` are those of the rule's context.

    What goes back to a plate of several items, only its count can tell: weight alone may be that of
    others.
    """

    def __init__(self, boot: str, last_alive: Ns, site: Site) -> None:
        self._boot = boot
        self._last_alive = last_alive
        self._mixed = {cell.cell for cell in site.cells if len(cell.planned) > 1}
        self._subjects: dict[str, _Subject] = {}
        self._location = {cell.cell: cell.location for cell in site.cells}
        self._zone = {cell.location: cell.zone for cell in site.cells if cell.zone}

    def restore(self, row: Row) -> bool:
        """Take back what an earlier run left open; False if the row is somebody else's."""
        if not row.key.startswith(OPEN_ROW):
            return False
        value: dict[str, Any] = dict(row.value)
        if value.pop("boot") != self._boot:
            value["opened"] = self._last_alive
        self._subjects[row.key] = _Subject(**{**value, "ids": tuple(value["ids"])})
        return True

    def tag(self, now: Ns, identity: str, epc: str, zone: str, *, arriving: bool) -> Turn:
        """An act of a tag is unresolved."""
        old = self._subjects.get(TAG + epc)
        return self._put(TAG + epc, _Subject(_ids(old, identity), now, zone, arriving))

    def kept_back(self, now: Ns, told: Unresolved, booked: str, *, arriving: bool) -> Turn:
        """A tag has moved there or from there, too unsurely to be booked: it stays at `booked`."""
        [epc] = told.epcs
        ids = _ids(self._subjects.get(TAG + epc), told.unresolved_id)
        return self._put(TAG + epc, _Subject(ids, now, told.location, arriving, booked=booked))

    def disputed(self, now: Ns, epc: str, zone: str, booked: str, *, arriving: bool) -> Turn:
        """What a tag did there did not happen, a person says: in the books it is at `booked`."""
        ids = _ids(self._subjects.get(TAG + epc), "")
        return self._put(TAG + epc, _Subject(ids, now, zone, arriving, booked=booked))

    def booked(self, epc: str) -> str:
        """Where a tag is in the books whose last act was kept back; "" if none was."""
        subject = self._subjects.get(TAG + epc)
        return subject.booked if subject else ""

    def as_booked(self, now: Ns, epc: str) -> Turn:
        """A tag whose acts were kept back is where the books have it."""
        return self._close(now, TAG + epc, "returned")

    def turned_back(self, now: Ns, fact: Arrival | Departure) -> Turn | None:
        """A tag goes; close what is open if that went the other way there, else None."""
        return self.returned(now, fact.epc, fact.zone, arriving=isinstance(fact, Arrival))

    def returned(self, now: Ns, epc: str, zone: str, *, arriving: bool) -> Turn | None:
        """The same, of a tag that comes into that zone or leaves it."""
        key = TAG + epc
        subject = self._subjects.get(key)
        if subject is None or now - subject.opened > OPEN_MAX_NS:
            return None
        if (subject.zone, subject.arriving) != (zone, not arriving):
            return None
        return self._close(now, key, "returned")

    def moved(self, now: Ns, epcs: Iterable[str]) -> Turn:
        """A movement explains what was open of these EPCs before."""
        keys = [TAG + epc for epc in epcs if TAG + epc in self._subjects]
        before = [key for key in keys if self._subjects[key].opened < now]
        return together(*(self._close(now, key, "settled_by_movement") for key in before))

    def weighed(self, now: Ns, weighed: Weighed, identity: str = "") -> Turn:
        """A cell's weight changed, unresolved as `identity` unless that is empty.

        Closes what is open of the cell if it is in line now, this change included.
        """
        key = CELL + weighed.cell
        old = self._subjects.get(key)
        if old is None and not identity:
            return NOTHING
        excess_mg = weighed.delta_mg - weighed.quantity * weighed.unit_mg
        excess_mg += old.excess_mg if old else 0
        fits_mg = weighed.unit_mg * IN_LINE_UNITS or IN_LINE_MG
        in_line = abs(excess_mg) <= fits_mg and weighed.cell not in self._mixed
        if old and (in_line or weighed.settles) and now - old.opened <= OPEN_MAX_NS:
            reason = "settled_by_movement" if weighed.quantity else "returned"
            return self._close(now, key, reason)
        opened = now if old is None or identity else old.opened
        return self._put(key, _Subject(_ids(old, identity), opened, excess_mg=excess_mg))

    def old(self, now: Ns, cell: str) -> bool:
        """Whether what is open about that cell is so old that what brings it back is an act of its
        own: no hand rests so long.
        """
        subject = self._subjects.get(CELL + cell)
        return subject is not None and now - subject.opened > RETURN_NS

    def open(self, cell: str) -> bool:
        """Whether something is open about that cell."""
        return CELL + cell in self._subjects

    def open_at(self, now: Ns, place: str) -> list[OpenAct]:
        """What is open at a place or, if it is a zone, in it; the newest first."""
        acts = [
            act
            for key, subject in self._subjects.items()
            if subject.ids and now - subject.opened <= OPEN_MAX_NS
            if (act := self._act(key, subject)) is not None
            if place in {act.place, self._zone.get(act.place)}
            or (act.epc and act.place == self._zone.get(place))
        ]
        return sorted(acts, key=lambda act: -act.at)

    def scanned(self, now: Ns, act: OpenAct) -> Turn:
        """A person has said what it was."""
        return self._close(now, act.key, "settled_by_scan")

    def _act(self, key: str, subject: _Subject) -> OpenAct | None:
        """None of what lay there on the first start: that is for a count."""
        told = (key, subject.ids, subject.opened)
        if key.startswith(TAG):
            if not subject.zone:
                return None
            return OpenAct(*told, subject.zone, subject.arriving, epc=key.removeprefix(TAG))
        cell = key.removeprefix(CELL)
        if cell not in self._location or not subject.excess_mg:
            return None
        arriving, excess_mg = subject.excess_mg > 0, subject.excess_mg
        return OpenAct(*told, self._location[cell], arriving, cell=cell, excess_mg=excess_mg)

    def unstated(self, now: Ns, cell: CellId, identity: str) -> Turn:
        """What lies on a cell on the first start is not resolved."""
        return self._put(CELL + cell + FIRST, _Subject((identity,), now))

    def stated(self, now: Ns, cell: CellId) -> Turn:
        """What lies on a cell is known and stated: nothing is open there."""
        keys = [key for key in (CELL + cell + FIRST, CELL + cell) if key in self._subjects]
        return together(*(self._close(now, key, "settled_by_snapshot") for key in keys))

    def _close(self, now: Ns, key: str, reason: str) -> Turn:
        subject = self._subjects.pop(key)
        facts = tuple(Dismissal(identity, reason, now) for identity in subject.ids)
        return Turn(facts=facts if now - subject.opened <= OPEN_MAX_NS else (), deletes=(key,))

    def _put(self, key: str, subject: _Subject) -> Turn:
        deletes: list[str] = []
        self._subjects.pop(key, None)
        opened = subject.opened
        for old_key, old in list(self._subjects.items()):
            if opened - old.opened > OPEN_MAX_NS:
                deletes.append(old_key)
                del self._subjects[old_key]
        if len(self._subjects) >= SUBJECTS_MAX:
            oldest = min(self._subjects, key=lambda each: self._subjects[each].opened)
            deletes.append(oldest)
            del self._subjects[oldest]
        self._subjects[key] = subject
        row = Row(key, {**asdict(subject), "boot": self._boot})
        return Turn(puts=(row,), deletes=tuple(deletes))


def _ids(old: _Subject | None, identity: str) -> tuple[str, ...]:
    ids = old.ids if old else ()
    return (*ids, identity)[-IDS_MAX:] if identity else ids
