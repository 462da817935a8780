"""Which place a scan is about: the one that was scanned last with that scanner, for PLACE_NS; else
that at which the scanner stands. Part of the movement and the person rule.

A place is scanned by its code, as text or as GS1 elements: (414) if the code is a GLN, (414)(254)
if it is a GLN and an extension with a slash between them.
"""

from __future__ import annotations

from gateway.model import NS_PER_S, Ns, Scan, Site

PLACE_NS = 60 * NS_PER_S
"""Whoever names a place is at it for about so long; the next one he names again."""


class ScanPlaces:
    """See the module. One for each rule that asks; it holds a place for each scanner."""

    def __init__(self, site: Site) -> None:
        self._wired = {scanner.device: scanner.location for scanner in site.scanners}
        self._known = {
            place for cell in site.cells for place in (cell.location, cell.zone) if place
        }
        self._known |= {zone.location for zone in site.zones}
        self._known |= {end for gate in site.portals for end in (gate.outside, gate.inside)}
        self._scanned: dict[str, tuple[str, Ns]] = {}

    def take(self, now: Ns, scan: Scan) -> str | None:
        """The place whose code was scanned; None if it was none."""
        elements = dict(scan.elements)
        named = elements.get("414", "")
        if "254" in elements:
            named = f"{named}/{elements['254']}"
        place = next((each for each in (scan.text, named) if each in self._known), None)
        if place is not None:
            self._scanned[scan.device] = (place, now)
        return place

    def of(self, now: Ns, device: str) -> str | None:
        """The place that a scan of that scanner is about now; None if nobody says."""
        place, at = self._scanned.get(device, ("", 0))
        if place and now - at <= PLACE_NS:
            return place
        return self._wired.get(device)
