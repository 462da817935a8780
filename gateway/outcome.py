"""What one turn of the engine comes to: everything that must reach the disk together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from gateway.model import Action, Event, Ns, Reference
from gateway.ports import JsonValue, Row


class EvidenceRow(NamedTuple):
    """What `why` shows for the event at `event_index` of the same outcome. Any JSON."""

    event_index: int
    body: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One turn, all or nothing. `puts` are (rule, schema, row), `deletes` are (rule, key).

    Where both name a key, the delete counts: it came last. `tellers` are the rules that told
    the events, one each; none where no rule did.
    """

    at: Ns
    events: tuple[Event, ...] = ()
    puts: tuple[tuple[str, int, Row], ...] = ()
    deletes: tuple[tuple[str, str], ...] = ()
    actions: tuple[Action, ...] = ()
    references: tuple[Reference, ...] = ()
    evidence: tuple[EvidenceRow, ...] = ()
    tellers: tuple[str, ...] = ()
