"""Stock: the balance per location and item as the edge sees it.

Movements add and subtract, Snapshots set; the balance is durable, so that a Snapshot of everything
can be given at any time, to a core that lacks records or to a person who asks. Each EPC has a row
of its own, so that a movement writes what it moves and not all that stands beside it.
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
    TagsFollow,
)
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn
from rules.statement import stated


class StockSettings(PluginSettings):
    """Nothing to set."""


@dataclass(slots=True)
class _Balance:
    """What one location holds of one item."""

    quantity: int
    uom: str
    epcs: set[str]


class Stock:
    """See the module. The key of a balance is its location and item, parted by a tab; that of an
    EPC in it goes on with a tab and the EPC.
    """

    Settings: ClassVar[type[PluginSettings]] = StockSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (Movement, TagsFollow, Snapshot, SnapshotRequest)
    schema: ClassVar[int] = 1

    def __init__(self, settings: StockSettings, context: RuleContext) -> None:
        del settings
        self._identify = context.identify
        self._balances: dict[tuple[str, str], _Balance] = {}

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back the balances."""
        for row in rows:
            location, item, *epcs = row.key.split("\t")
            balance = self._balances.setdefault((location, item), _Balance(0, "", set()))
            balance.epcs.update(epcs)
            if not epcs:
                value: Any = row.value
                balance.quantity, balance.uom = value["quantity"], value["uom"]

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Keep the balance, and tell it when asked."""
        if type(fact) is Movement:
            return self._move(fact)
        if type(fact) is TagsFollow:
            return self._follow(fact)
        if type(fact) is Snapshot:
            return self._set(fact)
        if type(fact) is SnapshotRequest:
            return Turn(facts=tuple(self._tell(now, fact)))
        return NOTHING

    def _move(self, movement: Movement) -> Turn:
        puts: list[Row] = []
        deletes: list[str] = []
        for location, sign in ((movement.from_location, -1), (movement.to_location, 1)):
            if location == UNKNOWN_LOCATION:
                continue
            key = (location, movement.item)
            balance = self._balances.setdefault(key, _Balance(0, movement.uom, set()))
            balance.quantity += sign * movement.quantity
            puts.append(_row(key, balance))
            turn = _named(key, balance, movement.epcs, arriving=sign > 0)
            puts.extend(turn.puts)
            deletes.extend(turn.deletes)
        return Turn(puts=tuple(puts), deletes=tuple(deletes))

    def _follow(self, tags: TagsFollow) -> Turn:
        key = (tags.location, tags.item)
        balance = self._balances.get(key)
        if balance is None:
            return NOTHING
        return _named(key, balance, tags.epcs, arriving=tags.arriving)

    def _set(self, snapshot: Snapshot) -> Turn:
        before = {row.key for row in self._rows(snapshot.location)}
        keys = [key for key in self._balances if key[0] == snapshot.location]
        old = {key: self._balances.pop(key) for key in keys}
        for line in snapshot.lines:
            key = (snapshot.location, line.item)
            epcs = set(line.epcs)
            if not epcs and key in old and old[key].quantity == line.quantity:
                epcs = old[key].epcs  # left out, not gone
            self._balances[key] = _Balance(line.quantity, line.uom, epcs)
        rows = list(self._rows(snapshot.location))
        after = {row.key for row in rows}
        puts = tuple(row for row in rows if row.value or row.key not in before)
        return Turn(puts=puts, deletes=tuple(sorted(before - after)))

    def _rows(self, location: str) -> Iterable[Row]:
        """All durable rows of one location."""
        for key, balance in self._balances.items():
            if key[0] == location:
                yield _row(key, balance)
                yield from (_epc_row(key, epc) for epc in sorted(balance.epcs))

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
            yield Snapshot(identity, request.reason, location, tuple(stated(told)), now)


def _named(
    key: tuple[str, str], balance: _Balance, epcs: tuple[str, ...], *, arriving: bool
) -> Turn:
    """These pieces are there, or no longer; one that is known to be so changes nothing."""
    if arriving:
        come = [epc for epc in epcs if epc not in balance.epcs]
        balance.epcs.update(come)
        return Turn(puts=tuple(_epc_row(key, epc) for epc in come))
    gone = [epc for epc in epcs if epc in balance.epcs]
    balance.epcs.difference_update(gone)
    return Turn(deletes=tuple(_epc_row(key, epc).key for epc in gone))


def _row(key: tuple[str, str], balance: _Balance) -> Row:
    return Row("\t".join(key), {"quantity": balance.quantity, "uom": balance.uom})


def _epc_row(key: tuple[str, str], epc: str) -> Row:
    """That it is there is all that it says."""
    return Row("\t".join((*key, epc)), {})
