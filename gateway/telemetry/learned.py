"""What the rules have learned: how noisy and how drifting a cell is, what a piece weighs, how long
the tags of a zone fall silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.model import NS_PER_S, Site, UnitLearned, WeightStep, ZoneLearned
from gateway.telemetry.line_protocol import FieldValue
from gateway.telemetry.page import Labels, Page, Table


@dataclass(slots=True)
class _Known:
    series: str
    fields: dict[str, FieldValue] = field(default_factory=dict)
    changed: bool = False


class LearnedMeter:
    """Follows what is learned; it comes with the steps that taught it."""

    def __init__(self, labels: Labels, site: Site) -> None:
        locations = {cell.cell: cell.location for cell in site.cells}
        self._cells: Table[str, _Known] = Table(
            lambda cell: _Known(
                labels.series(
                    "cell",
                    device=cell.rpartition(":")[0],
                    cell=cell,
                    location=locations.get(cell, ""),
                )
            )
        )
        self._units: Table[str, _Known] = Table(
            lambda item: _Known(labels.series("unit", item=item))
        )
        self._zones: Table[str, _Known] = Table(
            lambda zone: _Known(labels.series("presence", zone=zone))
        )

    @property
    def refused(self) -> int:
        """Tallies not kept because a table was full."""
        return self._cells.refused + self._units.refused + self._zones.refused

    def step(self, fact: WeightStep) -> None:
        """Take what a step says of its cell."""
        self._take(self._cells[fact.cell], {"noise_g": fact.noise_g, "drift_g": fact.drift_g})

    def unit(self, fact: UnitLearned) -> None:
        """Take what a piece is now taken to weigh."""
        told = {"unit_g": fact.unit_g, "sd_g": fact.sd_g, "pieces": fact.pieces}
        self._take(self._units[fact.item], told)

    def zone(self, fact: ZoneLearned) -> None:
        """Take how long a tag of a zone must now be silent to have left."""
        told = {
            "gap_s": fact.gap_ns / NS_PER_S,
            "long_silences_per_h": fact.long_per_h,
            "window_s": fact.window_ns / NS_PER_S,
            "roamed_window_s": fact.roamed_window_ns / NS_PER_S,
        }
        self._take(self._zones[fact.zone], told)

    def write(self, page: Page, *, unchanged: bool) -> None:
        """Write what is no longer as it was sent; everything if `unchanged` is wanted too."""
        for table in (self._cells, self._units, self._zones):
            for known in table.values():
                if known.changed or unchanged:
                    known.changed = False
                    page.add(known.series, known.fields)

    def _take(self, known: _Known, told: Mapping[str, FieldValue]) -> None:
        known.fields, known.changed = dict(told), True
