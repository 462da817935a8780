"""Stock: the balance per location and item as the edge sees it, and what is to be said about it.

Movements add and subtract, Snapshots set; the balance is durable, so that a Snapshot of everything
can be given at any time, to a core that lacks records or to a person who asks. Each EPC has a row
of its own, so that a movement writes what it moves and not all that stands beside it.

Beside the balance stand the core's book and thresholds (rules/stock_alerts.py), the demand
(rules/demand.py) and what comes of it (rules/outlook.py). A balance below zero is told as an alert
in the turn of the movement that makes it so, or before, when it is weighed (rules/stock_held.py);
what is told of stock stops at zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from pydantic import Field

from gateway.model import (
    NS_PER_S,
    UNKNOWN_LOCATION,
    Balance,
    BalanceAsked,
    BalanceLine,
    BookLine,
    BookStock,
    CoreBehind,
    DeviceStatus,
    DigestRequest,
    Fact,
    Movement,
    Ns,
    ReferenceDeleted,
    Snapshot,
    SnapshotLine,
    SnapshotRequest,
    StepHeld,
    TagsFollow,
    Unresolved,
)
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn
from rules.buckets import Buckets
from rules.demand import Smoothing
from rules.digest import digests
from rules.outlook import Buying
from rules.statement import stated
from rules.stock_alerts import Patience, StockAlerts
from rules.stock_held import HeldSteps
from rules.stock_line import Line, Place
from rules.stock_lines import Forecasting, StockLines, epc_row
from rules.turns import together

RECONCILE = "reconcile"
"""The reason of what heals the core's book."""


class StockSettings(PluginSettings):
    """When stock is worth an alert, and how demand is followed.

    The core's book may be off by `variance` pieces, and by more for `variance_hold_s`: so long may
    it be on its way from a core that keeps up. An alert about a threshold is cleared `hysteresis`
    pieces above it.

    Demand is added up in buckets of `bucket_h` (an hour, or a day, which knows no night); the last
    one counts `size_permille` and `probability_permille` (a and b of the method). What is bought
    comes after `lead_time_h`.
    """

    variance: int = Field(0, ge=0)
    variance_hold_s: float = Field(900.0, ge=1)
    hysteresis: int = Field(1, ge=0)
    bucket_h: int = Field(24, ge=1, le=168)
    lead_time_h: int = Field(72, ge=1, le=8_760)
    size_permille: int = Field(100, ge=1, le=1000)
    probability_permille: int = Field(100, ge=1, le=1000)


