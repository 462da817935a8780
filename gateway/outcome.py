"""What one turn of the engine comes to: everything that must reach the disk together."""

from dataclasses import dataclass

from gateway.model import Action, Event, Ns, Reference
from gateway.ports import Row


@dataclass(frozen=True, slots=True)
class Outcome:
    """One turn, all or nothing. `puts` are (rule, schema, row), `deletes` are (rule, key)."""

    at: Ns
    events: tuple[Event, ...] = ()
    puts: tuple[tuple[str, int, Row], ...] = ()
    deletes: tuple[tuple[str, str], ...] = ()
    actions: tuple[Action, ...] = ()
    references: tuple[Reference, ...] = ()
