"""The air side of a reader: inventory rounds, the rate limit, and the Gen2 session flags.

A tag that answered falls silent for its session: not at all in S0, for a while in S1, for as
long as it is powered in S2 and S3. The world says which tags could answer; whether their flag
lets them is decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from simulators.llrp.antenna import DUAL_TARGET, SUPPRESSION, AntennaSettings
from simulators.llrp.field import Sighting, TagField

S1_SILENCE_S = (0.5, 5.0)
"""Bounds of a tag's S1 persistence in the Gen2 standard; each answer draws from them."""

POWERED_PERSISTENCE_S = 2.0
"""How long an S2 or S3 flag outlives the field at least."""

FLAGS_MAX = 100_000
"""Flags remembered before those that have run out are dropped."""

RATE_MAX = 5_000
"""Reads per second that a simulated reader can be asked for."""


@dataclass(frozen=True, slots=True)
class RadioSettings:
    """Limits of the air interface. `reads_per_s` is the fastest pace within a round, `dwell_s`
    the time on one antenna before the next, `round_min_s` the length of an empty round,
    `slice_s` how long reads are gathered before they are handed on.
    """

    reads_per_s: float = 300.0
    dwell_s: float = 0.2
    round_min_s: float = 0.02
    slice_s: float = 0.01
    session_flags: bool = True

    def __post_init__(self) -> None:
        """Check the rate."""
        if not 0 < self.reads_per_s <= RATE_MAX:
            raise ValueError(f"reads_per_s must lie in 1..{RATE_MAX}, got {self.reads_per_s}")


class SessionFlags:
    """Which tags are silent in which session, and until when."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._silent_until_s: dict[tuple[bytes, int], float] = {}

    def admit(self, epc: bytes, settings: AntennaSettings, at_s: float) -> bool:
        """Tell whether a powered tag answers now; a silent one stays powered by being asked."""
        if settings.session == 0 or settings.search_mode == DUAL_TARGET:
            return True
        key = (epc, settings.session)
        if self._silent_until_s.get(key, at_s) <= at_s:
            return True
        if self._stays(settings):
            self._silent_until_s[key] = at_s + POWERED_PERSISTENCE_S
        return False

    def answered(self, epc: bytes, settings: AntennaSettings, at_s: float) -> None:
        """Note that a tag was read: its flag is set now."""
        if settings.session == 0 or settings.search_mode == DUAL_TARGET:
            return
        if len(self._silent_until_s) >= FLAGS_MAX:
            self._forget(at_s)
        stays = self._stays(settings)
        silence_s = POWERED_PERSISTENCE_S if stays else self._random.uniform(*S1_SILENCE_S)
        self._silent_until_s[epc, settings.session] = at_s + silence_s

    def _stays(self, settings: AntennaSettings) -> bool:
        return settings.session > 1 or settings.search_mode == SUPPRESSION

    def _forget(self, at_s: float) -> None:
        kept = {key: until for key, until in self._silent_until_s.items() if until > at_s}
        self._silent_until_s = kept if len(kept) < FLAGS_MAX else {}


class Round(NamedTuple):
    """One inventory round: who was read how many seconds after its start, and its length."""

    reads: list[tuple[float, Sighting]]
    duration_s: float


class Radio:
    """Makes inventory rounds out of what the field would answer."""

    def __init__(self, field: TagField, settings: RadioSettings, random: Random) -> None:
        self.settings = settings
        self.antenna = 0
        """The antenna switched on last: an operation goes on from there."""
        self._field = field
        self._random = random
        self._flags = SessionFlags(random)

    def inventory(
        self, antenna: int, settings: AntennaSettings, power_dbm: float, at_s: float
    ) -> Round:
        """Make one round that starts at `at_s`; it ends with the antenna's dwell at the latest."""
        self.antenna = antenna
        ready = [
            sighting
            for sighting in self._field.inventory(antenna, power_dbm, at_s)
            if settings.selects(sighting.epc) and self._admit(sighting, settings, at_s)
        ]
        self._random.shuffle(ready)
        gap_s = 1 / self.settings.reads_per_s
        room = max(1, int(self.settings.dwell_s * self.settings.reads_per_s))
        reads = [((turn + 1) * gap_s, tag) for turn, tag in enumerate(ready[:room])]
        if self.settings.session_flags:
            for offset_s, tag in reads:
                self._flags.answered(tag.epc, settings, at_s + offset_s)
        return Round(reads, max(self.settings.round_min_s, len(reads) * gap_s))

    def in_turn(self, antennas: Sequence[int]) -> list[int]:
        """Return the antennas in the order of their turns, after the one used last."""
        used = self.antenna in antennas
        first = antennas.index(self.antenna) + 1 if used else 0
        return [*antennas[first:], *antennas[:first]]

    def _admit(self, sighting: Sighting, settings: AntennaSettings, at_s: float) -> bool:
        if not self.settings.session_flags:
            return True
        return self._flags.admit(sighting.epc, settings, at_s)
