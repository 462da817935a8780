"""Records the running gateway: taps what the engine is fed, and hands out lines."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from gateway.assembly import Gateway
from gateway.model import Fact, Ns, Reference
from gateway.recording import Head, end_line, fact_line, head_line, known_line, row_line, wake_line
from gateway.status import RefusedError
from gateway.store.words import StateRow

BACKLOG_BYTES_MAX = 32 * 1024 * 1024
"""Lines that wait for a slow reader: ten minutes of a busy site. Beyond it the recording is cut."""

BEGIN_ATTEMPTS_MAX = 50
"""A beginning needs a moment without a commit; on the busiest site most of them are."""


async def record(gateway: Gateway, enough: asyncio.Event) -> AsyncGenerator[bytes, None]:
    """The lines of a recording from now until `enough`; without an end line it was cut off."""
    tape = _Tape()
    gateway.pipeline.taps.append(tape.fact)
    gateway.pipeline.wake_taps.append(tape.wake)
    try:
        for line in await _beginning(gateway, tape):
            yield line
        while not enough.is_set() and not tape.cut:
            for line in tape.take():
                yield line
            await tape.wait(enough)
        if not tape.cut:
            for line in tape.take():
                yield line
            yield end_line(gateway.engine.now)
    finally:
        gateway.pipeline.taps.remove(tape.fact)
        gateway.pipeline.wake_taps.remove(tape.wake)


class _Tape:
    """Lines that were recorded and not yet taken."""

    def __init__(self) -> None:
        self.cut = False
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()

    def fact(self, at: Ns, fact: Fact) -> None:
        self._add(fact_line(at, fact))

    def wake(self, at: Ns) -> None:
        self._add(wake_line(at))

    def take(self) -> list[bytes]:
        lines = list(self._lines)
        self.clear()
        return lines

    def clear(self) -> None:
        self._lines.clear()
        self._bytes = 0
        self._filled.clear()

    async def wait(self, enough: asyncio.Event) -> None:
        """Until there is a line to take, or `enough`."""
        waits = [asyncio.create_task(event.wait()) for event in (self._filled, enough)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _add(self, line: bytes) -> None:
        if self.cut:
            return
        self._bytes += len(line)
        self.cut = self._bytes > BACKLOG_BYTES_MAX
        self._lines.append(line)
        self._filled.set()


async def _beginning(gateway: Gateway, tape: _Tape) -> list[bytes]:
    """Head, rows and references as of the moment from which on the tape has everything.

    A turn that is booked while they are read may or may not be in the rows, and its facts are on
    the tape: then it begins again. RefusedError if there is never a quiet moment.
    """
    rules = gateway.configuration.rules
    for _ in range(BEGIN_ATTEMPTS_MAX):
        tape.clear()
        turns = gateway.booker.submitted_turns
        head = _head(gateway)
        await (await gateway.store.submit(()))
        found = await gateway.store.read(
            lambda reader: _Found(
                {rule.name: reader.state_rows(rule.name) for rule in rules}, reader.references()
            )
        )
        if turns == gateway.booker.submitted_turns:
            return list(_lines(replace(head, last_seq=gateway.store.last_seq), found))
    raise RefusedError("the gateway books too much to begin a recording; try again")


def _head(gateway: Gateway) -> Head:
    """A replay begins like a gateway that starts anew at this moment."""
    now, told = gateway.clock.now(), gateway.surroundings
    wall_unix_ns, quality = gateway.wall.wall(now)
    return Head(
        gateway=gateway.configuration.gateway.id,
        epoch=told.epoch,
        boot=told.boot,
        at=now,
        wall_unix_ns=wall_unix_ns,
        clock=quality,
        lateness_max_ns=told.lateness_max_ns,
        last_alive=now if gateway.store.last_seq else None,
    )


class _Found(NamedTuple):
    """What the store held when the recording began."""

    rows: Mapping[str, Sequence[StateRow]]
    references: Sequence[Reference]


def _lines(head: Head, found: _Found) -> Iterator[bytes]:
    yield head_line(head)
    for rule, rows in found.rows.items():
        for stored in rows:
            yield row_line(rule, stored.schema, stored.row)
    for reference in found.references:
        yield known_line(reference)
