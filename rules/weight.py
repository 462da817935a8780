"""Weight: the step between two stable plateaus of a cell.

    settling --- window_s of samples within the band ---> plateau
    plateau  --- a sample outside the band -------------> settling

A plateau that differs from the baseline by at least `step_min_g` is a step; a smaller difference
is drift, and moves the baseline. A hand on the shelf or a bounce leaves no new plateau, or the
same one, and books nothing. Samples that the transmitter marks unusable are not samples.

The baseline is declared state: after blind time the first plateau is compared with it, so that
what changed meanwhile is one step with the cause `found_after_gap`. Drift is kept too, in parts of
DRIFT_KEPT_SHARE, so that a week of it is no step after a restart. After a zero that the gateway
commanded, whether it is known to be done or not, the next plateau is compared with zero or with the
baseline, whichever is nearer; that is kept until it has come. A tare moves the net weight only, and
samples are gross: it changes nothing here.

A cell whose planned item is light takes a smaller step for one: STEP_SHARE of a piece, and a band
of BAND_SHARE of it, so that no window in which a piece goes looks like a plateau half-way. A band
below BAND_MIN_G would never hold the noise: lighter pieces are not resolved one by one, and leave
the cell as it is. `unit_min_g` of the settings tells that limit.

Source: change between stable states, as weighing practice (OIML R 76, stable equilibrium) and
the published smart-shelf systems do it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite, sqrt
from typing import ClassVar, Self

from pydantic import Field, model_validator

from gateway.model import (
    NS_PER_S,
    ActionDone,
    Cause,
    CellFlag,
    Fact,
    Item,
    Ns,
    ReferenceDeleted,
    Stall,
    WeightReport,
    WeightSample,
    WeightStep,
)
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn

SAMPLES_MAX = 512
"""Samples in one window: 2 s at 200 Hz, faster than any shelf transmitter answers."""

DRIFT_KEPT_SHARE = 0.25
"""Drift is written down when it comes to this share of a step: seldom, and long before a step."""

DRIFT_PER_S_G = 0.05
"""The baseline follows drift no faster: zero tracking must not eat a slow pilferage."""

STEP_SHARE = 0.7
"""Of one piece: a step of so much is nearer to a piece than what dust and drift come to."""

BAND_SHARE = 0.4
"""Of one piece: twice the band, the spread of a plateau, is then less than the piece itself."""

BAND_MIN_G = 1.0
"""Noise of a good cell, 0.3 g, spreads over 1.5 g in a window: a smaller band is for one that is
known to be better, and is set as `band_g`.
"""


class WeightSettings(PluginSettings):
    """Quick or sure: a longer window decides later and is fooled by fewer hands."""

    window_s: float = Field(1.0, gt=0)
    samples_min: int = Field(6, ge=3)
    band_g: float = Field(2.0, gt=0)
    step_min_g: float = Field(5.0, gt=0)
    gap_s: float = Field(3.0, gt=0)

    @model_validator(mode="after")
    def _step_leaves_the_band(self) -> Self:
        if self.step_min_g <= 2 * self.band_g:
            raise ValueError("step_min_g must be more than twice band_g, or half a step is booked")
        return self

    @property
    def unit_min_g(self) -> float:
        """The lightest piece that is told from nothing, one by one."""
        return min(self.band_g, BAND_MIN_G) / BAND_SHARE

    def of_unit(self, unit_g: float) -> tuple[float, float]:
        """Band and least step, in grams, of a cell with pieces of that weight; 0 is unknown."""
        if unit_g < self.unit_min_g:
            return self.band_g, self.step_min_g
        return min(self.band_g, BAND_SHARE * unit_g), min(self.step_min_g, STEP_SHARE * unit_g)


@dataclass(slots=True)
class _Plate:
    """What is known of one cell."""

    band_g: float
    step_min_g: float

    samples: deque[tuple[Ns, float]] = field(default_factory=lambda: deque(maxlen=SAMPLES_MAX))
    baseline_g: float | None = None
    last_at: Ns = 0
    still_at: Ns = 0
    drift_at: Ns = 0
    gap: bool = True
    commanded: bool = False
    kept_g: float = 0.0


class Weight:
    """See the module."""

    Settings: ClassVar[type[PluginSettings]] = WeightSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (
        WeightReport,
        ActionDone,
        Stall,
        Item,
        ReferenceDeleted,
    )
    schema: ClassVar[int] = 1

    def __init__(self, settings: WeightSettings, context: RuleContext) -> None:
        self._window_ns = int(settings.window_s * NS_PER_S)
        self._samples_min = settings.samples_min
        self._settings = settings
        self._gap_ns = int(settings.gap_s * NS_PER_S)
        self._last_alive = context.last_alive or 0
        self._plates = {
            cell.cell: _Plate(settings.band_g, settings.step_min_g) for cell in context.site.cells
        }
        self._planned: dict[str, list[_Plate]] = {}
        for cell in context.site.cells:
            if cell.item is not None:
                self._planned.setdefault(cell.item, []).append(self._plates[cell.cell])

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back the baselines; what differs on the first plateau happened unwatched."""
        for row in rows:
            plate = self._plates.get(row.key)
            if plate is not None:
                baseline_mg = row.value["baseline_mg"]
                assert isinstance(baseline_mg, int)
                plate.baseline_g = plate.kept_g = baseline_mg / 1000
                plate.commanded = "commanded" in row.value
                plate.still_at = self._last_alive

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Take samples into the cells' windows and compare what has come to rest."""
        if type(fact) is WeightReport:
            turn = NOTHING
            for sample in fact.samples:
                plate = self._plates.get(sample.cell)
                if plate is not None:
                    turn = self._sample(now, sample, plate, turn)
            return turn
        if type(fact) is ActionDone and fact.kind == "zero":
            plate = self._plates.get(fact.cell)
            if plate is not None:
                plate.commanded = True
                plate.samples.clear()
                if plate.baseline_g is not None:
                    return Turn(puts=(_row(fact.cell, plate),))
        elif type(fact) is Stall:
            for plate in self._plates.values():
                plate.samples.clear()
        elif type(fact) is Item:
            self._set_step(fact.code, fact.unit_mg / 1000)
        elif type(fact) is ReferenceDeleted and fact.kind == "item":
            self._set_step(fact.code, 0.0)
        return NOTHING

    def _set_step(self, code: str, unit_g: float) -> None:
        for plate in self._planned.get(code, ()):
            plate.band_g, plate.step_min_g = self._settings.of_unit(unit_g)

    def _sample(self, now: Ns, sample: WeightSample, plate: _Plate, turn: Turn) -> Turn:
        samples = plate.samples
        if sample.flags & CellFlag.UNUSABLE or not isfinite(sample.gross_g):
            samples.clear()
            return turn
        if now - plate.last_at > self._gap_ns:
            samples.clear()
            plate.gap = True
        plate.last_at = now
        samples.append((now, sample.gross_g))
        oldest = now - self._window_ns
        while samples[0][0] < oldest and len(samples) > self._samples_min:
            samples.popleft()
        if len(samples) < self._samples_min or now - samples[0][0] < self._window_ns * 3 // 4:
            return turn
        weights = [gross for _, gross in samples]
        if max(weights) - min(weights) > 2 * plate.band_g:
            return turn
        return self._plateau(now, sample.cell, plate, weights, turn)

    def _plateau(self, now: Ns, cell: str, plate: _Plate, weights: list[float], turn: Turn) -> Turn:
        level = sum(weights) / len(weights)
        baseline = plate.baseline_g
        if baseline is None:
            return self._declare(now, cell, plate, (0.0, level), weights, turn)
        commanded, plate.commanded = plate.commanded, False
        if commanded:  # it was done, or it was not: fewer pieces moved is the likelier story
            baseline = min((0.0, baseline), key=lambda level_before: abs(level - level_before))
        if abs(level - baseline) >= plate.step_min_g:
            return self._declare(now, cell, plate, (baseline, level), weights, turn)
        if commanded:
            plate.baseline_g, plate.still_at, plate.drift_at, plate.gap = level, now, now, False
            return turn._replace(puts=(*turn.puts, _row(cell, plate)))
        if abs(self._drift(now, plate, level) - plate.kept_g) < plate.step_min_g * DRIFT_KEPT_SHARE:
            return turn
        return turn._replace(puts=(*turn.puts, _row(cell, plate)))

    def _declare(
        self,
        now: Ns,
        cell: str,
        plate: _Plate,
        levels: tuple[float, float],
        weights: list[float],
        turn: Turn,
    ) -> Turn:
        before, after = levels
        cause: Cause = "found_after_gap" if plate.gap else "live"
        if plate.baseline_g is None:
            cause = "first_start"
        mean = sum(weights) / len(weights)
        spread = sqrt(sum((gross - mean) ** 2 for gross in weights) / (len(weights) - 1))
        step = WeightStep(cell, before, after, spread, plate.still_at, cause)
        plate.baseline_g, plate.still_at, plate.drift_at, plate.gap = after, now, now, False
        return turn._replace(facts=(*turn.facts, step), puts=(*turn.puts, _row(cell, plate)))

    def _drift(self, now: Ns, plate: _Plate, level: float) -> float:
        """Follow what creeps, at a bounded rate; after a gap, in one go. Return the baseline."""
        assert plate.baseline_g is not None
        room = DRIFT_PER_S_G * (now - plate.drift_at) / NS_PER_S
        change = level - plate.baseline_g
        plate.baseline_g += change if plate.gap else max(-room, min(room, change))
        plate.gap = False
        plate.drift_at = plate.still_at = now
        return plate.baseline_g


def _row(cell: str, plate: _Plate) -> Row:
    """The cell's durable row as it is now."""
    assert plate.baseline_g is not None
    plate.kept_g = plate.baseline_g
    baseline_mg = round(plate.baseline_g * 1000)
    if plate.commanded:
        return Row(cell, {"baseline_mg": baseline_mg, "commanded": 1})
    return Row(cell, {"baseline_mg": baseline_mg})
