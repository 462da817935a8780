"""The store as the event loop sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from gateway.clock import Anchor
from gateway.model import Ns
from gateway.outcome import Outcome
from gateway.ports import Record
from gateway.store.database import Opening
from gateway.store.delivery import QUARANTINE_ROWS_MAX
from gateway.store.file import Job, open_file
from gateway.store.reading import StoreReader
from gateway.store.words import (
    Clocks,
    Committed,
    Epoch,
    Identity,
    NewEpoch,
    PulseStatus,
    Settled,
    StoreRefused,
    VerifyReport,
    Window,
)
from gateway.store.writer import Task, Writer
from gateway.uplink.outbox import Result

T = TypeVar("T")

QUEUE_JOBS_MAX = 1024
"""Jobs waiting for the disk: two groups. Beyond it whoever submits waits: the disk is the limit."""

SETTLED_ROWS_MAX = 2_000_000
"""Settled records kept at most, about 3 GB, whatever the clock says of their age."""


class Store:
    """Books what turns come to, and answers what is booked.

    Nothing may leave the box before the future of its turn is done. Any failure but a full disk is
    final: `failure` raises StoreFailed, and so does everything asked from then on. `quarantined` is
    the number of records that the core did not take and nobody has booked anew.
    """

    def __init__(self, path: Path, writer: Writer, opening: Opening) -> None:
        """Use `open`."""
        self._path = path
        self._opening = opening
        self._writer = writer
        self._room = asyncio.Semaphore(QUEUE_JOBS_MAX)
        self._observers: list[Callable[[Committed], None]] = []
        self._reading = ThreadPoolExecutor(1, "store-read")
        self._reader: StoreReader | None = None
        self.opened = writer.opened.result()
        self.epoch = self.opened.epoch
        self.quarantined = self.opened.quarantined
        self._windows = {window.epoch.uuid: window for window in self.opened.windows}
        self._committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        writer.notify = self._notice

    @classmethod
    async def open(
        cls, path: Path, identity: Identity, clocks: Clocks, opening: Opening | None = None
    ) -> Store:
        """Open the file at `path`, or make it. Its folder must exist.

        StoreFailed if it was made by a newer version or SQLite does not obey; OSError and
        apsw.Error if the disk does not let us. A damaged file is set aside: see `opened`.
        """
        how = opening or Opening()
        writer = Writer(lambda: open_file(path, identity, clocks, how), clocks.boot)
        await writer.opened
        return cls(path, writer, how)

    def observe(self, observer: Callable[[Committed], None]) -> None:
        """Call `observer` on the event loop after each transaction, in order of seq."""
        self._observers.append(observer)

    @property
    def last_seq(self) -> int:
        """The last number that is on disk."""
        return self.window(self.epoch.uuid).last_seq

    @property
    def high_water(self) -> int:
        """The last number of this epoch that the core has."""
        return self.window(self.epoch.uuid).high_water

    def window(self, epoch: str) -> Window:
        """What of an epoch is on disk and delivered. StoreRefused if it is not to be delivered."""
        window = self._windows.get(epoch)
        if window is None:
            raise StoreRefused(f"{epoch} is no epoch that is delivered")
        return window

    def next_epoch(self) -> Epoch:
        """What is to be delivered next: the oldest epoch with something unsettled."""
        for window in self._windows.values():
            if window.high_water < window.last_seq:
                return window.epoch
        return self.epoch

    async def next_commit(self) -> None:
        """Wait until another transaction is on disk."""
        await asyncio.shield(self._committed)

    async def submit(self, outcomes: Sequence[Outcome]) -> asyncio.Future[Committed]:
        """Queue turns to be booked in one transaction; waits while the queue is full.

        The future ends when they are on disk, or with StoreFull when there is no space, or with
        StoreFailed.
        """
        turns = tuple(outcomes)
        return await self._put(lambda file: file.book(turns), books=True)

    async def acknowledge(
        self,
        epoch: str,
        high_water: int,
        results: Sequence[Result] = (),
    ) -> Settled:
        """Settle what the core has committed, in one transaction; lower marks change nothing.

        HighWaterBeyondLast if the core holds more than we do: then `start_epoch("restored")`.
        StoreRefused for an epoch that is not ours.
        """
        told = tuple(results)
        settled: Settled = await (
            await self._put(lambda file: file.acknowledge(epoch, high_water, told))
        )
        window = self._windows.get(epoch)
        if window is not None:
            self._windows[epoch] = window._replace(
                high_water=max(window.high_water, settled.high_water)
            )
        return settled

    async def requeue(self, seq: int, epoch: str | None = None) -> Record:
        """Book a quarantined record anew. StoreRefused if it is not in quarantine."""
        uuid = epoch or self.epoch.uuid
        record: Record = await (await self._put(lambda file: file.requeue(uuid, seq)))
        return record

    async def acknowledge_alert(
        self, key: str, actor: str, note: str | None = None
    ) -> tuple[str, ...]:
        """Note who has seen the alerts of that key; their codes. StoreRefused if none stands."""
        job = await self._put(lambda file: file.acknowledge_alert(key, actor, note))
        codes: tuple[str, ...] = await job
        return codes

    async def remind(self, pause_ns: Ns) -> int:
        """Tell the alerts again that nobody has seen and that were told so long ago; how many."""
        job = await self._put(lambda file: file.remind(pause_ns))
        count: int = await job
        return count

    async def start_epoch(self, reason: NewEpoch) -> Epoch:
        """Number anew. "restored": the core knows this epoch further than we do."""
        job = await self._put(lambda file: file.begin_epoch(reason), alone=True)
        epoch: Epoch = await job
        self._take(await self.read(StoreReader.windows))
        return epoch

    async def prune(self, before_unix_ns: int, keep_rows: int = SETTLED_ROWS_MAX) -> int:
        """Delete a few hundred of the settled records older than that; return how many.

        Call it again while it deletes some, with a pause in between.
        """
        job = await self._put(lambda file: file.prune(before_unix_ns, keep_rows))
        count: int = await job
        self._take(await self.read(StoreReader.windows))
        return count

    async def prune_quarantine(
        self, before_unix_ns: int, keep_rows: int = QUARANTINE_ROWS_MAX
    ) -> int:
        """Forget a few hundred quarantined records older than that, or beyond `keep_rows`, that
        nobody booked anew; return how many. Call it again while it forgets some.
        """
        job = await self._put(lambda file: file.prune_quarantine(before_unix_ns, keep_rows))
        count: int = await job
        return count

    async def mark_pulse(self, pulse_id: int, status: PulseStatus) -> None:
        """Note how far a pulse has come: `sent` before it is sent. StoreRefused if it was."""
        await (await self._put(lambda file: file.mark_pulse(pulse_id, status)))

    async def put_anchor(self, anchor: Anchor) -> None:
        """Keep one moment on both clocks."""
        await (await self._put(lambda file: file.put_anchor(anchor)))

    async def read(self, question: Callable[[StoreReader], T]) -> T:
        """Ask the reader something; never waits for the disk of the writer."""

        def ask() -> T:
            if self._reader is None:
                self._reader = StoreReader(self._path, self._opening)
            return question(self._reader)

        return await asyncio.get_running_loop().run_in_executor(self._reading, ask)

    async def records_after(
        self, seq: int, limit: int, epoch: str | None = None
    ) -> tuple[Record, ...]:
        """The next records above `seq`, of the current epoch unless another is named."""
        return await self.read(lambda reader: reader.records_after(seq, limit, epoch))

    async def read_apart(self, question: Callable[[StoreReader], T]) -> T:
        """Ask something that may take seconds, of a reader of its own: no other question waits."""

        def ask() -> T:
            reader = StoreReader(self._path, self._opening)
            try:
                return question(reader)
            finally:
                reader.close()

        return await asyncio.to_thread(ask)

    async def verify(self) -> VerifyReport:
        """Check the whole file in the background. See verify.full_check."""
        return await self.read_apart(StoreReader.verify)

    async def failure(self) -> None:
        """Wait until the store is closed; StoreFailed if it failed."""
        await asyncio.shield(self._writer.ended)

    async def close(self) -> None:
        """Do what is queued and close; StoreFailed if the store had failed."""
        reader, self._reader = self._reader, None
        if reader is not None:
            await asyncio.get_running_loop().run_in_executor(self._reading, reader.close)
        self._reading.shutdown()
        await self._writer.close()

    async def _put(
        self, job: Job, *, books: bool = False, alone: bool = False
    ) -> asyncio.Future[Any]:
        await self._room.acquire()
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda _: self._room.release())
        self._writer.put(Task(job, future, books, alone))
        return future

    def _notice(self, committed: Committed) -> None:
        """A transaction is on disk."""
        epoch, last = committed.epoch, committed.last_seq
        self.quarantined = committed.quarantined
        if epoch != self.epoch:
            self.epoch = epoch
            self._windows[epoch.uuid] = Window(epoch, 1, last, 0)
        elif committed.records:
            self._windows[epoch.uuid] = self.window(epoch.uuid)._replace(last_seq=last)
        for observer in self._observers:
            observer(committed)
        self._committed.set_result(None)
        self._committed = asyncio.get_running_loop().create_future()

    def _take(self, windows: Sequence[Window]) -> None:
        """Take over what was read, unless a later commit has told more."""
        for window in windows:
            uuid = window.epoch.uuid
            now = self._windows.get(uuid, window)
            self._windows[uuid] = window._replace(
                last_seq=max(window.last_seq, now.last_seq),
                high_water=max(window.high_water, now.high_water),
            )
        listed = {window.epoch.uuid for window in windows}
        for uuid, window in self._windows.items():
            if uuid not in listed and uuid != self.epoch.uuid:
                self._windows[uuid] = window._replace(high_water=window.last_seq)
