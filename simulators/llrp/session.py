"""One client's connection: frames in, frames out, keepalives, and how a link breaks."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from random import Random
from typing import Protocol, cast

from simulators.llrp.faults import Damage, Faults, corrupted, truncated, unknown_message
from simulators.llrp.wire import (
    Frame,
    FrameCutter,
    FramingError,
    MessageType,
    frame,
)


class Host(Protocol):
    """What a session needs of its reader."""

    def attempt(self, session: Session) -> None:
        """Decide about a new connection."""
        ...

    def request(self, session: Session, request: Frame) -> None:
        """Carry out what an established client asks for."""
        ...

    def gone(self, session: Session) -> None:
        """Learn that a connection has ended."""
        ...

    def resumed(self) -> None:
        """Learn that the client reads again."""
        ...


class Session(asyncio.Protocol):
    """One TCP or TLS connection, established or refused."""

    def __init__(self, host: Host, faults: Faults, random: Random) -> None:
        self.established = False
        self.silent = False
        self.keepalives_unanswered = 0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._host = host
        self._faults = faults
        self._random = random
        self._cutter = FrameCutter()
        self._message_ids = itertools.count(1)
        self._transport: asyncio.Transport | None = None
        self._paused = False

    @property
    def writable(self) -> bool:
        """Whether the client takes more bytes now."""
        return not self._paused and not self.closing

    @property
    def closing(self) -> bool:
        """Whether the connection has proven dead."""
        return self._transport is None or self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the reader decide whether this client may stay."""
        self._transport = cast("asyncio.Transport", transport)
        self._host.attempt(self)

    def data_received(self, data: bytes) -> None:
        """Cut frames and hand them on; a stream that is lost costs the connection alone."""
        if not self.established or self.silent:
            return
        try:
            for request in self._cutter.feed(data):
                if self.closing:
                    return
                if request.type == MessageType.KEEPALIVE_ACK:
                    self.keepalives_unanswered = 0
                else:
                    self._host.request(self, request)
        except FramingError:
            self.abort()

    def pause_writing(self) -> None:
        """Note that the client reads too slowly."""
        self._paused = True

    def resume_writing(self) -> None:
        """Note that the client has caught up."""
        self._paused = False
        self._host.resumed()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Free the reader's only client slot."""
        self._transport = None
        if not self.ended.done():
            self.ended.set_result(None)
        self._host.gone(self)

    def send(self, whole: bytes) -> None:
        """Send one frame as it is."""
        if not self.silent and self._transport is not None and not self._transport.is_closing():
            self._transport.write(whole)

    def send_unasked(self, message_type: int, body: bytes) -> None:
        """Send a report or an event, damaged if a fault strikes it."""
        whole = frame(message_type, next(self._message_ids), body)
        if message_type == MessageType.RO_ACCESS_REPORT:
            self._send_damaged(whole, self._faults.damage(self._random))
        else:
            self.send(whole)

    def send_keepalive(self) -> None:
        """Ask the client whether it is still there."""
        self.keepalives_unanswered += 1
        self.send(frame(MessageType.KEEPALIVE, next(self._message_ids)))

    def close(self) -> None:
        """Send what is written, then close."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Reset the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _send_damaged(self, whole: bytes, damage: Damage) -> None:
        if damage is Damage.SILENCE:
            self.silent = True
        elif damage is Damage.CUT:
            self.send(whole[: len(whole) // 2])
            self.close()
        elif damage is Damage.CORRUPT:
            self.send(corrupted(whole, self._random))
        elif damage is Damage.TRUNCATE:
            self.send(truncated(whole, self._random))
        elif damage is Damage.UNKNOWN_FIRST:
            self.send(unknown_message(next(self._message_ids)) + whole)
        else:
            self.send(whole)


class Keepalive:
    """Sends KEEPALIVE with the client's period, and gives a client up that never answers."""

    def __init__(self, later: Callable[[float, Callable[[], None]], asyncio.TimerHandle]) -> None:
        self._later = later
        self._timer: asyncio.TimerHandle | None = None
        self._armed: tuple[Session, int, int] | None = None

    def arm(self, session: Session, period_ms: int, misses_max: int) -> None:
        """Follow a period (0: none); after `misses_max` (0: never) unanswered ones, reset."""
        if self._armed == (session, period_ms, misses_max):
            return
        self.disarm()
        self._armed = (session, period_ms, misses_max)
        if period_ms:
            self._timer = self._later(period_ms / 1000, self._tick)

    def disarm(self) -> None:
        """Stop."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._armed = None

    def _tick(self) -> None:
        if self._armed is None:
            return
        session, period_ms, misses_max = self._armed
        if misses_max and session.keepalives_unanswered >= misses_max:
            session.abort()
            return
        session.send_keepalive()
        self._timer = self._later(period_ms / 1000, self._tick)
