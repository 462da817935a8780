"""One conversation with a reader: who may speak first, which answer belongs to which request.

Two rules. The client says nothing before the reader's ConnectionAttemptEvent (LLRP 1.1 section
20.1.1). An answer belongs to the request of the same message id, and every request ends: with its
answer, a refusal, a time-out, or the connection.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from gateway.ports import Counter, LinkError, ProtocolError

from . import control
from .frames import frame_of, id_of, shown, type_of
from .report import RO_ACCESS_REPORT

BAD_FRAMES_MAX = 10
"""Bad frames in a row after which the connection is made anew: one is a quirk, ten are garbage."""

MESSAGE_ID_MAX = 0xFFFF_FFFF

_ANSWER_TYPES = {
    control.CLOSE_CONNECTION: control.CLOSE_CONNECTION_RESPONSE,
    control.CUSTOM_MESSAGE: control.CUSTOM_MESSAGE,
}

_ATTEMPT_FAILURES = {
    "Failed (a Reader initiated connection already exists)": (
        "slot held: the reader has dialled out to another client, and serves one client only"
    ),
    "Failed (a Client initiated connection already exists)": (
        "slot held: another client is connected, and the reader serves one client only"
        " (after a crash it may be our own last connection, until the reader drops it)"
    ),
}


class RefusedError(LinkError):
    """The reader answered that it will not do what it was asked."""


class Wire(Protocol):
    """What a session needs of a connection."""

    def write(self, data: bytes) -> None:
        """Send bytes."""
        ...

    def fail(self, error: LinkError) -> None:
        """Tell why, and cut the connection."""
        ...


class Listener(Protocol):
    """Whoever makes sense of what the reader says unasked."""

    def on_report(self, frame: bytes) -> None:
        """Take an RO_ACCESS_REPORT; ProtocolError if it is malformed."""
        ...

    def on_event(self, event: Mapping[str, Any]) -> None:
        """Take the ReaderEventNotificationData of an event notification."""
        ...

    def on_keepalive(self) -> None:
        """Take note that the reader lives."""
        ...

    def on_bad_frame(self, error: ProtocolError, frame: bytes) -> None:
        """Take note of a frame that could not be read; the connection lives on."""
        ...


class Session:
    """The protocol state of one connection."""

    def __init__(self, wire: Wire, listener: Listener, count: Counter) -> None:
        self._loop = asyncio.get_running_loop()
        self.attempted: asyncio.Future[None] = self._loop.create_future()
        self.broken: asyncio.Future[None] = self._loop.create_future()
        self._wire = wire
        self._listener = listener
        self._count = count
        self._waiting: dict[int, tuple[int, asyncio.Future[bytes]]] = {}
        self._last_id = 0
        self._bad_in_a_row = 0

    def receive(self, frame: bytes) -> None:
        """Take one whole frame. One bad frame costs one frame; too many in a row the link."""
        try:
            self._dispatch(type_of(frame), frame)
        except ProtocolError as error:
            self._count("bad_frames")
            self._listener.on_bad_frame(error, frame)
            self._bad_in_a_row += 1
            if self._bad_in_a_row >= BAD_FRAMES_MAX:
                self._wire.fail(ProtocolError(f"{BAD_FRAMES_MAX} bad frames in a row: {error}"))
        else:
            self._bad_in_a_row = 0

    def lose(self, error: LinkError) -> None:
        """Take note that the connection is gone: all that waits fails with its reason."""
        waiting: list[asyncio.Future[Any]] = [self.attempted, self.broken]
        waiting += [future for _, future in self._waiting.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(error)
                future.exception()  # seen here: not everything is always waited for
        self._waiting.clear()

    def send(self, message_type: int) -> None:
        """Send a message without a body and without an answer."""
        self._wire.write(frame_of(message_type, b"", self.next_id()))

    def next_id(self) -> int:
        """Return a message id that no open request has."""
        self._last_id = self._last_id % MESSAGE_ID_MAX + 1
        return self._last_id

    async def request(self, frame: bytes, timeout_s: float) -> bytes:
        """Send a request and return the frame that answers it.

        Raises RefusedError for an ERROR_MESSAGE, LinkError after `timeout_s` or if the link ends.
        """
        if self.broken.done():
            self.broken.result()
        kind, message_id = type_of(frame), id_of(frame)
        future: asyncio.Future[bytes] = self._loop.create_future()
        self._waiting[message_id] = (_ANSWER_TYPES.get(kind, kind + 10), future)
        sent_at = self._loop.time()
        self._wire.write(frame)
        try:
            async with asyncio.timeout(timeout_s):
                answer = await future
        except TimeoutError as error:
            raise LinkError(f"no answer to message type {kind} within {timeout_s:g} s") from error
        finally:
            self._waiting.pop(message_id, None)
        self._count("round_trip_us", round((self._loop.time() - sent_at) * 1_000_000))
        if type_of(answer) == control.ERROR_MESSAGE:
            reason = control.refusal(control.decode(answer).fields)
            raise RefusedError(f"the reader refused message type {kind}: {reason}")
        return answer

    async def ask(self, frame: bytes, timeout_s: float) -> dict[str, Any]:
        """Send a request and return the fields of its answer; RefusedError if it is a refusal."""
        message = control.decode(await self.request(frame, timeout_s))
        reason = control.refusal(message.fields)
        if reason is not None:
            raise RefusedError(f"the reader refused: {message.name}: {reason}")
        return message.fields

    def _dispatch(self, kind: int, frame: bytes) -> None:
        if kind == RO_ACCESS_REPORT:
            self._listener.on_report(frame)
        elif kind == control.KEEPALIVE:
            self._wire.write(frame_of(control.KEEPALIVE_ACK, b"", id_of(frame)))
            self._listener.on_keepalive()
        elif kind == control.READER_EVENT_NOTIFICATION:
            self._event(control.decode(frame).fields)
        else:
            self._answer(kind, frame)

    def _answer(self, kind: int, frame: bytes) -> None:
        expected, future = self._waiting.get(id_of(frame), (None, None))
        if future is None or kind not in (expected, control.ERROR_MESSAGE):
            known = kind == control.ERROR_MESSAGE or expected is not None
            self._count("answers_unasked" if known else "unknown_messages")
        elif not future.done():
            future.set_result(frame)

    def _event(self, fields: Mapping[str, Any]) -> None:
        event = fields.get("ReaderEventNotificationData")
        if not isinstance(event, Mapping):
            raise ProtocolError(f"an event notification without data: {fields}")
        self._listener.on_event(event)
        attempt = event.get("ConnectionAttemptEvent")
        if isinstance(attempt, Mapping):
            self._attempt(str(attempt.get("Status")))
        if "ConnectionCloseEvent" in event:
            self._wire.fail(LinkError("the reader closes the connection (ConnectionCloseEvent)"))

    def _attempt(self, status: str) -> None:
        if self.attempted.done():
            # Status 4: the reader tells its client that somebody else tried, and was refused.
            self._count("second_clients")
        elif status == "Success":
            self.attempted.set_result(None)
        else:
            reason = _ATTEMPT_FAILURES.get(status, f"the reader refused the connection: {status}")
            self._wire.fail(LinkError(reason))


def unreadable(error: ProtocolError, frame: bytes) -> str:
    """Say what was wrong with a frame, bounded, for people."""
    text = str(error)
    return text if shown(frame) in text else f"{text}: {shown(frame)}"
