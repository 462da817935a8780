"""Radio at 865 to 928 MHz, as far as stock depends on it.

RSSI = P0 - 10 n log10(d) + fading(place) + noise, read chance = logistic(margin). Fading belongs
to the place: a tag that stands still keeps its level, one that is carried runs through peaks and
nulls a quarter wave apart. Ranges and their sources: the field notes on noise; measured on real
reads are fading and noise, the rest is engineering judgement until a site log calibrates it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

WAVES = 6
"""Plane waves that interfere at a place: enough for nulls, cheap enough per read."""

WAVELENGTH_M = 0.33


@dataclass(frozen=True, slots=True)
class Radio:
    """The radio of one site. All in dB, dBm and metres."""

    power_at_1m_dbm: float
    path_exponent: float
    fading_sd_db: float
    noise_sd_db: float
    sensitivity_dbm: float
    other_shelf_loss_db: float
    null_share: float
    null_db: float
    shadow_every_s: float
    shadow_s: float

    @classmethod
    def draw(cls, random: Random) -> Radio:
        """Draw a normal site from the middle of the ranges."""
        return cls(
            power_at_1m_dbm=random.uniform(-55.0, -49.0),
            path_exponent=random.uniform(3.0, 4.0),
            fading_sd_db=random.uniform(3.0, 4.5),
            noise_sd_db=0.25,
            sensitivity_dbm=random.uniform(-76.0, -70.0),
            other_shelf_loss_db=random.uniform(12.0, 20.0),
            null_share=random.uniform(0.02, 0.06),
            null_db=-15.0,
            shadow_every_s=random.uniform(25.0, 60.0),
            shadow_s=random.uniform(0.5, 2.0),
        )

    def level_dbm(self, distance_m: float, fading_db: float, random: Random) -> float:
        """The RSSI of one answer, before the reader rounds it."""
        path_db = 10 * self.path_exponent * math.log10(max(0.2, distance_m))
        noise_db = random.gauss(0.0, self.noise_sd_db)
        return self.power_at_1m_dbm - path_db + fading_db + noise_db

    def read_chance(self, level_dbm: float) -> float:
        """The chance that a tag at this level answers one round."""
        margin = (level_dbm - self.sensitivity_dbm) / 2.0
        return 0.98 / (1.0 + math.exp(-max(-40.0, min(40.0, margin))))


class Fading:
    """The fading one tag has with one antenna, as a function of where it is."""

    def __init__(self, radio: Radio, random: Random) -> None:
        self._scale_db = radio.fading_sd_db * math.sqrt(2.0 / WAVES)
        self._null_db = radio.null_db if random.random() < radio.null_share else 0.0
        self._waves = [
            (
                2 * math.pi / WAVELENGTH_M * random.uniform(0.2, 2.0),
                2 * math.pi / WAVELENGTH_M * random.uniform(0.2, 2.0),
                random.uniform(0.0, 2 * math.pi),
            )
            for _ in range(WAVES)
        ]

    def db(self, x_m: float, y_m: float, *, carried: bool) -> float:
        """Fading at a place; a null holds only where a tag stands."""
        total = sum(math.sin(kx * x_m + ky * y_m + phase) for kx, ky, phase in self._waves)
        return self._scale_db * total + (0.0 if carried else self._null_db)


class Shadow:
    """A body or a forklift between a tag and an antenna: bursts in which nearly nothing is read."""

    CHANCE_LEFT = 0.03

    def __init__(self, radio: Radio, random: Random) -> None:
        self._radio = radio
        self._random = random
        self._begins_s = random.expovariate(1.0 / radio.shadow_every_s)
        self._ends_s = self._begins_s + random.expovariate(1.0 / radio.shadow_s)

    def factor(self, at_s: float) -> float:
        """What is left of the read chance at that moment; moments must not go back."""
        while at_s >= self._ends_s:
            self._begins_s = self._ends_s + self._random.expovariate(
                1.0 / self._radio.shadow_every_s
            )
            self._ends_s = self._begins_s + self._random.expovariate(1.0 / self._radio.shadow_s)
        return self.CHANCE_LEFT if at_s >= self._begins_s else 1.0
