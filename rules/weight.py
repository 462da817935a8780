"""Weight: the step between two stable plateaus of a cell.

    settling --- window_s of samples at rest (`rules.plateau`) ---> plateau
    plateau  --- a window that is not at rest -------------------> settling

A plateau that differs from the baseline by at least `step_min_g` is a step; a smaller difference
is drift, and moves the baseline. A hand on the shelf or a bounce leaves no new plateau, or the
same one, and books nothing. Samples that the transmitter marks unusable are not samples.

The baseline is declared state: after blind time the first plateau is compared with it, so that
what changed meanwhile is one step with the cause `found_after_gap`. Drift is kept too, in parts of
DRIFT_KEPT_SHARE, so that a week of it is no step after a restart. After a zero that the gateway
commanded, whether it is known to be done or not, the next plateau is compared with zero or with the
baseline, whichever is nearer; that is kept until it has come. A tare moves the net weight only, and
samples are gross: it changes nothing here.

A cell whose lightest planned item is light takes a smaller step for one: STEP_SHARE of a piece, and
halves of a window that lie within BAND_SHARE of it, so that no window in which a piece goes looks
like a plateau half-way. A band below BAND_MIN_G would never hold the noise: lighter pieces are not
resolved one by one, and leave the cell as it is. `unit_min_g` of the settings tells that limit.

A floor that shakes in step with the polls looks like a plateau, on all cells of a transmitter at
once and on each as much: then a light step waits until that is over, or for SHAKEN_MAX_NS.

What a cell says that is no step is an alert (`rules.cell_alerts`): the baseline follows drift, and
drift that only ever takes away is a loss.

Source: change between stable states, as weighing practice (OIML R 76, stable equilibrium) and
the published smart-shelf systems do it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf, isfinite
from statistics import median_low
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from gateway.model import (
    NS_PER_S,
    ActionDone,
    Cause,
    CellFlag,
    CellId,
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
from rules.cell_alerts import LOSS_MAX_G, NEVER_SETTLES, SLOW_LOSS, CellAlerts, Evidence
from rules.plateau import Rest, Window
from rules.turns import together

DRIFT_KEPT_SHARE = 0.25
"""Drift is written down when it comes to this share of a step: seldom, and long before a step."""

DRIFT_PER_S_G = 0.05
"""The baseline follows drift no faster: zero tracking must not eat a slow pilferage."""

STEP_SHARE = 0.7
"""Of one piece: a step of so much is nearer to a piece than what dust and drift come to."""

BAND_SHARE = 0.4
"""Of one piece: a window that it went in the middle of is far from that."""

SHAKEN_G, SHAKEN_MAX_NS = 30.0, 5 * NS_PER_S
"""A forklift or a lorry shakes the floor by up to 20 g for one to three seconds."""

SHAKEN_SHARE, SHAKEN_OTHERS_MIN = 0.4, 2
"""Half of the others, of so many at least, move with the floor by so much of what the cell does."""

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
        """How far the halves of a window may lie apart, and the least step, both in grams, where
        the lightest piece weighs so much; 0 is unknown.
        """
        if unit_g < self.unit_min_g:
            return inf, self.step_min_g
        return BAND_SHARE * unit_g, min(self.step_min_g, STEP_SHARE * unit_g)


@dataclass(slots=True)
class _Plate:
    """What is known of one cell."""

    window: Window
    step_min_g: float
    items: tuple[str, ...]
    evidence: Evidence = field(default_factory=Evidence)
    baseline_g: float | None = None
    stepped_g: float = 0.0
    last_at: Ns = 0
    still_at: Ns = 0
    shaken_from: Ns = 0
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
        self._settings = settings
        self._gap_ns = int(settings.gap_s * NS_PER_S)
        self._last_alive = context.last_alive or 0
        window_ns = int(settings.window_s * NS_PER_S)
        self._plates = {
            cell.cell: _Plate(
                Window(settings.band_g, window_ns, settings.samples_min),
                settings.step_min_g,
                cell.planned,
            )
            for cell in context.site.cells
        }
        self._units_g: dict[str, float] = {}
        self._alerts = CellAlerts()
        self._poll: tuple[WeightSample, ...] = ()

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back the baselines; what differs on the first plateau happened unwatched."""
        for row in rows:
            plate = self._plates.get(row.key)
            if plate is not None:
                value: Any = row.value
                plate.baseline_g = plate.kept_g = value["baseline_mg"] / 1000
                plate.stepped_g = value.get("stepped_mg", value["baseline_mg"]) / 1000
                plate.commanded = "commanded" in value
                plate.still_at = self._last_alive
                if "noise_mg" in value:
                    plate.window.restore(value["noise_mg"] / 1000)
            else:
                self._restore_alert(row)

    def _restore_alert(self, row: Row) -> None:
        standing = self._alerts.restore(row)
        if standing is not None:
            code, cell = standing
            if cell in self._plates:
                self._plates[cell].evidence.stands(code)

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Take samples into the cells' windows and compare what has come to rest."""
        if type(fact) is WeightReport:
            turn, self._poll = NOTHING, fact.samples
            for sample in fact.samples:
                plate = self._plates.get(sample.cell)
                if plate is not None:
                    turn = self._sample(now, sample, plate, turn)
            return turn
        if type(fact) is ActionDone and fact.kind == "zero":
            plate = self._plates.get(fact.cell)
            if plate is not None:
                plate.commanded = True
                plate.window.clear()
                if plate.baseline_g is not None:
                    return Turn(puts=(_row(fact.cell, plate),))
        elif type(fact) is Stall:
            for plate in self._plates.values():
                plate.window.clear()
        elif type(fact) is Item:
            self._weigh(fact.code, fact.unit_mg / 1000)
        elif type(fact) is ReferenceDeleted and fact.kind == "item":
            self._weigh(fact.code, 0.0)
        return NOTHING

    def _weigh(self, code: str, unit_g: float) -> None:
        """The item's piece weighs so much: set the cells on which it is planned."""
        settings = self._settings
        self._units_g[code] = unit_g
        for plate in self._plates.values():
            if code in plate.items:
                units_g = (self._units_g.get(item, 0.0) for item in plate.items)
                lightest_g = min((g for g in units_g if g >= settings.unit_min_g), default=0.0)
                plate.window.halves_max_g, plate.step_min_g = settings.of_unit(lightest_g)

    def _sample(self, now: Ns, sample: WeightSample, plate: _Plate, turn: Turn) -> Turn:
        if sample.flags & CellFlag.UNUSABLE or not isfinite(sample.gross_g):
            plate.window.clear()
            return turn
        span = now - plate.last_at
        if span > self._gap_ns:
            plate.window.clear()
            plate.gap, span = True, 0
        plate.last_at = now
        rest = plate.window.add(now, sample.gross_g)
        if rest is None:
            if not plate.evidence.restless(span):
                return turn
            return together(turn, self._alerts.settle(now, NEVER_SETTLES, sample.cell, found=True))
        if plate.evidence.unrest_ns and plate.evidence.rested(span):
            cleared = self._alerts.settle(now, NEVER_SETTLES, sample.cell, found=False)
            turn = together(turn, cleared)
        return together(turn, self._plateau(now, sample.cell, plate, rest))

    def _plateau(self, now: Ns, cell: CellId, plate: _Plate, rest: Rest) -> Turn:
        level, baseline = rest.level_g, plate.baseline_g
        if baseline is None:
            return self._declare(now, cell, plate, 0.0, rest)
        commanded, plate.commanded = plate.commanded, False
        if commanded:  # it was done, or it was not: fewer pieces moved is the likelier story
            baseline = min((0.0, baseline), key=lambda level_before: abs(level - level_before))
        if abs(level - baseline) >= plate.step_min_g:
            if not (commanded or plate.gap) and self._shaken(now, plate, level - baseline):
                return NOTHING
            return self._declare(now, cell, plate, baseline, rest)
        plate.shaken_from = 0
        if commanded:
            plate.baseline_g = plate.stepped_g = level
            plate.still_at, plate.drift_at, plate.gap = now, now, False
            return Turn(puts=(_row(cell, plate),))
        return self._drift(now, cell, plate, level)

    def _shaken(self, now: Ns, plate: _Plate, change_g: float) -> bool:
        """Whether the floor moves: most other cells of the poll have changed likewise just now."""
        if abs(change_g) > SHAKEN_G:
            return False
        plate.shaken_from = plate.shaken_from or now
        if now - plate.shaken_from > SHAKEN_MAX_NS:
            return False
        plates = (self._plates.get(sample.cell) for sample in self._poll)
        others_g = [
            abs(other.window.mean_g() - other.baseline_g)
            if (other.window.mean_g() > other.baseline_g) == (change_g > 0)
            else 0.0
            for other in plates
            if other is not None and other is not plate and other.baseline_g is not None
        ]
        if len(others_g) < SHAKEN_OTHERS_MIN:
            return False
        return median_low(others_g) >= SHAKEN_SHARE * abs(change_g)

    def _declare(self, now: Ns, cell: CellId, plate: _Plate, before_g: float, rest: Rest) -> Turn:
        cause: Cause = "found_after_gap" if plate.gap else "live"
        drift_g = 0.0
        if plate.baseline_g is None:
            cause = "first_start"
        else:
            drift_g = plate.baseline_g - plate.stepped_g
        step = WeightStep(
            cell,
            before_g,
            rest.level_g,
            rest.sd_g,
            plate.still_at,
            cause,
            rest.level_sd_g,
            plate.window.noise_g,
            drift_g,
        )
        plate.baseline_g = plate.stepped_g = rest.level_g
        plate.still_at, plate.drift_at, plate.gap = now, now, False
        plate.shaken_from = 0
        return Turn(facts=(step,), puts=(_row(cell, plate),))

    def _drift(self, now: Ns, cell: CellId, plate: _Plate, level_g: float) -> Turn:
        """Follow what creeps, at a bounded rate; after a gap, in one go."""
        assert plate.baseline_g is not None
        span = now - plate.drift_at
        room = DRIFT_PER_S_G * span / NS_PER_S
        change = level_g - plate.baseline_g
        if not plate.gap:
            change = max(-room, min(room, change))
        plate.baseline_g += change
        plate.gap = False
        plate.drift_at = plate.still_at = now
        turn = self._lost(now, cell, plate, change, span)
        kept_g = plate.step_min_g * DRIFT_KEPT_SHARE
        if abs(plate.baseline_g - plate.kept_g) >= kept_g:
            turn = together(turn, Turn(puts=(_row(cell, plate),)))
        return turn

    def _lost(self, now: Ns, cell: CellId, plate: _Plate, change_g: float, span_ns: Ns) -> Turn:
        before = plate.evidence.loss_g
        plate.evidence.drifted(change_g, span_ns)
        if plate.evidence.loss_g >= LOSS_MAX_G > before:
            return self._alerts.settle(now, SLOW_LOSS, cell, found=True)
        if before > plate.evidence.loss_g == 0:
            return self._alerts.settle(now, SLOW_LOSS, cell, found=False)
        return NOTHING


def _row(cell: CellId, plate: _Plate) -> Row:
    """The cell's durable row as it is now."""
    assert plate.baseline_g is not None
    plate.kept_g = plate.baseline_g
    value = {
        "baseline_mg": round(plate.baseline_g * 1000),
        "stepped_mg": round(plate.stepped_g * 1000),
        "noise_mg": round(plate.window.noise_g * 1000),
    }
    return Row(cell, {**value, "commanded": 1} if plate.commanded else value)
