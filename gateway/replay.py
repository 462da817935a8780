"""Replays a recording: the same rules, fed the same facts, come to the same records.

The records look like those in the ledger. `at_recorded` is when the turn was decided, for a replay
has no disk; everything else is as the gateway would have booked it that started, with the rows of
the head, when the recording began.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gateway.canonical import canonical
from gateway.engine import Engine
from gateway.model import Ns, Reference
from gateway.outcome import Outcome
from gateway.recording import End, Fed, Head, Known, Line, RuleRow, Woken
from gateway.rulebook import Surroundings, build_engine, pseudonym_key
from gateway.settings import Configuration
from gateway.store import booking
from gateway.store.words import StateRow


def replay(lines: Iterable[Line], configuration: Configuration) -> Iterator[bytes]:
    """The canonical JSON of every record that the recording leads to, in order.

    Rules and wiring are those of `configuration`. ConfigError if they do not fit the rows.
    """
    beginning = _Beginning()
    running: _Running | None = None
    for line in lines:
        if isinstance(line, Head | RuleRow | Known):
            beginning.take(line)
            continue
        if running is None:
            running = beginning.start(configuration)
        yield from running.step(line)


@dataclass
class _Beginning:
    """What a recording says before its first fact."""

    head: Head | None = None
    rows: dict[str, list[StateRow]] = field(default_factory=dict)
    known: list[Reference] = field(default_factory=list)

    def take(self, line: Head | RuleRow | Known) -> None:
        if isinstance(line, Head):
            self.head = line
        elif isinstance(line, Known):
            self.known.append(line.reference)
        else:
            self.rows.setdefault(line.rule, []).append(StateRow(line.schema, line.row))

    def start(self, configuration: Configuration) -> _Running:
        head = self.head
        assert head is not None, "a recording begins with its head"
        surroundings = Surroundings(
            configuration.site,
            head.epoch,
            head.boot,
            head.lateness_max_ns,
            head.last_alive,
            pseudonym_key(configuration),
        )
        engine = build_engine(configuration.rules, surroundings, self.rows, self.known)
        return _Running(engine, head, head.last_seq)


@dataclass
class _Running:
    """The engine, and the number of the last record."""

    engine: Engine
    head: Head
    seq: int

    def step(self, line: Fed | Woken | End) -> Iterator[bytes]:
        if isinstance(line, Fed):
            return self._records(self.engine.feed(line.at, line.fact))
        return self._records(self.engine.wake(line.at))

    def _records(self, outcomes: Sequence[Outcome]) -> Iterator[bytes]:
        for outcome in outcomes:
            for event in outcome.events:
                self.seq += 1
                head = booking.Head(
                    self.head.gateway,
                    self.head.epoch,
                    self.seq,
                    self._wall(outcome.at),
                    self.head.clock,
                )
                yield canonical(booking.record(event, head, self._wall))

    def _wall(self, at: Ns) -> str:
        return booking.utc(self.head.wall_unix_ns + at - self.head.at)
