"""Contacts each device by a short run of its driver."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random

from gateway.doctor.finding import Finding, fail, ok
from gateway.model import NS_PER_MS, DeviceFault, Observation
from gateway.ports import Clock, ConfigError, Driver, DriverContext, LinkError
from gateway.settings import DeviceConfiguration

CONTACT_TIMEOUT_S = 15.0
"""A reader may take ten seconds to be armed; a scale answers within one."""

LEAVE_TIMEOUT_S = 3.0
"""What a driver may take to say goodbye."""


async def contact_devices(
    devices: Sequence[DeviceConfiguration],
    clock: Clock,
    random: Random,
    timeout_s: float = CONTACT_TIMEOUT_S,
) -> list[Finding]:
    """Run every driver until it hands over its first observation; all at once.

    Not while a gateway runs: most readers take one client only.
    """
    runs = [contact(device, clock, random, timeout_s) for device in devices]
    return list(await asyncio.gather(*runs))


async def contact(
    device: DeviceConfiguration, clock: Clock, random: Random, timeout_s: float
) -> Finding:
    """Run one driver until it hands over its first observation."""
    check = f"device {device.device}"
    began = clock.now()
    first = _First()
    try:
        context = DriverContext(device.device, clock, random, _uncounted)
        driver: Driver = device.factory(device.settings, context)
    except ConfigError as error:
        return fail(check, str(error), f"correct the settings of {device.device}")
    running = asyncio.create_task(driver.run(first), name=check)
    heard = asyncio.create_task(first.heard.wait(), name=f"{check} heard")
    await asyncio.wait({running, heard}, timeout=timeout_s, return_when="FIRST_COMPLETED")
    failure = running.exception() if running.done() and not running.cancelled() else None
    await _leave(running, heard)
    if first.heard.is_set():
        took_ms = (clock.now() - began) // NS_PER_MS
        return ok(
            check, f"{device.driver} answers ({type(first.observation).__name__}, {took_ms} ms)"
        )
    if failure is None:
        seen = f"; it reports {', '.join(first.faults)}" if first.faults else ""
        text = f"{device.driver} heard nothing within {timeout_s:.0f} s{seen}"
    else:
        text = f"{device.driver}: {failure or type(failure).__name__}"
    if failure is not None and not isinstance(failure, LinkError | OSError | EOFError):
        return fail(check, f"bug in the driver: {type(failure).__name__}: {failure}", "report it")
    return fail(check, text, "check power, cable, address and port, and that no other client is on")


class _First:
    """An `Emit` that waits for the first sign of life; a device's complaint is none."""

    def __init__(self) -> None:
        self.heard = asyncio.Event()
        self.observation: Observation | None = None
        self.faults: list[str] = []

    async def __call__(self, observation: Observation, age_ns: int = 0) -> None:
        del age_ns
        if isinstance(observation, DeviceFault):
            if observation.active:
                self.faults.append(observation.detail or observation.code)
        elif not self.heard.is_set():
            self.observation = observation
            self.heard.set()

    def blind(self, lost: int, reason: str) -> None:
        del lost, reason


async def _leave(*tasks: asyncio.Task[object]) -> None:
    """Let the driver say goodbye, so that the device is free for the next client."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=LEAVE_TIMEOUT_S)
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()


def _uncounted(name: str, amount: int = 1) -> None:
    del name, amount
