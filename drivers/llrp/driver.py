"""The driver of an LLRP reader: from its socket to tag reads, over and over armed anew."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

from gateway.model import NS_PER_S, Action, LightId, Ns, ReadDeeply, ShowLight
from gateway.ports import (
    DriverContext,
    Emit,
    LightAbility,
    LinkError,
    PluginSettings,
    ProtocolError,
)

from . import control
from .arming import ACTIVE, DISABLED, Armourer
from .control import InstalledROSpec
from .frames import FrameCutter, frame_of
from .lights import Lights
from .observer import Observer
from .outbox import Outbox
from .provisioning import ROSPEC_ID
from .session import RefusedError, Session
from .settings import LlrpSettings
from .transport import Connect, Connection, connect

SILENT_PERIODS = 2.5
"""Keepalive periods without a byte after which the link is dead: two may be late or lost."""

CLOSE_TIMEOUT_S = 1.0
"""How long a stop waits for CLOSE_CONNECTION_RESPONSE: the slot is freed by the message itself."""

RESTART_AFTER_CHECKS = 12
"""Checks without a single report on this connection after which the ROSpec is restarted, once:
some readers say that it is active and yet report nothing after a reconnect."""

REARM_PAUSE_S = 1.0
"""Least time between two answers to a ROSpec that ends: a reader that ends it at once, again and
again, is not to be asked as fast as the network goes."""


DEEP_BLIND_S = 0.1
"""How often, while it reads deeply, the time is told to prove nothing: more often than a span of
time is proven."""


class _Check(NamedTuple):
    """What a check found: our ROSpec, and which check without a report in between it is."""

    ours: InstalledROSpec | None
    number: int
    may_start: bool


class LlrpDriver:
    """Reads tags, inputs and faults of one reader and sets its outputs.

    Live reads are at most `lateness_max_ns` old. Reads that the reader held back, while the link
    was down or the gateway stalled, come with their true age, which may be minutes.
    """

    Settings: ClassVar[type[PluginSettings]] = LlrpSettings

    def __init__(
        self, settings: LlrpSettings, context: DriverContext, connect: Connect = connect
    ) -> None:
        self.lateness_max_ns: Ns = round(settings.lateness_s * NS_PER_S)
        self.silence_max_ns: Ns = round(SILENT_PERIODS * settings.keepalive_s * NS_PER_S)
        self._settings = settings
        self._context = context
        self._connect = connect
        self._session: Session | None = None
        self._known_state: int | None = None
        self._antennas: dict[int, bool] = {}
        self._deep_s = 0
        self._deep_asked = asyncio.Event()
        self._lights = Lights(context.device, settings.lights)

    def points(self) -> frozenset[str] | None:
        """The antennas that are set; without, the reader uses all that it has."""
        device, antennas = self._context.device, self._settings.antennas
        return frozenset(f"{device}:{antenna}" for antenna in antennas) or None

    async def run(self, emit: Emit) -> None:
        """Connect, arm, and emit until cancelled; LinkError when the link is lost."""
        context = self._context
        outbox = Outbox(context.device, context.clock, self.lateness_max_ns, context.count)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(outbox.drain(emit), name="llrp-drain")
                failure = await self._failure_of(outbox)
                # What was read before the link broke is still handed over.
                outbox.finish()
        except BaseExceptionGroup as group:
            raise _cause(group) from None
        finally:
            outbox.close()
        raise failure

    def lights(self) -> Mapping[LightId, LightAbility]:
        """The lights at its outputs."""
        return self._lights.abilities

    async def act(self, action: Action) -> None:
        """Switch the outputs of a light: LinkError unless the reader has confirmed it. Or begin to
        read deeply.
        """
        session = self._session
        if session is None:
            raise LinkError("the reader is not connected")
        if isinstance(action, ReadDeeply):
            self._deep_s = action.for_s
            self._deep_asked.set()
            return
        if not isinstance(action, ShowLight):
            raise ProtocolError(f"a reader has lights only, no {type(action).__name__}")
        for port, level in self._lights.changes(action):
            frame = control.set_output(port, level, session.next_id())
            await session.ask(frame, self._settings.request_timeout_s)
            self._lights.changed(port, level)

    async def _failure_of(self, outbox: Outbox) -> LinkError:
        try:
            await self._converse(outbox)
        except LinkError as error:
            return error
        raise AssertionError("a conversation ends with an error only")

    async def _converse(self, outbox: Outbox) -> None:
        observer = Observer(self._settings, self._context, outbox, self._antennas)
        connection, session = await self._open(observer)
        try:
            async with asyncio.timeout(self._settings.request_timeout_s):
                await asyncio.shield(session.attempted)
            self._lights.doubt()
            self._session = session
            armourer = Armourer(session, self._settings, self._context.count)
            await self._arm(armourer, observer)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch(connection), name="llrp-watch")
                tasks.create_task(self._keep_armed(armourer, observer), name="llrp-keep-armed")
                tasks.create_task(self._read_deeply(armourer, observer), name="llrp-deep")
                await asyncio.shield(session.broken)
        except TimeoutError as error:
            raise LinkError("the reader sent no ConnectionAttemptEvent") from error
        except BaseExceptionGroup as group:
            raise _cause(group) from None
        finally:
            self._session = None
            observer.close()
            await self._close(connection, session)

    async def _open(self, observer: Observer) -> tuple[Connection, Session]:
        """Connect, with the handlers standing before the first byte can come in."""

        def make() -> Connection:
            connection = Connection(FrameCutter(self._settings.frame_max_bytes))
            connection.receiver = Session(connection, observer, self._context.count)
            return connection

        connection = await self._connect(self._settings, make)
        assert isinstance(connection.receiver, Session)
        return connection, connection.receiver

    async def _arm(self, armourer: Armourer, observer: Observer) -> None:
        armed = await armourer.arm(self._known_state)
        self._known_state = armed.state_value
        observer.forget_faults()
        observer.antennas_connected(armed.antenna_connected, armed.antennas)
        for port, level in armed.input_levels.items():
            observer.input_level(port, level)
        observer.ended.clear()
        if armed.runs:
            observer.is_reading()
        else:
            observer.was_not_reading()

    async def _watch(self, connection: Connection) -> None:
        """Cut a link on which nothing has come for too long."""
        loop = asyncio.get_running_loop()
        limit_s = SILENT_PERIODS * self._settings.keepalive_s
        connection.heard_at = max(connection.heard_at, loop.time())
        while True:
            left_s = connection.heard_at + limit_s - loop.time()
            if left_s <= 0:
                break
            await asyncio.sleep(left_s)
        self._known_state = None
        connection.fail(LinkError(f"nothing heard for {limit_s:g} s: the link is dead"))

    async def _keep_armed(self, armourer: Armourer, observer: Observer) -> None:
        """Ask what runs when no report comes, and start it again if it does not.

        Silence alone is no fault: there may be no tag in view.
        """
        checks = 0
        may_start = True
        while True:
            seen = observer.reports
            ended = await self._ended_or_quiet(observer)
            if observer.reports != seen and not ended:
                checks, may_start = 0, True
                continue
            checks += 1
            async with armourer.lock:
                installed = await armourer.installed()
                if installed is None:
                    if ended or (checks == RESTART_AFTER_CHECKS and not observer.reports):
                        await self._restart(armourer, observer)
                    observer.is_reading()
                else:
                    ours = next((s for s in installed if s.rospec_id == ROSPEC_ID), None)
                    check = _Check(ours, checks, may_start or ended)
                    may_start = await self._answer(armourer, observer, check)
            if ended:
                await asyncio.sleep(REARM_PAUSE_S)

    async def _read_deeply(self, armourer: Armourer, observer: Observer) -> None:
        """Whenever it is asked, read in a session that keeps read tags silent, and go back.

        Weak tags are heard between strong ones then, and silence means nothing. A connection that
        is made anew meanwhile begins as always.
        """
        loop = asyncio.get_running_loop()
        deep = self._settings.model_copy(update={"session": self._settings.deep_session})
        while True:
            await self._deep_asked.wait()
            self._deep_asked.clear()
            self._known_state = None
            self._context.count("deep_inventories")
            observer.is_reading_deeply()
            ends = loop.time() + self._deep_s
            try:
                async with armourer.lock:
                    await armourer.replace(deep)
            except RefusedError:
                self._context.count("deep_inventories_refused")
                ends = loop.time()
            while loop.time() < ends:
                observer.is_reading_deeply()
                await asyncio.sleep(DEEP_BLIND_S)
            async with armourer.lock:
                self._known_state = await armourer.replace(self._settings)
            observer.is_reading_deeply()

    async def _answer(self, armourer: Armourer, observer: Observer, check: _Check) -> bool:
        """Set right what the reader says of its ROSpec; whether it says that it reads, then."""
        ours = check.ours
        if ours is None:
            observer.was_not_reading()
            self._known_state = None
            await self._arm(armourer, observer)
            return observer.armed
        if ours.state == ACTIVE:
            if check.number == RESTART_AFTER_CHECKS and not observer.reports:
                await self._restart(armourer, observer)
            observer.is_reading()
            return True
        if check.may_start or ours.state == DISABLED:
            observer.was_not_reading()
            await armourer.enable(ours)
        elif check.number % RESTART_AFTER_CHECKS == 0:
            await self._restart(armourer, observer)
        else:
            observer.was_not_reading()
        if await armourer.runs():
            observer.is_reading()
        return observer.armed

    async def _restart(self, armourer: Armourer, observer: Observer) -> None:
        self._context.count("rospec_restarts")
        observer.was_not_reading()
        await armourer.restart()

    async def _ended_or_quiet(self, observer: Observer) -> bool:
        """Wait for the ROSpec to end (True) or for a while to pass (False)."""
        try:
            async with asyncio.timeout(self._settings.no_reports_s):
                await observer.ended.wait()
        except TimeoutError:
            return False
        observer.ended.clear()
        return True

    async def _close(self, connection: Connection, session: Session) -> None:
        """Free the reader's only client slot, then close."""
        if not connection.closed.is_set() and not session.broken.done():
            frame = frame_of(control.CLOSE_CONNECTION, b"", session.next_id())
            with contextlib.suppress(LinkError):
                await session.request(frame, CLOSE_TIMEOUT_S)
        connection.abort()
        await connection.closed.wait()


def _cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Find what a task group failed of: a bug if there is one, else the lost link."""
    causes: list[BaseException] = []
    groups = [group]
    while groups:
        for error in groups.pop().exceptions:
            if isinstance(error, BaseExceptionGroup):
                groups.append(error)
            else:
                causes.append(error)
    return next((error for error in causes if not isinstance(error, LinkError)), causes[0])
