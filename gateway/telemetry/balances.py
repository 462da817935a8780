"""The balances of the stock rule in telemetry, with the core's book and the forecast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.telemetry.page import Labels, Page, Table


@dataclass(slots=True)
class _Balance:
    series: str
    figures: Mapping[str, int] = field(default_factory=dict)
    changed: bool = False


class BalanceMeter:
    """Follows what locations hold."""

    def __init__(self, labels: Labels) -> None:
        self._balances: Table[tuple[str, str], _Balance] = Table(
            lambda place: _Balance(labels.series("balance", location=place[0], item=place[1]))
        )

    @property
    def refused(self) -> int:
        """Balances not kept because the table was full."""
        return self._balances.refused

    def balance(self, location: str, item: str, figures: Mapping[str, int]) -> None:
        """Set what a location holds of an item, and what is said about it."""
        balance = self._balances[location, item]
        balance.figures, balance.changed = figures, True

    def write(self, page: Page, *, unchanged: bool) -> None:
        """Write those that changed, or all."""
        for balance in self._balances.values():
            if balance.changed or unchanged:
                balance.changed = False
                page.add(balance.series, balance.figures)
