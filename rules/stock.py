"""Stock: the balance per location and item as the edge sees it.

Movements add and subtract, Snapshots set; the balance is durable, so that a Snapshot of everything
can be given at any time, to a core that lacks records or to a person who asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from gateway.model import (
    UNKNOWN_LOCATION,
    Fact,
    Movement,
    Ns,
    Snapshot,
    SnapshotLine,
    SnapshotRequest,
)
from gateway.ports import NOTHING, JsonValue, PluginSettings, Row, RuleContext, Turn


class StockSettings(PluginSettings):
    """Nothing to set."""


@dataclass(slots=True)
class _Balance:
    """What one location holds of one item."""

    quantity: int
    uom: str
    epcs: set[str]


class Stock:
    """See the module. The key of a balance is its location and item, parted by a tab."""

    Settings: ClassVar[type[PluginSettings]] = StockSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (Movement, Snapshot, SnapshotRequest)
    schema: ClassVar[int] = 1

    def __init__(self, settings: StockSettings, context: RuleContext) -> None:
        del settings
        self._identify = context.identify
        self._balances: dict[tuple[str, str], _Balance] = {}

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back the balances."""
        for row in rows:
            location, _, item = row.key.partition("\t")
            value: Any = row.value
            balance = _Balance(value["quantity"], value["uom"], set(value["epcs"]))
            self._balances[location, item] = balance

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Keep the balance, and tell it when asked."""
        if type(fact) is Movement:
            return Turn(puts=tuple(self._move(fact)))
        if type(fact) is Snapshot:
            return self._set(fact)
        if type(fact) is SnapshotRequest:
            return Turn(facts=tuple(self._tell(now, fact)))
        return NOTHING

    def _move(self, movement: Movement) -> Iterable[Row]:
        for location, sign in ((movement.from_location, -1), (movement.to_location, 1)):
            if location == UNKNOWN_LOCATION:
                continue
            key = (location, movement.item)
            balance = self._balances.setdefault(key, _Balance(0, movement.uom, set()))
            balance.quantity += sign * movement.quantity
            if sign > 0:
                balance.epcs.update(movement.epcs)
            else:
                balance.epcs.difference_update(movement.epcs)
            yield self._row(key, balance)

    def _set(self, snapshot: Snapshot) -> Turn:
        gone = [key for key in self._balances if key[0] == snapshot.location]
        for key in gone:
            del self._balances[key]
        puts: list[Row] = []
        for line in snapshot.lines:
            key = (snapshot.location, line.item)
            self._balances[key] = _Balance(line.quantity, line.uom, set(line.epcs))
            puts.append(self._row(key, self._balances[key]))
        kept = {row.key for row in puts}
        deletes = tuple("\t".join(key) for key in gone if "\t".join(key) not in kept)
        return Turn(puts=tuple(puts), deletes=deletes)

    def _tell(self, now: Ns, request: SnapshotRequest) -> Iterable[Snapshot]:
        lines: dict[str, list[SnapshotLine]] = {}
        for (location, item), balance in sorted(self._balances.items()):
            epcs = tuple(sorted(balance.epcs))
            line = SnapshotLine(item, balance.quantity, balance.uom, epcs)
            lines.setdefault(location, []).append(line)
        for location, told in lines.items():
            if request.location not in {"", location}:
                continue
            identity = self._identify("stock", location, now)
            yield Snapshot(identity, request.reason, location, tuple(told), now)

    @staticmethod
    def _row(key: tuple[str, str], balance: _Balance) -> Row:
        value: dict[str, JsonValue] = {
            "quantity": balance.quantity,
            "uom": balance.uom,
            "epcs": sorted(balance.epcs),
        }
        return Row("\t".join(key), value)
