"""From the real store through a real broker to the reference core, and back."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gateway.model import NS_PER_S, Movement
from gateway.outcome import Outcome
from gateway.store import Clocks, Identity, Store, StoreReader
from simulators.core.book import Book
from simulators.core.contract import Position, load_contract
from simulators.core.desk import Desk
from simulators.core.record import Rules
from simulators.core.service import Connection, Core
from tests.fault_proxy import FaultProxy
from tests.gateway.uplink.conftest import Mosquitto
from tests.gateway.uplink.peers import Gateway, stop
from tests.polling import until

pytestmark = pytest.mark.server

WALL_OF_BOOT_NS = 1_790_000_000 * NS_PER_S


class StillTime:
    """Boot time and wall time that stand still."""

    def now(self) -> int:
        return 5 * NS_PER_S

    def wall(self, at: int) -> tuple[int, Any]:
        return WALL_OF_BOOT_NS + at, "synced"


def turn(number: int) -> Outcome:
    movement = Movement(
        movement_id=f"movement-{number}",
        kind="issue",
        reason="pick",
        item="BAD" if number % 10 == 0 else "M6-NUT",
        quantity=1,
        uom="pcs",
        from_location="shelf-1",
        to_location="unknown",
        at_event=number,
        at_decided=number + 1,
        confidence_permille=987,
    )
    return Outcome(at=number, events=(movement,))


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Store]:
    time = StillTime()
    store = await Store.open(path, Identity("edge-1", "machine-a", "boot-1"), Clocks(time, time))
    try:
        yield store
    finally:
        await store.close()


async def book_turns(store: Store, first: int, last: int) -> None:
    futures = [await store.submit([turn(number)]) for number in range(first, last + 1)]
    await asyncio.gather(*futures)


def reject_bad(data: Mapping[str, Any]) -> str | None:
    return "item is not known: BAD" if data.get("item") == "BAD" else None


@asynccontextmanager
async def serving(port: int, path: Path) -> AsyncIterator[Book]:
    book = Book(path, Rules(reject=reject_bad))
    core = Core(
        Desk(book, load_contract(), "site-1", Random(1)),
        Connection(port=port, version=5),
        Random(2),
        lambda _report: None,
    )
    task = asyncio.create_task(core.run())
    try:
        yield book
    finally:
        await stop(task)
        book.close()


def restore(copy: Path, path: Path) -> None:
    """Put an older copy of a store in its place."""
    for side in path.parent.glob(f"{path.name}-*"):
        side.unlink()
    shutil.copy(copy, path)


def statuses(book: Book, epoch: str) -> list[str]:
    return [result.status for result in book.results(Position("edge-1", epoch, 1), 10_000)]


async def test_movements_of_the_store_are_booked_once_each(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    await mosquitto.start("allow_anonymous true", "set_tcp_nodelay true")
    async with (
        opened(tmp_path / "gateway.db") as store,
        FaultProxy(mosquitto.port) as proxy,
        serving(mosquitto.port, tmp_path / "core.db") as book,
        Gateway(proxy.port, store),
    ):
        epoch = store.epoch.uuid
        for first in range(1, 200, 50):
            await book_turns(store, first, first + 49)
            await until(lambda first=first: book.hw("edge-1", epoch) >= first)
            proxy.cut()
        await until(lambda: store.high_water == 220)  # each that is rejected is told by an alert
        assert statuses(book, epoch).count("rejected") == 20
        assert statuses(book, epoch).count("accepted") == 200
        assert book.stock() == book.recount()
        quarantined = await store.read(StoreReader.quarantined)
        assert [json.loads(row.body)["item"] for row in quarantined] == ["BAD"] * 20
        assert "incident" not in str(book.incidents())
        assert book.incidents() == []


async def test_core_set_back_gets_its_last_hour_again(mosquitto: Mosquitto, tmp_path: Path) -> None:
    await mosquitto.start()
    async with opened(tmp_path / "gateway.db") as store, Gateway(mosquitto.port, store):
        epoch = store.epoch.uuid
        async with serving(mosquitto.port, tmp_path / "core.db") as book:
            await book_turns(store, 1, 60)
            await until(lambda: store.high_water == 66)
            book.lose(25)
            assert book.hw("edge-1", epoch) == 41
        async with serving(mosquitto.port, tmp_path / "core.db") as book:
            await until(lambda: book.hw("edge-1", epoch) == 66)
            await book_turns(store, 61, 65)
            await until(lambda: store.high_water == 71)
            assert book.stock() == book.recount()


async def test_gateway_set_back_begins_a_new_epoch_and_goes_on(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    await mosquitto.start()
    path, copy = tmp_path / "gateway.db", tmp_path / "copy.db"
    async with serving(mosquitto.port, tmp_path / "core.db") as book:
        async with opened(path) as store:
            await book_turns(store, 1, 10)
        shutil.copy(path, copy)
        async with opened(path) as store, Gateway(mosquitto.port, store):
            first = store.epoch.uuid
            await book_turns(store, 11, 30)
            await until(lambda: store.high_water == 33)
        restore(copy, path)
        async with opened(path) as store, Gateway(mosquitto.port, store) as gateway:
            assert store.epoch.uuid == first
            await until(lambda: store.epoch.uuid != first)
            await book_turns(store, 31, 35)
            second = store.epoch.uuid
            await until(lambda: store.last_seq == store.high_water >= 5)
            assert book.hw("edge-1", second) == store.last_seq
            assert book.hw("edge-1", first) == 33
            assert "ledger_went_back" in {alarm.code for alarm in gateway.alarms}


async def test_record_that_cannot_pass_is_kept_aside_on_both_sides(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    await mosquitto.start()
    async with (
        opened(tmp_path / "gateway.db") as store,
        serving(mosquitto.port, tmp_path / "core.db") as book,
        Gateway(mosquitto.port, store, packet_max_bytes=4096) as gateway,
    ):
        epcs = tuple(f"30340242201d8840{number:08x}" for number in range(200))
        large = Movement(**{**_fields(turn(2)), "epcs": epcs})
        futures = [
            await store.submit([outcome])
            for outcome in (turn(1), Outcome(at=2, events=(large,)), turn(3))
        ]
        await asyncio.gather(*futures)
        await until(lambda: store.high_water == 3)
        assert statuses(book, store.epoch.uuid) == ["accepted", "rejected", "accepted"]
        (row,) = await store.read(StoreReader.quarantined)
        assert (row.seq, row.cause) == (2, "rejected")
        assert gateway.counts["uplink_records_withheld"] >= 1


def _fields(outcome: Outcome) -> dict[str, Any]:
    (movement,) = outcome.events
    return {name: getattr(movement, name) for name in Movement.__slots__}
