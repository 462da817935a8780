"""The store as the event loop sees it: group commit, waiting, failing, a full disk."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from gateway.model import (
    Alert,
    Badge,
    BookLine,
    BookStock,
    Item,
    Location,
    OrderReference,
    Pulse,
    ReferenceDeleted,
    ShowLight,
    Task,
)
from gateway.outcome import Outcome
from gateway.ports import Row
from gateway.store import (
    Clocks,
    Committed,
    HighWaterBeyondLast,
    Identity,
    Result,
    Store,
    StoreFailed,
    StoreReader,
)
from gateway.store.file import StoreFile
from gateway.store.outbox import next_outbox

MakeTurn = Callable[[int], Outcome]
OpenStore = Callable[..., Awaitable[Store]]


@dataclass
class Gate:
    """Holds the writer inside a transaction until told."""

    held: threading.Event
    release: threading.Event

    async def hold(self, store: Store) -> asyncio.Future[object]:
        def wait(_file: StoreFile) -> None:
            self.held.set()
            assert self.release.wait(10)

        future = await store._put(wait)
        assert await asyncio.to_thread(self.held.wait, 10)
        return future


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate(threading.Event(), threading.Event())
    yield made
    made.release.set()


async def test_submit_is_done_when_it_is_on_disk(
    store: Store, path: Path, make_turn: MakeTurn
) -> None:
    committed = await (await store.submit([make_turn(1), make_turn(2)]))
    assert (committed.first_seq, committed.last_seq) == (1, 2)
    assert committed.epoch == store.epoch
    reader = StoreReader(path)
    assert reader.records_after(0, 9) == committed.records
    assert {row.key for _, row in reader.state_rows("weight")} == {"shelf-1", "shelf-2"}
    assert reader.evidence(1) == {"reads": [1, 1.5, 0]}
    reader.close()


async def test_turn_without_events_takes_no_number(store: Store) -> None:
    turn = Outcome(1, puts=(("weight", 3, Row("cell", {"baseline_g": 5310.25})),))
    committed = await (await store.submit([turn]))
    assert (committed.first_seq, committed.last_seq, committed.records) == (1, 0, ())
    rows = await store.read(lambda reader: reader.state_rows("weight"))
    assert rows == ((3, Row("cell", {"baseline_g": 5310.25})),)


async def test_record_tells_its_times_and_how_good_the_clock_was(
    store: Store, make_turn: MakeTurn, clock: Any, wall: Any
) -> None:
    clock.at, wall.quality = 65 * 1_000_000_000 + 7_000_000, "unsynced"
    (record,) = (await (await store.submit([make_turn(1)]))).records
    body = json.loads(record.body)
    assert (body["clock"], body["at_recorded"]) == ("unsynced", "2026-09-21T14:14:25.007Z")
    assert body["at_event"] == "2026-09-21T14:13:21.000Z"
    (row,) = await store.read(lambda reader: reader.rows_after(0, 1))
    assert (row.recorded_ns, row.boot_id) == (clock.at, "boot-1")
    assert row.recorded_unix_ns == wall.boot_unix_ns + clock.at
    assert row.record == record


async def test_turns_that_wait_share_one_transaction(
    store: Store, gate: Gate, make_turn: MakeTurn
) -> None:
    told: list[Committed] = []
    store.observe(told.append)
    await gate.hold(store)
    futures = [await store.submit([make_turn(number)]) for number in range(1, 21)]
    assert not any(future.done() for future in futures)
    gate.release.set()
    done = await asyncio.gather(*futures)
    assert [committed.first_seq for committed in done] == list(range(1, 21))
    assert [len(committed.records) for committed in told] == [0, 20]


async def test_group_never_splits_a_submission(
    store: Store, gate: Gate, make_turn: MakeTurn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.writer.GROUP_JOBS_MAX", 2)
    told: list[Committed] = []
    store.observe(told.append)
    await gate.hold(store)
    futures = [await store.submit([make_turn(7 * job + n) for n in range(7)]) for job in range(5)]
    gate.release.set()
    await asyncio.gather(*futures)
    assert [len(committed.records) for committed in told] == [0, 14, 14, 7]


async def test_numbers_are_gap_free_under_concurrency(store: Store, make_turn: MakeTurn) -> None:
    told: list[int] = []
    store.observe(lambda committed: told.extend(record.seq for record in committed.records))

    async def work(task: int) -> None:
        for number in range(30):
            done = await (await store.submit([make_turn(task), make_turn(number)]))
            await store.acknowledge(store.epoch.uuid, done.first_seq)

    await asyncio.gather(*(work(task) for task in range(8)))
    assert told == list(range(1, 481))
    kept = await store.records_after(0, 1000)
    assert [json.loads(record.body)["seq"] for record in kept] == told
    assert (await store.verify()).ok


async def test_new_epoch_shares_no_transaction(
    store: Store, gate: Gate, make_turn: MakeTurn
) -> None:
    told: list[Committed] = []
    store.observe(told.append)
    old = store.epoch
    await gate.hold(store)
    before = await store.submit([make_turn(1)])
    starting = asyncio.create_task(store.start_epoch("restored"))
    await asyncio.sleep(0)
    after = await store.submit([make_turn(2)])
    gate.release.set()
    new = await starting
    assert ((await before).epoch, (await before).last_seq) == (old, 1)
    assert ((await after).epoch, (await after).first_seq) == (new, 2)
    for committed in told:
        uuids = {json.loads(record.body)["epoch"] for record in committed.records}
        assert uuids <= {committed.epoch.uuid}


async def test_submit_waits_while_the_queue_is_full(
    open_store: OpenStore, gate: Gate, make_turn: MakeTurn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.store.QUEUE_JOBS_MAX", 3)
    store = await open_store()
    await gate.hold(store)
    for number in (1, 2):
        await store.submit([make_turn(number)])
    waiting = asyncio.create_task(store.submit([make_turn(3)]))
    await asyncio.sleep(0)
    assert not waiting.done()
    gate.release.set()
    assert (await (await waiting)).last_seq == 3


async def test_what_was_not_committed_is_not_there_after_a_crash(
    file: StoreFile, open_store_file: Callable[..., StoreFile], make_turn: MakeTurn
) -> None:
    """The process dies inside a transaction: its turns are gone whole, state rows too."""

    def die(store: StoreFile) -> None:
        store.book([make_turn(2)])
        raise KeyboardInterrupt

    file.transact([lambda store: store.book([make_turn(1)])])
    with pytest.raises(KeyboardInterrupt):
        file.transact([die])
    assert file.mark.last_seq == 1
    again = open_store_file()
    assert again.mark.last_seq == 1
    assert again._connection.execute("SELECT count(*) FROM state").get == 1


async def test_references_alerts_and_actions_are_read_back(store: Store) -> None:
    item = Item("M6-NUT", "nut", 2500, 30, "pcs", ("3034",), version=2)
    book = BookStock("dock", (BookLine("M6-NUT", 4, "pcs", 2), BookLine("X", -1)), version=5)
    badge = Badge("B-17", "ann", "(8018)950600013435200005", "b0a0", 3)
    raised = Alert("reader_down", "dock-1", raised=True, severity="warning", text="x", at_event=1)
    first = Outcome(
        1,
        events=(raised, Alert("hot", "box", raised=True, severity="info", text="y", at_event=1)),
        actions=(
            ShowLight("dock-1:a", "red", "fast", 3),
            ShowLight("dock-1:b", "green"),
            Pulse("shelf-1", "zero", "shelf-1:1"),
        ),
        references=(item, book, Location("dock"), Location("gone"), badge),
    )
    second = Outcome(
        2,
        events=(Alert("hot", "box", raised=False, severity="info", text="", at_event=2),),
        actions=(ShowLight("dock-1:b"), ShowLight("dock-1:c", "red", lasting=False)),
        references=(ReferenceDeleted("location", "gone"),),
    )
    committed = await (await store.submit([first, second]))
    assert committed.actions[0] == ShowLight("dock-1:a", "red", "fast", 3)
    assert committed.actions[2][2:] == ("zero", "shelf-1:1", "pending")
    assert await store.read(StoreReader.references) == (badge, book, item, Location("dock"))
    assert await store.read(StoreReader.shown) == (ShowLight("dock-1:a", "red", "fast", 3),)
    (kept,) = await store.read(StoreReader.alerts)
    assert (kept.alert.code, kept.seq) == ("reader_down", 1)


async def test_tasks_outlive_a_restart_as_they_were_amended(open_store: OpenStore) -> None:
    order = OrderReference("erp", "so", "4711", "10")
    amended = Task(
        code="T-1",
        kind="issue",
        order=order,
        item="M6-NUT",
        quantity=2,
        from_location="A-1",
        lot="L7",
        serials=("3034", "3035"),
        tolerance_pieces=1,
        policy="strict",
        due_s=1_795_512_600,
        version=2,
    )
    gone = Task("T-2", "receipt", order, "M6-NUT", 1, to_location="A-1", version=1)
    store = await open_store()
    await (
        await store.submit(
            [
                Outcome(1, references=(replace(amended, quantity=5, version=1), gone)),
                Outcome(2, references=(amended, ReferenceDeleted("task", "T-2"))),
            ]
        )
    )
    await store.close()
    store = await open_store()
    assert await store.read(StoreReader.references) == (amended,)
    await store.close()


async def test_store_knows_how_much_is_in_quarantine(
    open_store: OpenStore, make_turn: MakeTurn
) -> None:
    store = await open_store()
    committed = await (await store.submit([make_turn(1), make_turn(2)]))
    assert committed.quarantined == store.quarantined == 0
    results = [Result(1, "rejected", None, "no"), Result(2, "conflict", None, "no")]
    await store.acknowledge(store.epoch.uuid, 2, results)
    assert store.quarantined == 2
    await store.close()
    store = await open_store()
    assert store.quarantined == store.opened.quarantined == 2
    await store.requeue(1)
    assert store.quarantined == 1
    await store.start_epoch("restored")
    kept = await store.read(StoreReader.quarantined)
    assert store.quarantined == len(kept) > 1
    await store.close()


async def test_status_tells_what_waits(store: Store, make_turn: MakeTurn) -> None:
    await (await store.submit([make_turn(1), make_turn(2), make_turn(3)]))
    await store.acknowledge(store.epoch.uuid, 1, [Result(1, "rejected", None, "no")])
    status = await store.read(StoreReader.status)
    assert (status.last_seq, status.high_water, status.unsettled) == (4, 1, 3)
    assert status.quarantined == 1
    assert status.oldest_unsettled_unix_ns == 1_790_000_005 * 1_000_000_000
    assert status.file_bytes > 0 < status.wal_bytes
    assert status.free_bytes > 0


async def test_restored_store_numbers_anew(store: Store, make_turn: MakeTurn) -> None:
    await (await store.submit([make_turn(1), make_turn(2)]))
    old = store.epoch
    with pytest.raises(HighWaterBeyondLast):
        await store.acknowledge(old.uuid, 3)
    epoch = await store.start_epoch("restored")
    assert store.epoch == epoch != old
    assert (store.last_seq, store.high_water) == (1, 0)
    assert store.next_epoch() == epoch
    assert (await (await store.submit([make_turn(3)]))).first_seq == 2


async def test_outbox_tells_delivery_what_it_needs(store: Store, make_turn: MakeTurn) -> None:
    outbox = next_outbox(store)
    assert outbox.epoch == store.epoch.uuid
    assert outbox.bounds() == (1, 0, 0)
    waiting = asyncio.create_task(outbox.recorded_beyond(1))
    for number in (1, 2):
        await (await store.submit([make_turn(number)]))
    assert await waiting == 2
    await outbox.acknowledge(outbox.epoch, 2, [])
    assert outbox.bounds() == (1, 2, 2)
    assert [record.seq for record in await outbox.records_after(1, 9)] == [2]
    assert await store.prune(1 << 62) == 2
    assert outbox.bounds() == (3, 2, 2)
    assert not outbox.drained


async def test_outbox_of_old_epoch_drains_first(
    store: Store, identity: Identity, clocks: Clocks, path: Path, make_turn: MakeTurn
) -> None:
    await (await store.submit([make_turn(1), make_turn(2)]))
    old = store.epoch.uuid
    await store.close()
    other = Identity(identity.gateway, "machine-b", identity.boot_id)
    moved = await Store.open(path, other, clocks)
    outbox = next_outbox(moved)
    assert (outbox.epoch, outbox.bounds(), outbox.drained) == (old, (1, 2, 0), False)
    await outbox.acknowledge(old, 2, [])
    assert outbox.drained
    assert next_outbox(moved).epoch == moved.epoch.uuid
    await moved.prune(0)
    assert outbox.drained
    await moved.close()


async def test_closed_store_takes_nothing(open_store: OpenStore, make_turn: MakeTurn) -> None:
    store = await open_store()
    await (await store.submit([make_turn(1)]))
    await store.close()
    with pytest.raises(StoreFailed, match="closed"):
        await (await store.submit([make_turn(2)]))


async def test_close_does_what_is_queued(
    open_store: OpenStore, gate: Gate, make_turn: MakeTurn
) -> None:
    store = await open_store()
    await gate.hold(store)
    future = await store.submit([make_turn(1)])
    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    gate.release.set()
    await closing
    assert (await future).last_seq == 1
    again = await open_store()
    assert again.opened.clean
    assert again.last_seq == 1
