"""How a recording begins and is cut, without a gateway that runs."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from gateway import recorder
from gateway.model import Ns, Stall
from gateway.recorder import record
from gateway.status import RefusedError


class Store:
    """Books a turn during each of the first `disturbed` reads."""

    def __init__(self, gateway: Any, disturbed: int) -> None:
        self.last_seq = 7
        self.reads = 0
        self._gateway = gateway
        self._disturbed = disturbed

    async def submit(self, outcomes: tuple[()]) -> asyncio.Future[None]:
        assert outcomes == ()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    async def read(self, question: Callable[[Any], Any]) -> Any:
        self.reads += 1
        self._gateway.feed(self.reads)
        if self.reads <= self._disturbed:
            self._gateway.booker.submitted_turns += 1
        reader = SimpleNamespace(state_rows=lambda _rule: (), references=lambda: ())
        return question(reader)


class Gateway(SimpleNamespace):
    """What a recorder looks at."""

    def feed(self, number: int) -> None:
        for tap in self.pipeline.taps:
            tap(number, Stall(number))


def gateway(disturbed: int = 0) -> Any:
    made = Gateway(
        pipeline=SimpleNamespace(taps=[], wake_taps=[]),
        booker=SimpleNamespace(submitted_turns=0),
        configuration=SimpleNamespace(gateway=SimpleNamespace(id="edge"), rules=()),
        surroundings=SimpleNamespace(epoch="e", boot="b", lateness_max_ns=0),
        clock=SimpleNamespace(now=lambda: 5),
        wall=SimpleNamespace(wall=lambda _at: (1, "synced")),
        engine=SimpleNamespace(now=9),
    )
    made.store = Store(made, disturbed)
    return made


async def recorded(from_gateway: Any, enough: asyncio.Event) -> list[bytes]:
    return [line async for line in record(from_gateway, enough)]


def ended() -> asyncio.Event:
    enough = asyncio.Event()
    enough.set()
    return enough


async def test_facts_from_the_first_moment_are_on_the_tape() -> None:
    head, *lines = await recorded(gateway(), ended())
    assert b'"last_seq":7' in head
    assert lines == [b'{"at":1,"fact":"Stall","span_ns":1}\n', b'{"end":9}\n']


async def test_a_turn_booked_while_rows_are_read_begins_it_anew() -> None:
    made = gateway(disturbed=2)
    _, *lines = await recorded(made, ended())
    assert made.store.reads == 3
    assert lines == [b'{"at":3,"fact":"Stall","span_ns":3}\n', b'{"end":9}\n']


async def test_a_gateway_that_never_pauses_is_not_recorded() -> None:
    made = gateway(disturbed=10**9)
    with pytest.raises(RefusedError, match="books too much"):
        await recorded(made, ended())
    assert made.pipeline.taps == []


async def test_a_reader_that_is_too_slow_gets_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "BACKLOG_BYTES_MAX", 1000)
    made, enough = gateway(), asyncio.Event()
    lines = record(made, enough)
    assert b"shelfgate_recording" in await anext(lines)
    for number in range(100):
        made.feed(number)
    rest = [line async for line in lines]
    assert all(not line.startswith(b'{"end"') for line in rest)
    assert sum(map(len, rest)) < 2000


async def test_wakes_are_recorded_between_facts() -> None:
    made, enough = gateway(), asyncio.Event()
    lines = record(made, enough)
    await anext(lines)
    wake: Callable[[Ns], None] = made.pipeline.wake_taps[0]
    wake(4)
    enough.set()
    assert [line async for line in lines][1:] == [b'{"wake":4}\n', b'{"end":9}\n']
