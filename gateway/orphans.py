"""Alerts about what is not configured any more: nobody is left who could clear them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from gateway.assembly import Gateway
from gateway.model import DeviceFault, Site
from gateway.store import RaisedAlert, StoreReader


async def clear_orphans(gateway: Gateway) -> None:
    """Clear the standing alerts of devices and antennas that are not there, saying so."""
    standing = await gateway.store.read(StoreReader.alerts)
    configuration = gateway.configuration
    devices = {device.device for device in configuration.devices} | {configuration.gateway.id}
    for fault in orphans(standing, devices, wired_points(configuration.site)):
        await gateway.inbox.put(gateway.clock.now(), fault)


def orphans(
    standing: Sequence[RaisedAlert], devices: Collection[str], points: Collection[str]
) -> Iterator[DeviceFault]:
    """The faults that are over with their device or antenna. Their keys are those of the rule
    `health`: code, device and, where it is about one, the antenna.
    """
    for raised in standing:
        code, severity = raised.alert.code, raised.alert.severity
        named, _, place = raised.alert.key.partition(":")
        device, _, antenna = place.partition(":")
        if named != code or not device or (antenna and not antenna.isdecimal()):
            continue
        number = int(antenna or 0)
        if device not in devices:
            text = f"{device} is not configured any more"
        elif number and place not in points:
            text = f"antenna {number} of {device} is not wired any more"
        else:
            continue
        yield DeviceFault(device, code, False, text, number, severity=severity)


def wired_points(site: Site) -> frozenset[str]:
    """All read points that the site names."""
    zones = (point for zone in site.zones for point in zone.antennas)
    portals = (point for portal in site.portals for point in (*portal.inner, *portal.outer))
    return frozenset((*zones, *portals))
