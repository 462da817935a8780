"""Which scale and which zone is watched just now. Part of the movement rule.

Coverage is the proof; a device that has given none for SILENT_NS is blind, and one that never gave
any is blind once another has been heard for so long. An antenna may be blind on its own.
"""

from __future__ import annotations

from gateway.model import NS_PER_S, Coverage, Ns, Site

SILENT_NS = 4 * NS_PER_S
"""Longer than a scale may be silent before its next step counts as found after a gap (3 s), so that
such a step is never taken for one that was watched."""

SPANS_SILENT = 2
"""A reader with a slow keepalive is heard that seldom: so many of its spans must be missing."""


class Senses:
    """See the module."""

    def __init__(self, site: Site) -> None:
        self._zones = {
            zone.location: [
                (device, int(antenna))
                for device, _, antenna in (point.rpartition(":") for point in zone.antennas)
            ]
            for zone in site.zones
        }
        self._first_heard: Ns | None = None
        self._heard: dict[str, tuple[Ns, Ns]] = {}
        self._blind_antennas: dict[str, frozenset[int]] = {}

    def hear(self, now: Ns, coverage: Coverage) -> bool:
        """Take a proof; tell whether the device, or a part of it, is watched anew."""
        device, blind = coverage.device, frozenset(coverage.blind_antennas)
        back = coverage.resumed or bool(self._blind_antennas.get(device, frozenset()) - blind)
        if self._first_heard is None:
            self._first_heard = now
        self._heard[device] = (now, coverage.span_ns)
        self._blind_antennas[device] = blind
        return back

    def put_off(self, span_ns: Ns) -> None:
        """The gateway stood still: nobody was silent meanwhile."""
        if self._first_heard is not None:
            self._first_heard += span_ns
        self._heard = {device: (at + span_ns, span) for device, (at, span) in self._heard.items()}

    def silent(self, now: Ns, device: str) -> bool:
        """Whether the device is blind."""
        at, span = self._heard.get(device, (self._first_heard, 0))
        return at is not None and now - at > max(SILENT_NS, SPANS_SILENT * span)

    def zone_blind(self, now: Ns, zone: str) -> bool:
        """Whether any of the zone's antennas is blind: its tags prove nothing."""
        return any(
            self.silent(now, device)
            or not self._blind_antennas.get(device, frozenset()).isdisjoint({0, antenna})
            for device, antenna in self._zones.get(zone, ())
        )
