"""Reports and events on their way to the client: held, late, lost, or sent twice."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Protocol

from simulators.llrp.faults import Faults
from simulators.llrp.wire import MessageType

HELD_MAX = 20_000
"""Messages kept while the client is away, holds, or does not read: minutes at 300 reads/s."""

LEVEL_WARNING_PERMILLE = 800
RECENT_MAX = 20
"""Reports remembered so that some can be sent twice after a reconnect."""


class Link(Protocol):
    """The way out: one connected client."""

    @property
    def writable(self) -> bool:
        """Whether the client takes more bytes now."""
        ...

    def send_unasked(self, message_type: int, body: bytes) -> None:
        """Send a report or an event under a fresh message id."""
        ...


class Outbox:
    """A bounded queue in front of the one client. What finds no room is lost and counted."""

    def __init__(
        self,
        faults: Faults,
        random: Random,
        now: Callable[[], float],
        later: Callable[[float, Callable[[], None]], object],
        held_max: int = HELD_MAX,
    ) -> None:
        self.faults = faults
        self.lost = 0
        self.holding = False
        self.on_overflow: Callable[[], bytes | None] = lambda: None
        self.on_level: Callable[[int], bytes | None] = lambda _percent: None
        self._random = random
        self._now = now
        self._later = later
        self._held_max = held_max
        self._held: deque[tuple[int, bytes]] = deque()
        self._recent: deque[bytes] = deque(maxlen=RECENT_MAX)
        self._link: Link | None = None
        self._not_before_s = 0.0
        self._overflowed = False
        self._warned = False

    def __len__(self) -> int:
        return len(self._held)

    def connect(self, link: Link, *, holding: bool) -> None:
        """Let messages flow to a new client, at once or (holding) after `release`."""
        self._link = link
        self.holding = holding
        for body in list(self._recent):
            if self.faults.strikes("duplicate", self._random):
                self._enqueue(MessageType.RO_ACCESS_REPORT, body)
        self.flush()

    def disconnect(self) -> None:
        """Keep what comes from now on."""
        self._link = None

    def release(self) -> None:
        """End the holding: everything held leaves in one burst."""
        self.holding = False
        self.flush()

    def report(self, body: bytes) -> None:
        """Take an RO_ACCESS_REPORT."""
        if self.faults.strikes("drop", self._random):
            return
        if self.faults.strikes("delay", self._random):
            late_s = self._random.uniform(0.0, self.faults.delay_max_s)
            self._not_before_s = max(self._not_before_s, self._now() + late_s)
            self._later(late_s, self.flush)
        self._put(MessageType.RO_ACCESS_REPORT, body)

    def event(self, body: bytes) -> None:
        """Take a READER_EVENT_NOTIFICATION."""
        self._put(MessageType.READER_EVENT_NOTIFICATION, body)

    def flush(self) -> None:
        """Send what is waiting, as far as the client takes it."""
        while self._held and (link := self._open()):
            self._send(link, *self._held.popleft())
        if not self._held:
            self._overflowed = False
            self._warned = False

    def clear(self) -> None:
        """Forget what is waiting, as a reader does that loses its power."""
        self._held.clear()
        self._recent.clear()

    def _open(self) -> Link | None:
        link = self._link
        if link is None or self.holding or self._now() < self._not_before_s:
            return None
        return link if link.writable else None

    def _put(self, message_type: int, body: bytes) -> None:
        link = self._open()
        if link is not None and not self._held:
            self._send(link, message_type, body)
        else:
            self._enqueue(message_type, body)
            self.flush()

    def _send(self, link: Link, message_type: int, body: bytes) -> None:
        if message_type == MessageType.RO_ACCESS_REPORT:
            self._recent.append(body)
        link.send_unasked(message_type, body)

    def _enqueue(self, message_type: int, body: bytes) -> None:
        if len(self._held) >= self._held_max:
            self.lost += 1
            self._note_overflow()
            return
        self._held.append((message_type, body))
        permille = 1000 * len(self._held) // self._held_max
        if permille >= LEVEL_WARNING_PERMILLE and not self._warned:
            self._warned = True
            warning = self.on_level(permille // 10)
            if warning is not None:
                self._held.append((MessageType.READER_EVENT_NOTIFICATION, warning))

    def _note_overflow(self) -> None:
        if self._overflowed:
            return
        self._overflowed = True
        notice = self.on_overflow()
        if notice is not None:
            self._held.append((MessageType.READER_EVENT_NOTIFICATION, notice))
