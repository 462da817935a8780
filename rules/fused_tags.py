"""The tags' side of a place with both senses: tags that find their step (`rules.movement`)."""

from __future__ import annotations

from dataclasses import replace

from gateway.model import Arrival, Cell, Departure, Item, Ns, Unresolved
from gateway.ports import NOTHING, Turn
from rules.act import WaitingTag
from rules.alone import Alone
from rules.fused_steps import FusedSteps
from rules.shelf import Shelf
from rules.turns import together
from rules.waiting import UNWATCHED_MAX_NS

SURE_PERMILLE = 900
"""The scale says that nothing moved, and is seldom wrong: a tag says otherwise only if it is read
so well that presence is wrong of such ones less often than once in ten."""


class FusedTags:
    """See the module."""

    def __init__(self, shelf: Shelf, steps: FusedSteps) -> None:
        self._shelf = shelf
        self._waiting = shelf.waiting
        self._steps = steps

    def told(self, now: Ns, fact: Arrival | Departure, item: Item) -> Turn | None:
        """A tag came or went; None if it is not one that is weighed there or elsewhere."""
        odd = self._shelf.oddities.of(fact.epc, fact.zone)
        code = odd.item if odd is not None else item.code
        planned = self._shelf.planned(fact.zone, code)
        if not (planned or self._shelf.strange(fact.zone, code)):
            return None
        read = not self._shelf.senses.zone_blind(now, fact.zone)
        alone = read and self._blind_cells(now, fact.zone, code)
        tag = WaitingTag.of(fact, code, now, now if alone else now + self._shelf.waits.step_ns)
        if fact.cause == "first_start":
            return self._stood_before(now, tag)
        undone = self._undone(now, fact, tag)
        if undone is not None:
            return undone
        back = self._shelf.unsettled.turned_back(now, fact)
        other = self._waiting.tag(replace(tag, arriving=not tag.arriving).key)
        opposite = [other] if other is not None and other.zone == tag.zone else []
        deletes = self._waiting.drop(*opposite)
        told = together(back or NOTHING, Turn(deletes=deletes) if deletes else NOTHING)
        if back:
            told = together(told, self._standing(tag.zone, code, -1 if tag.arriving else 1))
        if back or opposite:
            return together(told, self._back(now, tag, planned=planned, soon=bool(opposite)))
        home = self._waiting.tag(tag.key)
        if not planned and home is not None and home.zone != tag.zone:
            return told  # a stray ends, and its own zone misses it yet
        joined = self._steps.join(now, tag) if planned else None
        if joined is not None:
            return joined
        tag = replace(tag, stranger=not planned)
        row = self._waiting.add(tag)
        explained = self._steps.explain(now, tag)
        if explained is None:
            return Turn(puts=(row,))
        kept = tuple(key for key in explained.deletes if key != tag.key)  # it had no row yet
        return explained._replace(deletes=kept)

    def _stood_before(self, now: Ns, tag: WaitingTag) -> Turn:
        """It was there on the first start; but one that is read badly is that of a step which lacks
        it.
        """
        joined = self._steps.join(now, tag, late=True) if tag.arriving else None
        return joined or self._standing(tag.zone, tag.item, -1 if tag.arriving else 1)

    def _back(self, now: Ns, tag: WaitingTag, *, planned: bool, soon: bool) -> Turn:
        """It goes back the way it went, and no step told of that: it never went, or was there
        already. What comes back may stand in for a tag that a step lacks; what was not booked when
        it came needs no step when it falls silent.
        """
        if not planned or (soon and not tag.arriving):
            return NOTHING
        if tag.arriving:
            due = tag.due + self._shelf.waits.tags_ns(tag.zone, arriving=True)
            return Turn(puts=(self._waiting.add(replace(tag, spare=True, due=due)),))
        unbooked = replace(
            tag, spare=True, stranger=True, due=tag.told_at + self._shelf.waits.missing_ns
        )
        joined = self._steps.join(now, tag)
        return joined or Turn(puts=(self._waiting.add(unbooked),))

    def overdue(self, now: Ns, tag: WaitingTag) -> Turn:
        """No step came for it: its scale is blind, or says that nothing moved."""
        gone = Turn(deletes=(tag.key,))
        if tag.spare:
            return together(gone, self._missing(now, tag))
        if tag.stranger:
            return _once(together(gone, self._stray(now, tag)))
        blind = self._blind(now, tag)
        if blind is not None:
            return together(gone, blind) if blind is not NOTHING else NOTHING
        if not tag.arriving:
            if self._steps.recent.excused(now, tag):
                return together(gone, self._standing(tag.zone, tag.item, 1))
            spare = replace(tag, spare=True, due=now + self._shelf.waits.missing_ns)
            return Turn(puts=(self._waiting.add(spare),))
        return _once(together(gone, self._found(now, tag)))

    def _missing(self, now: Ns, tag: WaitingTag) -> Turn:
        """It has been silent for so long, and its weight lies there."""
        if tag.arriving or tag.stranger:
            return NOTHING
        standing = self._standing(tag.zone, tag.item, 1)
        if tag.elsewhere and self._shelf.strange(tag.elsewhere, tag.item):
            return standing  # another zone reads it better than its own
        return together(standing, self._unresolved(now, tag))

    def _found(self, now: Ns, tag: WaitingTag) -> Turn:
        """A tag has come, and the scale says that nothing did."""
        told = (
            self._steps.not_gone(now, tag)
            or self._steps.join(now, tag, late=True)
            or self._explained(now, tag)
            or self._steps.mislabelled(now, tag)
        )
        if told is not None:
            return told
        if self._known(now, tag) or self._steps.recent.excused(now, tag):
            return NOTHING  # it was there before
        before = tag.elsewhere == tag.zone or self._shelf.strange(tag.elsewhere, tag.item)
        lacked = self._shelf.tagless.among(tag.zone, tag.item, 1)
        standing = self._standing(tag.zone, tag.item, -1)
        if before or lacked:
            return standing  # it was there before, and read elsewhere or not at all
        return together(standing, self._unresolved(now, tag))

    def _standing(self, zone: str, item: str, pieces: int) -> Turn:
        """So many more pieces of what is weighed there have no tag, or fewer."""
        if not self._shelf.planned(zone, item):
            return NOTHING
        return self._shelf.tagless.add(zone, item, pieces)

    def unconfirmed(self, now: Ns, act: Alone) -> Turn:
        """The scale is back, and does not say what a tag decided alone."""
        if self._shelf.senses.cell_blind(now, act.cell):
            return NOTHING
        found = self._shelf.disagreement.found(now, act.zone, act.item)
        told = self._told(now, self._shelf.telling.doubted(now, act), "", arriving=False)
        return together(self._shelf.lone.doubt(act), told, found)

    def _undone(self, now: Ns, fact: Arrival | Departure, tag: WaitingTag) -> Turn | None:
        """It goes back the way it came, or never did: what it had decided alone is booked back."""
        act = self._shelf.lone.undone_by(tag)
        if act is None:
            return None
        place, gone = self._shelf.cells[act.cell].location, Turn(deletes=(act.key,))
        if isinstance(fact, Arrival):
            refuted = self._shelf.reversals.refuted(now, fact, place)
            if refuted is not None:
                return together(gone, self._shelf.reversals.taken_back(now, refuted, fact))
        movement = self._shelf.telling.tag_for_scale(now, tag, place)
        return together(gone, Turn(facts=(movement,)))

    def _blind(self, now: Ns, tag: WaitingTag) -> Turn | None:
        """What a tag decides alone where its scale is blind; None where none is. Which cell it
        was, of several, a scale can tell yet: then NOTHING, and it waits on.
        """
        blind = self._blind_cells(now, tag.zone, tag.item)
        if not blind:
            return None
        if len(blind) == 1:
            movement = self._shelf.telling.tag_for_scale(now, tag, blind[0].location)
            if movement.confidence_permille < self._shelf.waits.sure_permille:
                told = self._shelf.telling.unresolved_tag(now, tag, "unsure")
                return self._told(now, told, tag.zone, arriving=tag.arriving)
            alone = self._shelf.lone.by_tag(now, tag, blind[0].cell)
            return together(alone, self._shelf.reversals.note(movement))
        if now < tag.at + UNWATCHED_MAX_NS:
            self._waiting.add(replace(tag, due=now + self._shelf.waits.step_ns))
            return NOTHING
        told = self._shelf.telling.unresolved_tag(now, tag, "scale_blind")
        return self._told(now, told, tag.zone, arriving=tag.arriving)

    def _blind_cells(self, now: Ns, zone: str, item: str) -> list[Cell]:
        """The cells that would have weighed a piece of that item, and weigh nothing."""
        return [
            cell
            for cell in self._shelf.cells.values()
            if cell.zone == zone
            and item in cell.planned
            and self._shelf.senses.cell_blind(now, cell.cell)
        ]

    def _stray(self, now: Ns, tag: WaitingTag) -> Turn:
        """A tag of an item that is planned elsewhere, and no cell here told of it."""
        told = self._explained(now, tag)
        if told is None and tag.arriving and not tag.elsewhere:
            told = self._steps.mislabelled(now, tag) or self._steps.cross_read(now, tag)
        if told is not None:
            return told
        home = self._waiting.tag(replace(tag, arriving=False).key)
        strays = home is not None and home.zone != tag.zone
        if not tag.arriving or strays or tag.elsewhere or self._known(now, tag):
            return NOTHING  # nothing was booked of it, or its own scale says where it lies
        if self._steps.recent.named(now, tag) or self._shelf.tagless.any(tag.item):
            return NOTHING  # it was booked when it went, or is of those that lack a tag at home
        return self._unresolved(now, tag)

    def _explained(self, now: Ns, tag: WaitingTag) -> Turn | None:
        """Whether it is on a piece that another cell weighed since, and counted as nothing."""
        if not self._steps.beside(now, tag):
            return None
        self._waiting.add(tag)
        told = self._steps.explain(now, tag)
        self._waiting.drop(tag)
        return told

    def _known(self, now: Ns, tag: WaitingTag) -> bool:
        """Whether a step of its item has it already."""
        waiting = any(
            tag.epc in step.epcs and (step.item, step.arriving) == (tag.item, tag.arriving)
            for step in self._waiting.steps()
        )
        return waiting or self._steps.recent.has(now, tag)

    def _unresolved(self, now: Ns, tag: WaitingTag) -> Turn:
        """What a tag says alone, against its scale; nobody is called for one that is read badly."""
        if tag.confidence_permille < SURE_PERMILLE:
            return NOTHING
        told = self._shelf.telling.unresolved_tag(now, tag, "senses_disagree")
        turn = self._told(now, told, tag.zone, arriving=tag.arriving)
        return together(turn, self._shelf.disagreement.found(now, tag.zone, tag.item))

    def _told(self, now: Ns, told: Unresolved, zone: str, *, arriving: bool) -> Turn:
        """Tell it, and keep in mind what would close it; `zone` is "" if no way back would."""
        [epc] = told.epcs
        turn = self._shelf.unsettled.tag(now, told.unresolved_id, epc, zone, arriving=arriving)
        return turn._replace(facts=(told,))


def _once(turn: Turn) -> Turn:
    """The turn without a delete told twice."""
    return turn._replace(deletes=tuple(dict.fromkeys(turn.deletes)))
