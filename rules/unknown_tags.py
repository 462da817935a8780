"""Tags that are of no known item.

    EPC that says nothing of an item ------------> quarantine (`rules.quarantine`)
      an item claims it later -------------------> decided as if it came now
      it is a person's badge --------------------> let go
    EPC of a trade item, a unit, an asset -------> unresolved
    one that was in the books before it left ----> unresolved

Part of the movement rule.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.model import Arrival, Departure, Ns, Passage, Portal, Unresolved
from gateway.ports import NOTHING, Turn
from rules.quarantine import puzzle
from rules.shelf import Shelf


class UnknownTags:
    """See the module."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._quarantine = shelf.quarantine
        self._asked = (0, 0)  # the versions of items and badges that kept ones were looked up in

    def moved(self, now: Ns, fact: Arrival | Departure) -> Turn:
        """A tag of no item came or left."""
        if type(fact) is Departure and fact.to_zone:
            return NOTHING  # its Arrival in the same turn tells of it
        kept = fact.epc in self._quarantine
        if kept and type(fact) is Departure:
            return self._quarantine.let_go(now, fact.epc)
        back = self._shelf.unsettled.turned_back(now, fact)
        if back is not None:
            return back
        if type(fact) is Arrival and (kept or not fact.from_zone) and puzzle(fact.epc):
            return self._quarantine.keep(now, _by_itself(fact), fact.zone)
        told = self._shelf.telling.unknown_tag(now, fact)
        return self.unresolved(now, told, fact.zone, arriving=isinstance(fact, Arrival))

    def passed(self, now: Ns, passage: Passage, portal: Portal) -> Turn | None:
        """A tag went through a gate; None if it is of an item, or could be of one."""
        if self._shelf.catalogue.of_tag(passage.epc) or not puzzle(passage.epc):
            return None
        return self._quarantine.keep(now, passage, portal.inside)

    def unresolved(self, now: Ns, told: Unresolved, zone: str, *, arriving: bool) -> Turn:
        """Tell it, and keep in mind what would close it; `zone` is "" if no way back would."""
        [epc] = told.epcs
        turn = self._shelf.unsettled.tag(now, told.unresolved_id, epc, zone, arriving=arriving)
        return turn._replace(facts=(told,))

    def claimed(self) -> list[Arrival | Passage]:
        """What is kept of tags that are of an item, or of a person, by now."""
        catalogue, badges = self._shelf.catalogue, self._shelf.badges
        if self._asked == (catalogue.version, badges.version):
            return []
        self._asked = (catalogue.version, badges.version)
        facts = self._quarantine.facts()
        return [each for each in facts if each.epc in badges.worn or catalogue.of_tag(each.epc)]


def _by_itself(arrival: Arrival) -> Arrival:
    """Nothing of it is in the books, wherever it comes from."""
    return replace(arrival, from_zone="", refutes=False)
