"""The one thread that writes.

Natural group commit: what arrives while a sync runs goes into the next transaction, whole jobs
only. Nobody waits for a timer, and the slower the disk, the larger the group.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from threading import Condition, Thread
from typing import Any, NamedTuple

from gateway.model import Alert
from gateway.outcome import Outcome
from gateway.ports import Clock
from gateway.store.ballast import Ballast
from gateway.store.database import DAMAGE, suspect_mark
from gateway.store.file import STORE_FULL, STORE_FULL_KEY, Job, StoreFile
from gateway.store.words import Committed, Opened, StoreFailed, StoreFull, StoreRefused, StoreSpent

GROUP_JOBS_MAX = 512
"""Jobs in one transaction: bounds how long the first of them waits for the last."""


class Task(NamedTuple):
    """A job and who waits for it. `books` if a full disk may refuse it, `alone` if it shares its
    transaction with nothing.
    """

    job: Job
    future: asyncio.Future[Any]
    books: bool = False
    alone: bool = False


class Writer:
    """Runs jobs on the store file in a thread of its own and reports back to the event loop."""

    def __init__(self, opener: Callable[[], StoreFile], clock: Clock) -> None:
        self._opener = opener
        self._clock = clock
        self.notify: Callable[[Committed], None] = lambda _: None
        self._loop = asyncio.get_running_loop()
        self._tasks: deque[Task] = deque()
        self._wake = Condition()
        self._closing = False
        self._alerted = self._full = self._spent = False
        self.opened: asyncio.Future[Opened] = self._loop.create_future()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._thread = Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    def put(self, task: Task) -> None:
        """Queue a task; whoever calls bounds how many there are."""
        with self._wake:
            if self.ended.done() or self._closing:
                task.future.set_exception(StoreFailed("the store is closed"))
                return
            self._tasks.append(task)
            self._wake.notify()

    async def close(self) -> None:
        """Do what is queued, then close; raises what the thread ended with."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.wait((self.ended,))
        self._thread.join()
        self.ended.result()

    def _work(self) -> None:
        """The thread."""
        try:
            file = self._opener()
        except Exception as error:  # noqa: BLE001 - whoever opens must hear of it
            self._call(self._fail_opening, error)
            return
        ballast = Ballast(file.path)
        ballast.lay()
        self._call(self.opened.set_result, file.opened)
        group: Sequence[Task] = ()
        try:
            self._alerted = file.declared_full
            while group := self._next_group():
                self._transact(file, ballast, group)
                file.checkpoint()
            file.close()
        except Exception as error:  # noqa: BLE001 - any error here ends the process
            file.abandon()
            if isinstance(error, DAMAGE):
                suspect_mark(file.path).touch()
            self._call(self._fail, error, group)
        else:
            self._call(self.ended.set_result, None)

    def _next_group(self) -> Sequence[Task]:
        """Wait for tasks; nothing when closing and all is done."""
        with self._wake:
            while not self._tasks and not self._closing:
                self._wake.wait()
            group: list[Task] = []
            while self._tasks and len(group) < GROUP_JOBS_MAX:
                if group and (self._tasks[0].alone or group[-1].alone):
                    break
                group.append(self._tasks.popleft())
            return group

    def _transact(self, file: StoreFile, ballast: Ballast, group: Sequence[Task]) -> None:
        """Commit a group; on a full disk, and ever after it, only what is not a booking."""
        if self._full:
            if ballast.has_room():
                self._spent = True
                self._declare_room(file, ballast)
            group = self._refuse_bookings(group)
        try:
            self._commit(file, group)
            if not self._full and any(task.books for task in group):
                self._declare_room(file, ballast)
        except StoreFull:
            self._declare_full(file, ballast)
            rest = self._refuse_bookings(group)
            try:
                self._commit(file, rest)
            except StoreFull as full:
                self._call(_refuse, rest, full)

    def _commit(self, file: StoreFile, group: Sequence[Task]) -> None:
        if group:
            results, committed = file.transact([task.job for task in group])
            self._call(self._report, group, results, committed)

    def _declare_full(self, file: StoreFile, ballast: Ballast) -> None:
        """Record once that there is no space, with the space held back for it."""
        self._full = True
        if not self._alerted:
            self._alerted = True
            ballast.release()
            with contextlib.suppress(StoreFull):
                self._book_alert(file, raised=True)

    def _declare_room(self, file: StoreFile, ballast: Ballast) -> None:
        """Record once that there is space again, in this run or in the one that comes after it."""
        if self._alerted:
            self._alerted = False
            ballast.lay()
            with contextlib.suppress(StoreFull):
                self._book_alert(file, raised=False)

    def _book_alert(self, file: StoreFile, *, raised: bool) -> None:
        now = self._clock.now()
        text = (
            f"no space left: nothing is booked after {file.mark.last_seq}"
            if raised
            else "there is space again; what was refused is found anew"
        )
        alert = Alert(STORE_FULL, STORE_FULL_KEY, raised, "critical", text, now)
        done = file.transact([lambda store: store.book((Outcome(now, (alert,)),))])
        self._call(self._tell, done.committed)

    def _refuse_bookings(self, group: Sequence[Task]) -> Sequence[Task]:
        """Refuse what a full disk may refuse; return the rest."""
        error = StoreSpent("there is space again") if self._spent else StoreFull("no space left")
        self._call(_refuse, [task for task in group if task.books], error)
        return [task for task in group if not task.books]

    def _report(self, group: Sequence[Task], results: Sequence[object], done: Committed) -> None:
        """On the event loop: all of it is on disk."""
        for task, result in zip(group, results, strict=True):
            if task.future.done():
                continue
            if isinstance(result, StoreRefused):
                task.future.set_exception(result)
            else:
                task.future.set_result(result)
        self.notify(done)

    def _tell(self, done: Committed) -> None:
        self.notify(done)

    def _fail(self, error: Exception, group: Sequence[Task]) -> None:
        """On the event loop: the store is gone, and nobody may believe otherwise."""
        failed = StoreFailed(f"store failed: {error!r}")
        failed.__cause__ = error
        with self._wake:
            rest = (*group, *self._tasks)
            self._tasks.clear()
            if not self.ended.done():
                self.ended.set_exception(failed)
        _refuse(rest, failed)

    def _fail_opening(self, error: Exception) -> None:
        self.ended.set_result(None)
        self.opened.set_exception(error)

    def _call(self, function: Callable[..., object], *args: object) -> None:
        """Run something on the event loop, if it is still there."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *args)


def _refuse(tasks: Sequence[Task], error: Exception) -> None:
    for task in tasks:
        if not task.future.done():
            task.future.set_exception(error)
