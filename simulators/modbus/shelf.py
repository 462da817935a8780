"""One simulated transmitter with its load cells, in front of a field of loads."""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from simulators.modbus.scale import Display, ScaleState

CELLS_MAX = 8


class LoadField(Protocol):
    """The physical truth: what lies on a cell at a moment, with all its physics but the ADC."""

    def gross_g(self, cell: str, at_s: float) -> float:
        """Grams on the cell at a moment."""


@dataclass(slots=True)
class FixedLoads:
    """A field whose loads stay until they are set anew; a cell not named carries nothing."""

    loads_g: dict[str, float] = field(default_factory=dict)

    def gross_g(self, cell: str, at_s: float) -> float:
        """Grams last set for the cell."""
        del at_s
        return self.loads_g.get(cell, 0.0)


@dataclass(frozen=True, slots=True)
class Transmitter:
    """How a transmitter samples and judges. The defaults are those of a 50 kg plate.

    It says stable when its filtered weight stayed within `stable_band_g` for `stable_s`, so its
    flag lags behind the load by the filter and by that time.
    """

    capacity_g: float = 50_000.0
    noise_sd_g: float = 0.0
    sample_rate_hz: float = 10.0
    filter_samples: int = 3
    stable_band_g: float = 2.0
    stable_s: float = 0.5
    overload_divisions: int = 9
    underload_g: float = -500.0
    zero_share: float = 0.04  # of capacity: how far from the first zero a zero command may go


@dataclass(slots=True)
class CellTrouble:
    """What is wrong with a cell, until it is set right again."""

    frozen: bool = False
    overload: bool = False
    broken: bool = False
    not_a_number: bool = False


class _Cell:
    """One measuring chain: filter, plateau, zero and tare."""

    def __init__(self, settings: Transmitter) -> None:
        self._settings = settings
        self._raw: deque[float] = deque(maxlen=settings.filter_samples)
        span = math.ceil(settings.stable_s * settings.sample_rate_hz)
        self._plateau: deque[float] = deque(maxlen=max(span, 1))
        self.zero_g = 0.0
        self.tare_g = 0.0
        self.preset_tare = False
        self.trouble = CellTrouble()

    @property
    def window(self) -> int:
        """Samples after which nothing of the past is left in the chain."""
        return self._settings.filter_samples + (self._plateau.maxlen or 0)

    def sample(self, weight_g: float) -> None:
        self._raw.append(weight_g)
        self._plateau.append(sum(self._raw) / len(self._raw))

    @property
    def filtered_g(self) -> float:
        return self._plateau[-1] if self._plateau else 0.0

    @property
    def stable(self) -> bool:
        plateau = self._plateau
        if len(plateau) < (plateau.maxlen or 0):
            return False
        return max(plateau) - min(plateau) <= self._settings.stable_band_g

    def state(self, division_g: float) -> ScaleState:
        gross_g = self.filtered_g - self.zero_g
        limit_g = self._settings.capacity_g + self._settings.overload_divisions * division_g
        return ScaleState(
            gross_g=gross_g,
            tare_g=self.tare_g,
            preset_tare=self.preset_tare,
            moving=not self.stable,
            underload=gross_g < self._settings.underload_g,
            overload=self.trouble.overload or gross_g > limit_g,
            fault=self.trouble.broken,
            not_a_number=self.trouble.not_a_number,
        )


class Shelf:
    """1 to 8 cells behind one transmitter. Time is handed in and only moves forward."""

    def __init__(
        self,
        cells: Sequence[str],
        loads: LoadField,
        display: Display,
        settings: Transmitter,
        random: Random,
    ) -> None:
        assert 1 <= len(cells) <= CELLS_MAX, f"a transmitter has 1 to {CELLS_MAX} cells"
        self.cells = tuple(cells)
        self.settings = settings
        self._display = display
        self._loads = loads
        self._random = random
        self._chains = [_Cell(settings) for _ in self.cells]
        self._tick: int | None = None

    @property
    def troubles(self) -> Mapping[str, CellTrouble]:
        """What is wrong, by cell name; set its fields to cause and to end a trouble."""
        return {name: chain.trouble for name, chain in zip(self.cells, self._chains, strict=True)}

    def states(self, at_s: float) -> list[ScaleState]:
        """All scales as they stand at a moment; an earlier moment than the last changes nothing."""
        self.advance(at_s)
        division_g = self._display.division_g
        return [chain.state(division_g) for chain in self._chains]

    def advance(self, at_s: float) -> None:
        """Take the samples due up to now; after a long pause only those that still matter."""
        rate = self.settings.sample_rate_hz
        last = math.floor(at_s * rate + 1e-9)
        # On the first look the device has been standing there for a while already.
        first = last if self._tick is None else self._tick + 1
        window = self._chains[0].window
        repeats = window if self._tick is None else 1
        for tick in range(max(first, last - window + 1), last + 1):
            for _ in range(repeats):
                self._sample(tick / rate)
        self._tick = max(last, self._tick if self._tick is not None else last)

    def _sample(self, at_s: float) -> None:
        for name, chain in zip(self.cells, self._chains, strict=True):
            # The noise is drawn in any case, so that a frozen cell does not change its neighbours.
            noise_g = self._random.gauss(0.0, self.settings.noise_sd_g)
            if not chain.trouble.frozen:
                chain.sample(self._loads.gross_g(name, at_s) + noise_g)

    def zero(self, index: int, *, moving: bool = False) -> bool:
        """Zero within the allowed share of capacity around the first zero, and at standstill."""
        chain = self._chains[index]
        limit_g = self.settings.capacity_g * self.settings.zero_share
        if not (moving or chain.stable) or abs(chain.filtered_g) > limit_g:
            return False
        chain.zero_g = chain.filtered_g
        return True

    def tare(self, index: int, *, moving: bool = False) -> bool:
        """Tare a weight above zero, at standstill."""
        chain = self._chains[index]
        gross_g = chain.filtered_g - chain.zero_g
        if not (moving or chain.stable) or gross_g <= 0:
            return False
        chain.tare_g, chain.preset_tare = gross_g, False
        return True

    def preset_tare(self, index: int, tare_g: float) -> bool:
        """Set the tare to a number; 0 clears it. It may not exceed capacity."""
        if tare_g > self.settings.capacity_g:
            return False
        chain = self._chains[index]
        chain.tare_g, chain.preset_tare = tare_g, tare_g != 0
        return True

    def clear_tare(self, index: int) -> bool:
        """Go back to gross."""
        chain = self._chains[index]
        chain.tare_g, chain.preset_tare = 0.0, False
        return True
