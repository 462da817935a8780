"""Plays a recorded reader: its own bytes, answered by message type under the client's ids.

What the recording does not hold is answered with success, so that any client gets through its
opening; the recorded reports follow when the client has enabled its ROSpec.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from simulators.llrp import events
from simulators.llrp.clock import START_UTC_US
from simulators.llrp.device import IMPINJ
from simulators.llrp.faults import Faults
from simulators.llrp.listener import Listener, Server
from simulators.llrp.requests import (
    ENABLE_EXTENSIONS_RESPONSE,
    RESPONSE_STEP,
    error_message,
)
from simulators.llrp.rospec import ACTIVE, DISABLED
from simulators.llrp.session import Keepalive, Session
from simulators.llrp.wire import (
    VERSION,
    Frame,
    FrameCutter,
    MessageType,
    Parameter,
    ParameterType,
    RequestError,
    Status,
    frame,
    llrp_status,
    parameters,
    tlv,
)

ANSWERABLE = frozenset(range(MessageType.GET_READER_CAPABILITIES, MessageType.GET_REPORT)) - {
    MessageType.GET_SUPPORTED_VERSION
}
"""Requests that get an answer of some kind; the types between are responses themselves."""

ROSPECS_MAX = 64
"""ROSpecs remembered for GET_ROSPECS: far more than any client adds to a recording."""


@dataclass(frozen=True)
class Recording:
    """What a recorded reader said: one answer per response type, and its reports in order."""

    answers: Mapping[int, bytes] = field(default_factory=dict)
    reports: tuple[bytes, ...] = ()
    greeting: bytes = b""

    @classmethod
    def of_session(cls, data: bytes) -> Recording:
        """Take a session of whole frames, both directions mixed, as it was on the wire.

        Of several answers of one type the first successful one is kept.
        """
        answers: dict[int, bytes] = {}
        reports: list[bytes] = []
        greeting = b""
        success = llrp_status()
        for message in FrameCutter().feed(data):
            if message.type == MessageType.RO_ACCESS_REPORT:
                reports.append(message.body)
            elif message.type == MessageType.READER_EVENT_NOTIFICATION:
                greeting = greeting or _if_greeting(message.body)
            elif message.body.startswith(success):
                answers.setdefault(message.type, message.body)
        return cls(answers, tuple(reports), greeting)


def _if_greeting(body: bytes) -> bytes:
    welcome = events.connection_attempt(events.CONNECTED)
    return body if body.endswith(welcome) else b""


class PlaybackReader(Server):
    """A server that behaves as the recorded reader did."""

    def __init__(self, recording: Recording, report_gap_s: float = 0.0) -> None:
        """Play `recording`, its reports `report_gap_s` apart."""
        self.requests: list[Frame] = []
        """What clients have asked since the start, in order."""
        self.reported = 0
        """Reports sent so far."""
        self._recording = recording
        self._report_gap_s = report_gap_s
        self._loop = asyncio.get_running_loop()
        self._listener = Listener(self._session)
        self._client: Session | None = None
        self._keepalive = Keepalive(self._loop.call_later)
        self._keepalive_ms = 0
        self._rospecs: dict[int, bytes] = {}
        self._state = DISABLED
        self._playing: asyncio.Task[None] | None = None
        self._follow_ups: dict[int, Callable[[Session, bytes], None]] = {
            MessageType.SET_READER_CONFIG: self._set_config,
            MessageType.ADD_ROSPEC: self._add_rospec,
            MessageType.DELETE_ROSPEC: self._delete_rospec,
            MessageType.DISABLE_ROSPEC: self._still,
            MessageType.ENABLE_ROSPEC: self._play,
            MessageType.START_ROSPEC: self._play,
            MessageType.CLOSE_CONNECTION: self._close,
        }

    async def shutdown(self) -> None:
        """Close every connection and stop listening."""
        self._stop_playing()
        self._keepalive.disarm()
        await self._listener.stop()

    def attempt(self, session: Session) -> None:
        """Greet the first client as the recorded reader did; refuse a second one."""
        self._listener.sessions.add(session)
        if self._client is not None and not self._client.closing:
            refused = events.connection_attempt(events.REFUSED_CLIENT_EXISTS)
            session.send_unasked(MessageType.READER_EVENT_NOTIFICATION, _notice(refused))
            session.close()
            return
        session.established = True
        self._client = session
        greeting = self._recording.greeting or _notice(events.connection_attempt(events.CONNECTED))
        session.send_unasked(MessageType.READER_EVENT_NOTIFICATION, greeting)
        self._keepalive.arm(session, self._keepalive_ms, 0)

    def gone(self, session: Session) -> None:
        """Forget a client that has left."""
        self._listener.sessions.discard(session)
        if session is self._client:
            self._client = None
            self._keepalive.disarm()
            self._stop_playing()

    def resumed(self) -> None:
        """Nothing waits here for a client to catch up."""

    def request(self, session: Session, request: Frame) -> None:
        """Answer one request, and do what it needs for the reports to follow."""
        self.requests.append(request)
        if request.version != VERSION:
            code = Status.M_UNSUPPORTED_VERSION
            session.send(error_message(request, code, "version 1 alone"))
            return
        answer = self._answer(request)
        if answer is not None:
            session.send(answer)
        follow_up = self._follow_ups.get(request.type)
        if follow_up is not None:
            follow_up(session, request.body)

    def _session(self) -> asyncio.Protocol:
        no_chance_is_drawn = Random(0)
        return Session(self, Faults(), no_chance_is_drawn)

    def _answer(self, request: Frame) -> bytes | None:
        if request.type in {MessageType.ENABLE_EVENTS_AND_REPORTS, MessageType.GET_REPORT}:
            return None
        if request.type == MessageType.CUSTOM_MESSAGE:
            kind = MessageType.CUSTOM_MESSAGE
            body = struct.pack("!IB", IMPINJ, ENABLE_EXTENSIONS_RESPONSE) + llrp_status()
        elif request.type == MessageType.CLOSE_CONNECTION:
            kind, body = MessageType.CLOSE_CONNECTION_RESPONSE, llrp_status()
        elif request.type == MessageType.GET_ROSPECS:
            return frame(request.type + RESPONSE_STEP, request.message_id, self._told_rospecs())
        elif request.type in ANSWERABLE:
            response = request.type + RESPONSE_STEP
            body = self._recording.answers.get(response, llrp_status())
            return frame(response, request.message_id, body)
        else:
            return error_message(request, Status.M_UNSUPPORTED_MESSAGE, "no such request")
        return frame(kind, request.message_id, body)

    def _told_rospecs(self) -> bytes:
        state = bytes([self._state])
        specs = self._rospecs.values()
        told = (tlv(ParameterType.ROSPEC, spec[:5] + state + spec[6:]) for spec in specs)
        return llrp_status() + b"".join(told)

    def _set_config(self, session: Session, body: bytes) -> None:
        for part in _readable(body[1:]):
            if part.type == ParameterType.KEEPALIVE_SPEC and len(part.body) >= 5:
                periodic, interval_ms = struct.unpack_from("!BI", part.body)
                self._keepalive_ms = interval_ms if periodic else 0
                self._keepalive.arm(session, self._keepalive_ms, 0)

    def _add_rospec(self, _session: Session, body: bytes) -> None:
        for part in _readable(body):
            if len(part.body) > 6 and len(self._rospecs) < ROSPECS_MAX:
                self._rospecs[int.from_bytes(part.body[:4], "big")] = part.body

    def _delete_rospec(self, _session: Session, body: bytes) -> None:
        number = int.from_bytes(body[:4], "big")
        if number:
            self._rospecs.pop(number, None)
        else:
            self._rospecs.clear()
        self._still(_session, body)

    def _still(self, _session: Session, _body: bytes) -> None:
        self._state = DISABLED
        self._stop_playing()

    def _play(self, session: Session, _body: bytes) -> None:
        self._state = ACTIVE
        if self._playing is None:
            self._playing = self._loop.create_task(self._send_reports(session))

    async def _send_reports(self, session: Session) -> None:
        for body in self._recording.reports:
            session.send_unasked(MessageType.RO_ACCESS_REPORT, body)
            self.reported += 1
            await asyncio.sleep(self._report_gap_s)

    def _stop_playing(self) -> None:
        if self._playing is not None:
            self._playing.cancel()
            self._playing = None

    def _close(self, session: Session, _body: bytes) -> None:
        session.close()


def _readable(data: bytes) -> list[Parameter]:
    try:
        return list(parameters(data))
    except RequestError:
        return []


def _notice(event: bytes) -> bytes:
    stamp = tlv(ParameterType.UTC_TIMESTAMP, struct.pack("!Q", START_UTC_US))
    return events.notification(stamp, event)
