"""What a cell says that is no step: that it never settles, that it loses weight slowly.

    restless for UNREST_MAX_NS more than at rest, twice -----> never_settles
    at rest for half as long again, or more -----------------> cleared
    lighter by LOSS_MAX_G than drift explains ---------------> slow_loss
    all of that made good, or outlasted ---------------------> cleared

Each is raised once and cleared once, and durable; what leads to it is evidence and is not. Part of
the weight rule.

Source: CUSUM (Page 1954) on what the baseline followed; drift and creep of load cells as OIML R 60
and the field notes bound them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.model import NS_PER_S, Alert, CellId, Ns
from gateway.ports import NOTHING, Row, Turn

ALERT_ROW = "alert\t"
"""No cell has a tab in its name."""

UNREST_MAX_NS = 120 * NS_PER_S
"""Longer than anybody leans on a shelf or works in one bin without a second's pause."""

REST_COUNTS = 2
"""A second at rest makes good for two of unrest: a cell in which somebody works all the time still
rests for a third of it."""

LOSS_MAX_G = 30.0
"""Zero wanders by 10 g in 10 K, and creep of a cell of 50 kg comes to 15 g."""

DRIFT_PER_NS_G = 0.001 / NS_PER_S
"""3.6 g an hour: what the heating and the weather do to zero; what goes faster is loss."""

NEVER_SETTLES: Final = "never_settles"
SLOW_LOSS: Final = "slow_loss"

TEXTS = {
    (NEVER_SETTLES, True): "{}: the weight never settles; nothing is booked there",
    (NEVER_SETTLES, False): "{}: the weight settles again",
    (SLOW_LOSS, True): "{}: the weight falls slowly, by more than drift; look what is missing",
    (SLOW_LOSS, False): "{}: the weight falls no more than drift explains",
}


@dataclass(slots=True)
class Evidence:
    """What speaks for an alert on one cell: time without rest, grams lost beyond drift."""

    unrest_ns: Ns = 0
    loss_g: float = 0.0

    def stands(self, code: str) -> None:
        """That alert stands since an earlier run."""
        if code == NEVER_SETTLES:
            self.unrest_ns = UNREST_MAX_NS
        else:
            self.loss_g = LOSS_MAX_G

    def restless(self, span_ns: Ns) -> bool:
        """So much more time without rest; whether that is too long."""
        self.unrest_ns = min(UNREST_MAX_NS, self.unrest_ns + span_ns)
        return self.unrest_ns == UNREST_MAX_NS

    def rested(self, span_ns: Ns) -> bool:
        """So much more time at rest; whether that makes good for all unrest."""
        self.unrest_ns = max(0, self.unrest_ns - REST_COUNTS * span_ns)
        return self.unrest_ns == 0

    def drifted(self, change_g: float, span_ns: Ns) -> None:
        """The baseline followed the weight by so much."""
        loss_g = self.loss_g - change_g - DRIFT_PER_NS_G * span_ns
        self.loss_g = max(0.0, min(2 * LOSS_MAX_G, loss_g))


class CellAlerts:
    """Which of these alerts stand, by code and cell."""

    def __init__(self) -> None:
        self._standing: set[str] = set()

    def restore(self, row: Row) -> tuple[str, CellId] | None:
        """Take back an alert that stands, its code and cell; None if the row is not of these."""
        if not row.key.startswith(ALERT_ROW):
            return None
        key = row.key.removeprefix(ALERT_ROW)
        self._standing.add(key)
        code, _, cell = key.partition(":")
        return code, cell

    def settle(self, now: Ns, code: str, cell: CellId, *, found: bool) -> Turn:
        """Raise or clear the alert unless it stands that way already."""
        key = f"{code}:{cell}"
        if found == (key in self._standing):
            return NOTHING
        told = Alert(code, key, found, "warning", TEXTS[code, found].format(cell), now)
        if found:
            self._standing.add(key)
            return Turn(facts=(told,), puts=(Row(ALERT_ROW + key, {"raised": 1}),))
        self._standing.discard(key)
        return Turn(facts=(told,), deletes=(ALERT_ROW + key,))
