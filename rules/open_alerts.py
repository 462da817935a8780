"""The alert that something is unresolved at a place: one for each item there, while a question is
open.

    unresolved ---------------------------------------> raised, unless it stands
    all that was unresolved there is dismissed -------> cleared
    nothing new was unresolved there for STANDS_NS ---> cleared, and the records keep what is open

What is of no known item, or of several, has one alert for the place. Durable. Part of the movement
rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from gateway.model import NS_PER_S, Alert, Dismissal, Fact, Ns, Unresolved, epc_of
from gateway.ports import NOTHING, JsonValue, Row, Turn
from rules.turns import together

ASKED_ROW = "asked:"
CODE = "unresolved"

STANDS_NS = 24 * 3600 * NS_PER_S
"""By then a person has looked, or will not; as long as an open question waits for what closes it.
"""

IDS_MAX, MORE = 16, ""
"""Open questions of one alert; of more, which are not known by name, it stands to its end."""

STANDING_MAX = 1_000
"""More places than anybody can look at; of more, the alert that stands longest is cleared."""

TEXTS = {
    "count_not_resolvable": "the weight changed by what is no whole number of {what}; count it",
    "unknown_item": "something of no known item was put there or taken; look what it is",
    "item_uncertain": "{what} were put there or taken, or as many of another item; count both",
    "unknown_epc": "tag {epc}{says} is of no known item; look what carries it",
    "direction_uncertain": "{what} with tag {epc} was in the gate; look on which side it is",
    "unsure": "{what} with tag {epc} may have come or gone; look whether it is there",
    "scale_blind": "{what} with tag {epc} came or went while the scales told nothing; count it",
    "senses_disagree": "tag {epc} says that {what} came or went, the scale does not; look for it",
}
"""What happened and what is to be done, by the reason of the Unresolved."""

TEXT_MAX = 1024
"""What the contract lets an alert say: codes of the site may be long."""

OTHERWISE = "something happened to {what} that is not clear ({reason}); look at it"
SETTLED = "{place}: what was open there is settled"
EXPIRED = "{place}: what was open there was not settled in a day; the records keep it"


@dataclass(frozen=True, slots=True)
class _Asked:
    """The questions of one alert that stands, and when the last of them was told."""

    place: str
    ids: tuple[str, ...]
    at: Ns


class OpenAlerts:
    """See the module. `boot` and `last_alive` are those of the rule's context."""

    def __init__(self, boot: str, last_alive: Ns) -> None:
        self._boot = boot
        self._last_alive = last_alive
        self._standing: dict[str, _Asked] = {}

    def restore(self, row: Row) -> bool:
        """Take back an alert that stands; False if the row is somebody else's."""
        if not row.key.startswith(ASKED_ROW):
            return False
        value: Any = row.value
        at = value["at"] if value["boot"] == self._boot else self._last_alive
        key = row.key.removeprefix(ASKED_ROW)
        self._standing[key] = _Asked(value["place"], tuple(value["ids"]), at)
        return True

    def told(self, now: Ns, facts: Iterable[Fact]) -> Turn:
        """Raise and clear by what a turn tells."""
        turns = []
        for fact in facts:
            if type(fact) is Unresolved:
                turns.append(self._open(now, fact))
            elif type(fact) is Dismissal:
                turns.append(self._close(now, fact.unresolved_id))
        return together(*turns)

    def overdue(self, now: Ns) -> Turn:
        """Clear what stood long enough."""
        keys = [key for key, asked in self._standing.items() if asked.at + STANDS_NS <= now]
        return together(*(self._clear(now, key, EXPIRED) for key in keys))

    def next_due(self) -> Ns | None:
        """When the next has stood long enough."""
        return min((asked.at + STANDS_NS for asked in self._standing.values()), default=None)

    def _open(self, now: Ns, unresolved: Unresolved) -> Turn:
        key = _key(unresolved)
        old = self._standing.pop(key, None)
        full = NOTHING
        if old is None and len(self._standing) >= STANDING_MAX:
            full = self._clear(now, next(iter(self._standing)), EXPIRED)
        ids = (*(old.ids if old else ()), unresolved.unresolved_id)
        if len(ids) > IDS_MAX:
            ids = (MORE, *ids[2:])
        asked = _Asked(unresolved.location, ids, now)
        facts = () if old else (Alert(CODE, key, True, "warning", _text(unresolved), now),)
        return together(full, Turn(facts=facts, puts=(self._put(key, asked),)))

    def _close(self, now: Ns, identity: str) -> Turn:
        for key, asked in self._standing.items():
            if identity in asked.ids:
                left = tuple(each for each in asked.ids if each != identity)
                if not left:
                    return self._clear(now, key, SETTLED)
                return Turn(puts=(self._put(key, _Asked(asked.place, left, asked.at)),))
        return NOTHING

    def _clear(self, now: Ns, key: str, text: str) -> Turn:
        place = self._standing.pop(key).place
        alert = Alert(CODE, key, False, "warning", text.format(place=place), now)
        return Turn(facts=(alert,), deletes=(ASKED_ROW + key,))

    def _put(self, key: str, asked: _Asked) -> Row:
        self._standing[key] = asked
        kept: dict[str, JsonValue] = {**asdict(asked), "boot": self._boot}
        return Row(ASKED_ROW + key, kept)


def _key(unresolved: Unresolved) -> str:
    """Which alert it is: that of an item there, or of the place."""
    key = f"{CODE}:{unresolved.location}"
    candidates = unresolved.candidates
    return f"{key}:{candidates[0]}" if len(candidates) == 1 else key


def _text(unresolved: Unresolved) -> str:
    text = TEXTS.get(unresolved.reason, OTHERWISE).format(
        what=" or ".join(unresolved.candidates) or "something",
        epc=", ".join(unresolved.epcs),
        says="".join(_said(epc) for epc in unresolved.epcs),
        reason=unresolved.reason,
    )
    return f"{unresolved.location}: {text}"[:TEXT_MAX]


def _said(epc: str) -> str:
    found = epc_of(epc)
    return f", {found.element_string}," if found else ""
