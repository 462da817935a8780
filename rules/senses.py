"""Which scale and which zone is watched just now. Part of the movement rule.

Coverage is the proof; a device that has given none for SILENT_NS is blind, and one that never gave
any is blind once another has been heard for so long. An antenna may be blind on its own.
"""

from __future__ import annotations

from gateway.model import NS_PER_S, CellId, Coverage, Ns, SenseChange, Site

SILENT_NS = 4 * NS_PER_S
"""Longer than a scale may be silent before its next step counts as found after a gap (3 s), so that
such a step is never taken for one that was watched."""

SPANS_SILENT = 2
"""A reader with a slow keepalive is heard that seldom: so many of its spans must be missing."""


class Senses:
    """See the module."""

    def __init__(self, site: Site) -> None:
        self._zones: dict[str, list[tuple[str, int]]] = {
            zone.location: [
                (device, int(antenna))
                for device, _, antenna in (point.rpartition(":") for point in zone.antennas)
            ]
            for zone in site.zones
        }
        for gate in site.portals:
            points = [point.rpartition(":") for point in (*gate.outer, *gate.inner)]
            self._zones.setdefault(gate.portal, [(device, int(ant)) for device, _, ant in points])
        self._dead_cells: set[CellId] = set()
        self.first_heard: Ns | None = None
        self._heard: dict[str, tuple[Ns, Ns]] = {}
        self._blind_antennas: dict[str, frozenset[int]] = {}

    def hear(self, now: Ns, coverage: Coverage) -> bool:
        """Take a proof; tell whether the device, or a part of it, is watched anew."""
        device, blind = coverage.device, frozenset(coverage.blind_antennas)
        back = coverage.resumed or bool(self._blind_antennas.get(device, frozenset()) - blind)
        if self.first_heard is None:
            self.first_heard = now
        self._heard[device] = (now, coverage.span_ns)
        self._blind_antennas[device] = blind
        return back

    def put_off(self, span_ns: Ns) -> None:
        """The gateway stood still: nobody was silent meanwhile."""
        if self.first_heard is not None:
            self.first_heard += span_ns
        self._heard = {device: (at + span_ns, span) for device, (at, span) in self._heard.items()}

    def silent(self, now: Ns, device: str) -> bool:
        """Whether the device is blind."""
        at, span = self._heard.get(device, (self.first_heard, 0))
        return at is not None and now - at > max(SILENT_NS, SPANS_SILENT * span)

    def changed(self, change: SenseChange) -> bool:
        """A cell weighs nothing though its device answers, or does again; True if it does."""
        if change.sense != "weight":
            return False
        if change.missing:
            self._dead_cells.add(change.point)
        elif change.point in self._dead_cells:
            self._dead_cells.remove(change.point)
            return True
        return False

    def cell_blind(self, now: Ns, cell: CellId) -> bool:
        """Whether nothing is weighed on a cell."""
        return cell in self._dead_cells or self.silent(now, cell.rpartition(":")[0])

    def weight_alone(self, now: Ns, cell: CellId, zone: str) -> bool:
        """Whether a cell is weighed and the tags around it are not read."""
        return self.zone_blind(now, zone) and not self.cell_blind(now, cell)

    def zone_heard(self, now: Ns, zone: str) -> Ns:
        """Until when all readers of a zone, or portal, were heard."""
        at = (
            self._heard.get(device, (self.first_heard or now, 0)) for device, _ in self._zones[zone]
        )
        return min((moment for moment, _ in at), default=now)

    def zone_blind(self, now: Ns, zone: str) -> bool:
        """Whether any antenna of the zone, or portal, is blind: its tags prove nothing."""
        return any(
            self.silent(now, device)
            or not self._blind_antennas.get(device, frozenset()).isdisjoint({0, antenna})
            for device, antenna in self._zones.get(zone, ())
        )
