"""What the senses said while a count looked: levels of cells, reads of tags, and what moved.

Nothing here is durable: a count that a restart cut short looks anew. Part of the stock-take rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt

from gateway.model import CellFlag, CellId, Coverage, Ns, TagReport, WeightReport
from rules.stocktake_places import CountPlaces

SAMPLES_MIN = 9
"""A level of fewer samples is none: two seconds of the slowest poll."""

SAMPLES_COUNT_MAX = 9
"""So many samples make a level three times as sure as one is; more help little, for what is left
creeps: draughts, temperature."""

TAGS_MAX = 100_000
"""Tags that are told apart in one window: as many as the gateway knows at most."""

READS_MIN = 3
"""A tag that was read less often may be a stray of another place, or a misread."""

NOT_STILL = CellFlag.UNUSABLE | CellFlag.MOTION


@dataclass(slots=True)
class Level:
    """Running mean and spread of a cell's weight (Welford)."""

    samples: int = 0
    mean_g: float = 0.0
    squares: float = 0.0

    def add(self, gross_g: float) -> None:
        """One sample more."""
        self.samples += 1
        off = gross_g - self.mean_g
        self.mean_g += off / self.samples
        self.squares += off * (gross_g - self.mean_g)

    @property
    def sd_g(self) -> float:
        """How sure the mean is."""
        spread = sqrt(self.squares / max(1, self.samples - 1))
        return spread / sqrt(min(self.samples, SAMPLES_COUNT_MAX))


class Window:
    """One look, from `began` until `ends`. `moved` are the locations where something happened."""

    def __init__(self, places: CountPlaces, began: Ns, ends: Ns) -> None:
        self.began = began
        self.ends = ends
        self.moved: set[str] = set()
        self._places = places
        self._levels: dict[CellId, Level] = {}
        self._reads: dict[str, dict[str, int]] = {}
        self._heard: dict[str, frozenset[int]] = {}

    def weigh(self, report: WeightReport) -> None:
        """Take the samples of one poll."""
        for sample in report.samples:
            if not sample.flags & NOT_STILL and isfinite(sample.gross_g):
                self._levels.setdefault(sample.cell, Level()).add(sample.gross_g)

    def read(self, report: TagReport) -> None:
        """Take the reads of one report."""
        for read in report.reads:
            zone = self._places.zone_of.get(read.read_point)
            if zone is None or (read.epc not in self._reads and len(self._reads) >= TAGS_MAX):
                continue
            zones = self._reads.setdefault(read.epc, {})
            zones[zone] = zones.get(zone, 0) + read.seen_count

    def hear(self, coverage: Coverage) -> None:
        """A device is alive, but for its blind antennas."""
        self._heard[coverage.device] = frozenset(coverage.blind_antennas)

    def level(self, cell: CellId) -> Level | None:
        """What lay on a cell; None if it was not weighed for long enough."""
        level = self._levels.get(cell)
        return level if level is not None and level.samples >= SAMPLES_MIN else None

    def watched(self, zone: str) -> bool:
        """Whether all antennas of a zone were alive: only then is a silent tag a missing one."""
        antennas = self._places.antennas(zone)
        return bool(antennas) and all(
            device in self._heard and self._heard[device].isdisjoint({0, antenna})
            for device, antenna in antennas
        )

    def zone_of(self, epc: str) -> str | None:
        """The zone in which a tag was read most; "" if too seldom to say, None if not at all."""
        zones = self._reads.get(epc)
        if not zones:
            return None
        zone = max(zones, key=lambda zone: (zones[zone], zone))
        return zone if zones[zone] >= READS_MIN else ""

    def was_read(self, epc: str, zone: str) -> bool:
        """Whether a tag was read in a zone at all."""
        return zone in self._reads.get(epc, ())

    def tags(self) -> list[str]:
        """All tags that were read."""
        return list(self._reads)