class Stock:
    """See the module."""

    Settings: ClassVar[type[PluginSettings]] = StockSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (
        BookStock,
        ReferenceDeleted,
        StepHeld,
        Unresolved,
        Movement,
        TagsFollow,
        Snapshot,
        SnapshotRequest,
        DeviceStatus,
        CoreBehind,
        BalanceAsked,
        DigestRequest,
    )
    schema: ClassVar[int] = 1

    def __init__(self, settings: StockSettings, context: RuleContext) -> None:
        self._identify = context.identify
        zones = {zone.location for zone in context.site.zones}
        watched = zones.union(cell.location for cell in context.site.cells)
        self._watched = watched
        self._lines = StockLines(
            watched,
            StockAlerts(_patience(settings), watched),
            Buckets(settings.bucket_h, context),
            Forecasting(
                Smoothing(settings.size_permille, settings.probability_permille),
                Buying(settings.bucket_h, settings.lead_time_h),
            ),
        )
        self._held = HeldSteps(self._lines)
        self._begun = False

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back the balances."""
        self._lines.restore(rows)

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Keep the balance, and tell it when asked."""
        if not self._begun:
            return self._first(now, fact)
        turn = self._take(now, fact)
        if turn is NOTHING and fact is not None:
            return NOTHING
        return together(turn, self._lines.wake(now))

    def _first(self, now: Ns, fact: Fact | None) -> Turn:
        """References that are known already come first, and may decide nothing by themselves."""
        if type(fact) is BookStock:
            self._lines.put_book(fact.code, _by_item(fact))
            return NOTHING
        if type(fact) is ReferenceDeleted:
            if fact.kind == "book":
                self._lines.put_book(fact.code, {})
            return NOTHING
        self._begun = True
        turn = together(self._lines.begin(now), self._take(now, fact))
        return together(turn, self._lines.wake(now))

    def _take(self, now: Ns, fact: Fact | None) -> Turn:
        if type(fact) is Movement:
            self._held.release(fact.movement_id)
            return self._move(now, fact)
        if type(fact) is StepHeld:
            place = self._held.hold(fact) if fact.quantity else self._held.release(fact.movement_id)
            return self._lines.judged(now, (place,)) if place else NOTHING
        if type(fact) is Unresolved:
            place = self._held.release(fact.unresolved_id)
            return self._lines.judged(now, (place,)) if place else NOTHING
        if type(fact) is TagsFollow:
            return self._follow(fact)
        if type(fact) is Snapshot:
            return self._set(now, fact)
        if type(fact) is SnapshotRequest:
            return Turn(facts=tuple(self._tell(now, fact)))
        if type(fact) is DigestRequest:
            held = (pair for pair in self._lines.of("") if pair[0][0] in self._watched)
            return Turn(facts=tuple(digests(now, held, self._identify)))
        if type(fact) is BalanceAsked:
            return Turn(facts=(self._balance(fact.location),))
        if type(fact) is BookStock:
            return self._learn(now, fact.code, _by_item(fact))
        if type(fact) is ReferenceDeleted and fact.kind == "book":
            return self._learn(now, fact.code, {})
        if type(fact) is CoreBehind:
            return self._lines.core_behind(now, behind=fact.behind)
        return self._lines.look(now) if fact is None else NOTHING

    def _learn(self, now: Ns, location: str, told: Mapping[str, BookLine]) -> Turn:
        """Compare with the core's book what is there."""
        return self._lines.judged(now, sorted(self._lines.put_book(location, told)))

    def _move(self, now: Ns, movement: Movement) -> Turn:
        if movement.reason == RECONCILE and movement.kind == "adjustment":
            return NOTHING  # it corrects the core's book: this one is as it says already
        turns = []
        for location, sign in ((movement.from_location, -1), (movement.to_location, 1)):
            if location == UNKNOWN_LOCATION:
                continue
            place = (location, movement.item)
            line = self._lines.line(place, movement.uom)
            line.count_in(movement.uom)
            line.quantity += sign * movement.quantity
            if _is_demand(movement, arriving=sign > 0):
                self._lines.issue(now, place, -sign * movement.quantity)
            turns.append(self._lines.changed(now, place, None))
            turns.append(_named(place, line, movement.epcs, arriving=sign > 0))
        return together(*turns)

    def _follow(self, tags: TagsFollow) -> Turn:
        place = (tags.location, tags.item)
        line = self._lines.get(place)
        return NOTHING if line is None else _named(place, line, tags.epcs, arriving=tags.arriving)

    def _set(self, now: Ns, snapshot: Snapshot) -> Turn:
        """Take over what it states: what is not among its lines is not there."""
        before = {row.key: row.value for row in self._lines.rows(snapshot.location)}
        stated_lines = {line.item: line for line in snapshot.lines}
        for item, told in stated_lines.items():
            self._lines.line((snapshot.location, item), told.uom)
        alerts: list[Fact] = []
        for place, line in self._lines.of(snapshot.location):
            _state(line, stated_lines.get(place[1]))
            alerts.extend(self._lines.changed(now, place, None).facts)
            if place[1] not in stated_lines and not line.matters:
                self._lines.drop(place)
        after = {row.key: row for row in self._lines.rows(snapshot.location)}
        puts = tuple(row for row in after.values() if before.get(row.key) != row.value)
        return Turn(tuple(alerts), puts, tuple(sorted(before.keys() - after.keys())))

    def _balance(self, location: str) -> Balance:
        lines = (
            BalanceLine(item, held.quantity, held.uom, frozenset(held.epcs))
            for (_, item), held in self._lines.of(location)
        )
        return Balance(location, tuple(lines))

    def _tell(self, now: Ns, request: SnapshotRequest) -> Iterable[Snapshot]:
        lines: dict[str, list[SnapshotLine]] = {}
        for (location, item), held in self._lines.of(request.location):
            quantity, epcs = max(0, held.quantity), tuple(sorted(held.epcs))
            lines.setdefault(location, []).append(SnapshotLine(item, quantity, held.uom, epcs))
        for location, told in lines.items():
            identity = self._identify("stock", location, now)
            yield Snapshot(identity, request.reason, location, tuple(stated(told)), now)


def _patience(settings: StockSettings) -> Patience:
    return Patience(
        variance=settings.variance,
        hold=int(settings.variance_hold_s * NS_PER_S),
        hysteresis=settings.hysteresis,
    )


def _by_item(book: BookStock) -> Mapping[str, BookLine]:
    return {line.item: line for line in book.lines}


def _is_demand(movement: Movement, *, arriving: bool) -> bool:
    """What a place gives away is its demand, and what comes back of that is none of it."""
    back = movement.reverses is not None or movement.kind == "return"
    return back if arriving else not back and movement.kind != "adjustment"


def _state(line: Line, told: SnapshotLine | None) -> None:
    if told is None:
        line.quantity, line.epcs = 0, set()
        return
    if told.epcs or line.quantity != told.quantity:
        line.epcs = set(told.epcs)  # else they are left out, not gone
    line.quantity, line.uom = told.quantity, told.uom


def _named(place: Place, line: Line, epcs: tuple[str, ...], *, arriving: bool) -> Turn:
    """These pieces are there, or no longer; one that is known to be so changes nothing."""
    if arriving:
        come = [epc for epc in epcs if epc not in line.epcs]
        line.epcs.update(come)
        return Turn(puts=tuple(epc_row(place, epc) for epc in come)) if come else NOTHING
    gone = [epc for epc in epcs if epc in line.epcs]
    line.epcs.difference_update(gone)
    return Turn(deletes=tuple(epc_row(place, epc).key for epc in gone)) if gone else NOTHING
