"""What the lines of a recording say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, get_args

from gateway.clock import ClockQuality
from gateway.model import Fact, Ns, Observation, Reference
from gateway.ports import Row

FORMAT = 1
"""Grows with every change that an older reader would misread."""

REFERENCES: dict[str, type] = {kind.__name__: kind for kind in get_args(Reference)}
FACTS: dict[str, type] = {kind.__name__: kind for kind in get_args(Observation)} | REFERENCES
"""All facts that the engine is fed, by the names that stand in a recording."""


@dataclass(frozen=True, slots=True)
class Head:
    """Whose recording it is, and what its rules were given besides facts.

    `at` is when it began, `wall_unix_ns` and `clock` the wall time of that moment and how far to
    trust it; `last_seq` the last record before it. See RuleContext for the rest.
    """

    gateway: str
    epoch: str
    boot: str
    at: Ns
    wall_unix_ns: int = 0
    clock: ClockQuality = "unsynced"
    last_seq: int = 0
    lateness_max_ns: Ns = 0
    last_alive: Ns | None = None


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A durable row that a rule had when the recording began."""

    rule: str
    schema: int
    key: str
    value: dict[str, Any]

    @property
    def row(self) -> Row:
        """As the rule takes it back."""
        return Row(self.key, self.value)


class Known(NamedTuple):
    """A reference fact that was known when the recording began."""

    reference: Reference


class Fed(NamedTuple):
    """The engine was fed this fact."""

    at: Ns
    fact: Fact


class Woken(NamedTuple):
    """The engine was woken."""

    at: Ns


class End(NamedTuple):
    """The recording ends here; without it, it was cut off."""

    at: Ns


Line: TypeAlias = Head | RuleRow | Known | Fed | Woken | End
