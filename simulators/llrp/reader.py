"""A simulated LLRP reader: a TCP (or TLS) server that real clients inventory against.

It follows LLRP 1.0.1: one client at a time, ROSpecs from Disabled to Active, reports by the
client's own selection, events, keepalives, holding over a reconnect. What lies in front of its
antennas is a `TagField`; what goes wrong on the line are its `faults`. All randomness comes from
the `Random` handed in, all time from `now`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from simulators.llrp import events
from simulators.llrp.clock import START_UTC_US, ReaderClock
from simulators.llrp.device import IMPINJ_R420, Device
from simulators.llrp.faults import Faults
from simulators.llrp.field import TagField
from simulators.llrp.listener import Listener, Server
from simulators.llrp.outbox import HELD_MAX, Outbox
from simulators.llrp.radio import Radio, RadioSettings
from simulators.llrp.requests import Requests
from simulators.llrp.runner import Runner
from simulators.llrp.session import Keepalive, Session
from simulators.llrp.settings import ANTENNA, BUFFER_FILL, GPI, READER_EXCEPTION
from simulators.llrp.wire import VERSION, Frame, MessageType, Status, frame, llrp_status


@dataclass(frozen=True, slots=True)
class Options:
    """How one reader differs from another of its kind. `keeps_rospecs` over a reconnect and a
    power cycle; without it a ROSpec lives as long as its connection.
    """

    device: Device = IMPINJ_R420
    radio: RadioSettings = field(default_factory=RadioSettings)
    keeps_rospecs: bool = True
    held_max: int = HELD_MAX
    utc_start_us: int = START_UTC_US
    clock_offset_s: float = 0.0
    clock_drift_ppm: float = 0.0


class LlrpReader(Server):
    """The reader: a server for one client at a time."""

    def __init__(
        self,
        tags: TagField,
        random: Random,
        options: Options | None = None,
        now: Callable[[], float] | None = None,
    ) -> None:
        """Make a reader; must be called while an event loop runs."""
        self.options = options or Options()
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._now = now or loop.time
        self._random = random
        device = self.options.device
        self.faults = Faults()
        self.requests = Requests(device)
        self.clock = ReaderClock(
            self._now,
            device.has_utc_clock,
            self.options.utc_start_us,
            self.options.clock_offset_s,
            self.options.clock_drift_ppm,
        )
        self.outbox = Outbox(self.faults, random, self._now, loop.call_later, self.options.held_max)
        self.outbox.on_overflow = lambda: self._notice(events.buffer_overflow())
        self.outbox.on_level = self._level_warning
        self.on_output: Callable[[int, bool], None] = lambda _port, _level: None
        radio = Radio(tags, self.options.radio, random)
        self.runner = Runner(self.requests, radio, self.clock, self._event, self._report)
        self._keepalive = Keepalive(loop.call_later)
        self._client: Session | None = None
        self._outputs = dict(self.requests.settings.outputs)
        self._listener = Listener(self.session)

    def session(self) -> asyncio.Protocol:
        """Return the reader's end of one new connection, for any transport."""
        return Session(self, self.faults, self._random)

    async def shutdown(self) -> None:
        """Tell the client, close every connection, stop listening and inventorying; raises what
        an inventory failed of.
        """
        if self._client is not None:
            notice = self._notice(events.connection_close())
            self._client.send_unasked(MessageType.READER_EVENT_NOTIFICATION, notice)
        self._keepalive.disarm()
        self.runner.close()
        await self._listener.stop()
        if self.runner.failure is not None:
            raise self.runner.failure

    @property
    def connected(self) -> bool:
        """Whether a client holds the slot."""
        return self._client is not None

    @property
    def inventorying(self) -> bool:
        """Whether a ROSpec is Active."""
        return self.runner.running

    @property
    def outputs(self) -> dict[int, bool]:
        """The levels of the outputs by port."""
        return dict(self._outputs)

    def set_input(self, port: int, level: bool) -> None:
        """Change the level of an input; an event follows if port and event are enabled."""
        condition, settings = self.requests.condition, self.requests.settings
        if condition.inputs[port] == level:
            return
        condition.inputs[port] = level
        if settings.input_enabled[port]:
            self._event(GPI, events.gpi(port, level))
        self.runner.input_changed(port, level)

    def set_antenna(self, antenna: int, connected: bool) -> None:
        """Plug or unplug an antenna."""
        condition = self.requests.condition
        if condition.connected[antenna] != connected:
            condition.connected[antenna] = connected
            self._event(ANTENNA, events.antenna(antenna, connected))

    def raise_exception(self, text: str, antenna: int = 0) -> None:
        """Report a trouble of the reader itself."""
        self._event(READER_EXCEPTION, events.reader_exception(text, antenna))

    def fall_silent(self) -> None:
        """Answer and send nothing more on this connection, and leave it up."""
        if self._client is not None:
            self._client.silent = True

    def cut_cable(self) -> None:
        """Reset the client's connection without a word."""
        if self._client is not None:
            self._client.abort()

    def power_cycle(self) -> None:
        """Lose connection, buffer and uptime; ROSpecs and settings if it keeps none."""
        self._listener.abort_all()
        self.runner.stop()
        self.outbox.clear()
        self.clock.reboot()
        if not self.options.keeps_rospecs:
            self.requests.reset()
        self._reconcile()

    # The client's side, called by its session.

    def attempt(self, session: Session) -> None:
        """Give the slot to a new client, or refuse it and tell the one that has it."""
        self._listener.sessions.add(session)
        if self.faults.strikes("refuse", self._random):
            self._refuse(session, events.REFUSED_OTHER)
        elif self._client is not None and not self._client.closing:
            another = self._notice(events.connection_attempt(events.ANOTHER_ATTEMPTED))
            self._client.send_unasked(MessageType.READER_EVENT_NOTIFICATION, another)
            self._refuse(session, events.REFUSED_CLIENT_EXISTS)
        else:
            self._establish(session)

    def gone(self, session: Session) -> None:
        """Free the slot when its holder has gone."""
        self._listener.sessions.discard(session)
        if session is not self._client:
            return
        self._client = None
        self._keepalive.disarm()
        self.outbox.disconnect()
        if not self.options.device.holds_events:
            self.outbox.clear()
        if not self.options.keeps_rospecs:
            self.requests.rospecs.clear()
            self.requests.access_specs.clear()
            self._reconcile()

    def resumed(self) -> None:
        """Go on sending to a client that reads again."""
        self.outbox.flush()

    def request(self, session: Session, request: Frame) -> None:
        """Carry out one request and whatever follows from it."""
        if request.version == VERSION and self._control(session, request):
            return
        session.send(self.requests.answer(request))
        self._reconcile()

    def _control(self, session: Session, request: Frame) -> bool:
        if request.type == MessageType.ENABLE_EVENTS_AND_REPORTS:
            self.outbox.release()
        elif request.type == MessageType.GET_REPORT:
            self.outbox.report(self.runner.take())
        elif request.type == MessageType.CLOSE_CONNECTION:
            answer = MessageType.CLOSE_CONNECTION_RESPONSE
            session.send(frame(answer, request.message_id, llrp_status(Status.SUCCESS)))
            session.close()
        else:
            return False
        return True

    def _establish(self, session: Session) -> None:
        session.established = True
        self._client = session
        self.requests.extensions = False
        welcome = self._notice(events.connection_attempt(events.CONNECTED))
        session.send_unasked(MessageType.READER_EVENT_NOTIFICATION, welcome)
        self.outbox.connect(session, holding=self.requests.settings.hold)
        self._reconcile()

    def _refuse(self, session: Session, status: int) -> None:
        notice = self._notice(events.connection_attempt(status))
        session.send_unasked(MessageType.READER_EVENT_NOTIFICATION, notice)
        session.close()

    # What a changed state leads to.

    def _reconcile(self) -> None:
        self.runner.reconcile()
        settings = self.requests.settings
        if self._client is not None:
            misses = settings.link_down_misses
            self._keepalive.arm(self._client, settings.keepalive_ms, misses)
        for port, level in settings.outputs.items():
            if self._outputs[port] != level:
                self._outputs[port] = level
                self.on_output(port, level)

    def _someone_will_hear(self) -> bool:
        return self._client is not None or self.options.device.holds_events

    def _report(self, body: bytes) -> None:
        if self._someone_will_hear():
            self.outbox.report(body)

    def _notice(self, event: bytes) -> bytes:
        return events.notification(self.clock.timestamp(), event)

    def _event(self, kind: int, event: bytes) -> None:
        if kind in self.requests.settings.events and self._someone_will_hear():
            self.outbox.event(self._notice(event))

    def _level_warning(self, percent: int) -> bytes | None:
        if BUFFER_FILL not in self.requests.settings.events:
            return None
        return self._notice(events.buffer_level(percent))
