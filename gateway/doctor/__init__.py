"""Looks for what is wrong with an installation, and names the fix of each in a line.

While a gateway runs, it is asked for devices, broker and core, since most devices take one client
only; else they are contacted from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from gateway.clock import BootClock
from gateway.doctor.box import examine_box
from gateway.doctor.broker import examine_broker, examine_settlement, examine_uplink
from gateway.doctor.devices import contact_devices
from gateway.doctor.files import examine_files, examine_state_folder
from gateway.doctor.finding import Finding, fail, ok, warn
from gateway.doctor.ledger import examine_ledger
from gateway.settings import Configuration
from gateway.status import NotRunningError, RefusedError, ask

__all__ = ["Finding", "connect", "examine", "examine_files", "examine_state_folder"]

DEVICE_FIX = "check power, cable, address and port; journalctl -u shelfgate tells since when"


async def examine(configuration: Configuration) -> list[Finding]:
    """All checks, in the order in which a person would look."""
    status, running = running_status(configuration)
    findings = [ok("configuration", str(configuration.path)), running]
    findings += examine_files(configuration)
    findings += examine_state_folder(configuration)
    findings += examine_box(configuration.gateway.state_folder, BootClock())
    findings += examine_ledger(configuration, running=running.verdict == "ok")
    findings.append(examine_settlement(configuration))
    findings += await _outside(configuration, status, running)
    return findings


async def connect(configuration: Configuration) -> list[Finding]:
    """Contact every device and the broker."""
    return await _outside(configuration, *running_status(configuration))


def running_status(configuration: Configuration) -> tuple[Mapping[str, Any] | None, Finding]:
    """The running gateway's status, if it runs and tells us."""
    try:
        status = ask(configuration.gateway.state_folder, {"request": "status"})["status"]
    except NotRunningError:
        text = "does not run; devices and broker are contacted from here"
        return None, warn("gateway", text, "systemctl start shelfgate")
    except (RefusedError, OSError) as error:
        return None, fail("gateway", str(error), "run doctor as root or as the gateway's user")
    return status, ok("gateway", f"runs, shelfgate {status['version']}")


async def _outside(
    configuration: Configuration, status: Mapping[str, Any] | None, running: Finding
) -> list[Finding]:
    if status is not None:
        return [*_devices(status), *examine_uplink(configuration, status)]
    if running.verdict == "fail":
        return []
    devices = await contact_devices(configuration.devices, BootClock(), Random(0))
    return [*devices, *await examine_broker(configuration)]


def _devices(status: Mapping[str, Any]) -> Iterator[Finding]:
    for device in status["devices"]:
        check = f"device {device['device']}"
        blind = device.get("blind_antennas")
        if device["state"] != "up":
            text = f"{device['state']}: {device.get('reason', 'not connected yet')}"
            yield fail(check, text, DEVICE_FIX)
        elif blind:
            text = "up, but blind" + (f" at antennas {blind}" if blind != [0] else "")
            yield fail(check, text, "check the antennas' cables; shelfgate status tells the alerts")
        else:
            yield ok(check, "up")
