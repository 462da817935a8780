"""Keeps every device connected: one task per device, restarted with jittered back-off.

    down --- first observation ---> up --- LinkError ---> down, waiting --- back-off over ---> run
                                       --- any other error: a bug of the driver ---> failed, stays

It logs once when a device is lost and once when it is back, and tells the rules by DeviceStatus.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Literal

import structlog

from gateway.backoff import Backoff
from gateway.coverage import DeviceEmit, LoopPulse
from gateway.inbox import Inbox
from gateway.model import Action, DeviceFault, DeviceStatus, LightId, Ns
from gateway.ports import (
    Actuator,
    Clock,
    ConfigError,
    Counter,
    Driver,
    DriverContext,
    LightAbility,
    LinkError,
    NamesLights,
    ProtocolError,
)
from gateway.settings import DeviceConfiguration

LEAST_WAIT = 0.1
"""Share of the longest wait that a device is left alone at least."""

DRIVER_FAILED = "driver_failed"


class NotConnected(LinkError):  # noqa: N818 - a state of the device, told by its name
    """Nobody is there to act: nothing was sent."""


State = Literal["connecting", "up", "waiting", "failed"]


@dataclass
class Device:
    """One device and what is known of its link."""

    configuration: DeviceConfiguration
    emit: DeviceEmit
    random: Random
    count: Counter
    state: State = "connecting"
    reason: str = ""
    since: Ns = 0
    losses: int = 0
    driver: Driver | None = None
    came_up: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """Runs all devices. `devices` is what status, health and the action dispatcher look at."""

    def __init__(
        self,
        configurations: tuple[DeviceConfiguration, ...],
        inbox: Inbox,
        clock: Clock,
        pulse: LoopPulse,
        random: Random,
    ) -> None:
        self.devices: dict[str, Device] = {}
        self._inbox = inbox
        self._clock = clock
        self._log = structlog.get_logger("device")
        for configuration in configurations:
            name = configuration.device
            emit = DeviceEmit(name, inbox, pulse, clock)
            own_random = Random(random.getrandbits(64))
            self.devices[name] = Device(configuration, emit, own_random, _uncounted)

    @property
    def lateness_max_ns(self) -> Ns:
        """The largest lateness that any driver declares; one that cannot be built declares none.

        ConfigError where a driver says that its settings are wrong.
        """
        return max((self._lateness_of(device) for device in self.devices.values()), default=0)

    def _lateness_of(self, device: Device) -> Ns:
        try:
            return self._driver(device).lateness_max_ns
        except ConfigError:
            raise
        except Exception:  # noqa: BLE001 - a plugin may fail, the gateway may not
            return 0  # built again when the device is run, which tells of it

    async def run(self) -> None:
        """Run every device until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for name, device in self.devices.items():
                tasks.create_task(self._keep(device), name=f"device {name}")

    def is_up(self, name: str) -> bool:
        """Whether the device is connected now."""
        device = self.devices.get(name)
        return device is not None and device.state == "up"

    def ability(self, light: LightId) -> LightAbility | None:
        """What a light can show; None where no driver that has been built knows it."""
        device = self.devices.get(light.rpartition(":")[0])
        driver: object = None if device is None else device.driver
        return driver.lights().get(light) if isinstance(driver, NamesLights) else None

    async def act(self, action: Action) -> None:
        """Let the device carry out an action; NotConnected if it was surely not sent, LinkError if
        it is not certain that it was done. A bug of the driver is logged, and not certain either.
        """
        device = self.devices.get(action.device)
        if device is None or device.state != "up":
            raise NotConnected(f"{action.device} is not connected")
        driver: object = device.driver
        if not isinstance(driver, Actuator):
            raise NotConnected(f"the driver of {action.device} cannot act")
        try:
            await driver.act(action)
        except LinkError:
            raise
        except Exception as error:
            lost = _lost_link(error)
            if lost is not None:
                raise LinkError(f"{action.device}: {lost}") from error
            self._log.exception("driver failed to act", device=action.device)
            raise LinkError(f"{action.device}: bug in the driver: {error!r}") from error

    async def _keep(self, device: Device) -> None:
        backoff = Backoff(device.random, LEAST_WAIT)
        while True:
            started = self._clock.now()
            try:
                await self._run_once(device)
                reason = "the driver ended"
            except Exception as error:  # noqa: BLE001 - a plugin may fail, the gateway may not
                lost = _lost_link(error)
                if lost is None:
                    await self._fail(device, error)
                    return
                reason = str(lost) or type(lost).__name__
                if isinstance(lost, ProtocolError):
                    device.count("protocol_errors")
            _raise_if_cancelled()
            ran_ns = self._clock.now() - started if device.state == "up" else 0
            await self._lost(device, reason)
            await asyncio.sleep(backoff.wait_s(ran_ns))

    async def _run_once(self, device: Device) -> None:
        driver = self._driver(device)

        async def first() -> None:
            if device.losses:
                self._log.info("device back", device=device.configuration.device)
            device.state, device.reason, device.since = "up", "", self._clock.now()
            await self._tell(device, up=True)
            # An earlier run may have left it standing: a release has mended the driver since.
            healed = DeviceFault(device.configuration.device, DRIVER_FAILED, active=False)
            await self._inbox.put(self._clock.now(), healed)
            device.came_up.set()

        device.emit.start(driver.lateness_max_ns, driver.silence_max_ns, device.count, first)
        await driver.run(device.emit)

    async def _lost(self, device: Device, reason: str) -> None:
        """Say once that the device is lost, and again only when the reason is another."""
        if device.state in {"up", "connecting"} or device.reason != reason:
            self._log.warning("device lost", device=device.configuration.device, reason=reason)
        if device.state in {"up", "connecting"}:
            device.losses += 1
            device.since = self._clock.now()
            await self._tell(device, up=False, reason=reason)
        device.state, device.reason = "waiting", reason

    async def _fail(self, device: Device, error: Exception) -> None:
        name = device.configuration.device
        device.state, device.reason = "failed", f"{type(error).__name__}: {error}"
        self._log.error("driver failed, device stays off", device=name, exc_info=error)
        await self._tell(device, up=False, reason=device.reason)
        fault = DeviceFault(name, DRIVER_FAILED, detail=f"bug in the driver: {device.reason}")
        await self._inbox.put(self._clock.now(), fault)

    async def _tell(self, device: Device, *, up: bool, reason: str = "") -> None:
        status = DeviceStatus(device.configuration.device, up, reason)
        await self._inbox.put(self._clock.now(), status)

    def _driver(self, device: Device) -> Driver:
        """The device's one driver; `run` is called on it anew for every connection."""
        if device.driver is None:

            def count(name: str, amount: int = 1) -> None:
                device.count(name, amount)

            configuration = device.configuration
            context = DriverContext(configuration.device, self._clock, device.random, count)
            device.driver = configuration.factory(configuration.settings, context)
        return device.driver


def _lost_link(error: Exception) -> Exception | None:
    """The lost link that an error of a driver tells of; None if it is, or holds, a bug."""
    if not isinstance(error, ExceptionGroup):
        return error if isinstance(error, LinkError | OSError | EOFError) else None
    found = [_lost_link(each) for each in error.exceptions]
    return None if None in found else found[0]


def _raise_if_cancelled() -> None:
    """A loss that meets a cancellation takes its place in a driver's task group: keep to it, or the
    gateway never stops.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _uncounted(name: str, amount: int = 1) -> None:
    """Before the meter is there, nothing counts."""
    del name, amount
