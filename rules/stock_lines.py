"""All that is kept of stock: the lines, the core's books of them, their alerts and their demand.

A line is brought up to date with whatever concerns it (`changed`), and has a row put where that
made it another one. Part of the stock rule.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from gateway.model import NS_PER_S, BookLine, Ns
from gateway.ports import NOTHING, Row, Turn
from rules.buckets import BUCKETS_ROW, Buckets
from rules.demand import Demand, Smoothing
from rules.outlook import Buying, outlook
from rules.stock_alerts import StockAlerts
from rules.stock_line import Line, Place
from rules.turns import together

MOVING_MAX = 10_000
"""Items at locations whose demand is followed: more than people reach in a day."""

CLOSED_AT_ONCE, CLOSING_PAUSE_NS = 250, NS_PER_S // 4
"""At a bucket's end so many lines are looked at in a turn, so that no turn takes as long as would
count as a stall on a small box (some 0.1 ms each), and the others a moment later.
"""

RETOLD_PERMILLE = 125
"""What nobody takes is told anew when its time to stock-out is off by an eighth: that is a row
which no movement caused."""


class Forecasting(NamedTuple):
    """How demand is followed."""

    smoothing: Smoothing
    buying: Buying


class StockLines:
    """See the module. The key of a line's row is its location and item, parted by a tab; that of an
    EPC in it goes on with a tab and the EPC.
    """

    def __init__(
        self,
        watched: Collection[str],
        alerts: StockAlerts,
        buckets: Buckets,
        forecasting: Forecasting,
    ) -> None:
        self._watched = watched
        self._alerts = alerts
        self._buckets = buckets
        self._forecasting = forecasting
        self._lines: dict[Place, Line] = {}
        self._books: dict[str, Mapping[str, BookLine]] = {}
        self._moving: set[Place] = set()
        self._closing: list[Place] = []

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back the rows of an earlier run."""
        follows = True
        for row in rows:
            if row.key == BUCKETS_ROW:
                follows = self._buckets.restore(row)
                continue
            location, item, *epcs = row.key.split("\t")
            line = self._lines.setdefault((location, item), Line(0, ""))
            line.epcs.update(epcs)
            if not epcs:
                line.take_back(row.value)
        for place, line in self._lines.items():
            if not follows:
                line.demand = None
            elif line.demand is not None and line.demand.moves:
                self._moving.add(place)
            self._foresee(line)

    def begin(self, now: Ns) -> Turn:
        """Judge what was restored, and close the buckets that ended meanwhile."""
        if self._buckets.advance(now):
            self._closing = sorted(self._moving)
        told = {(location, item) for location, book in self._books.items() for item in book}
        kept = {place for place, line in self._lines.items() if line.raised or line.is_compared}
        judged = self.judged(now, sorted(kept | told.intersection(self._lines)))
        return together(judged, self._close(now))

    def look(self, now: Ns) -> Turn:
        """Do what is due because of the time."""
        if self._buckets.advance(now):
            self._closing = sorted(self._moving)
        judged = self.judged(now, self._alerts.due(now))
        return together(judged, self._close(now))

    def core_behind(self, now: Ns, *, behind: bool) -> Turn:
        """The core's book is one of old from now on, or no longer: what waits is due otherwise."""
        self._alerts.core_behind(now, behind=behind)
        return Turn(next_wake=now + 1)

    def wake(self, now: Ns) -> Turn:
        """When the next thing is due."""
        moments = [self._alerts.next_due(), self._buckets.ends if self._moving else None]
        if self._closing:
            moments.append(now + CLOSING_PAUSE_NS)
        due = min((moment for moment in moments if moment is not None), default=None)
        puts = self._buckets.unwritten() if self._moving else ()
        if due is None and not puts:
            return NOTHING
        return Turn(puts=puts, next_wake=None if due is None else max(now + 1, due))

    def put_book(self, location: str, told: Mapping[str, BookLine]) -> set[Place]:
        """Take the core's book of a location: returns the lines that it concerns now or did. What
        should be at a watched location has a line though it was never seen there.
        """
        before = self._books.pop(location, {})
        if told:
            self._books[location] = told
        if location in self._watched:
            for item, line in told.items():
                self._lines.setdefault((location, item), Line(0, line.uom))
        places = {(location, item) for item in (*before, *told)}
        return places.intersection(self._lines)

    def get(self, place: Place) -> Line | None:
        """The line of that place, if there is one."""
        return self._lines.get(place)

    def line(self, place: Place, uom: str) -> Line:
        """The line of that place, made if there is none."""
        return self._lines.setdefault(place, Line(0, uom))

    def of(self, location: str) -> list[tuple[Place, Line]]:
        """All lines of a location, or of all (""), in order."""
        found = (pair for pair in self._lines.items() if location in {"", pair[0][0]})
        return sorted(found, key=lambda pair: pair[0])

    def rows(self, location: str) -> Iterator[Row]:
        """All durable rows of one location."""
        for place, line in self._lines.items():
            if place[0] == location:
                yield line.row(place)
                yield from (epc_row(place, epc) for epc in sorted(line.epcs))

    def drop(self, place: Place) -> None:
        """Forget a line of which nothing is there and nothing is to be said."""
        del self._lines[place]

    def judged(self, now: Ns, places: Iterable[Place]) -> Turn:
        """Bring these up to date, with a row for each that changed."""
        rows = ((place, self._lines[place].row(place)) for place in places)
        return together(*(self.changed(now, place, row) for place, row in rows))

    def changed(self, now: Ns, place: Place, before: Row | None) -> Turn:
        """Bring a line up to date; `before` is the row that it has."""
        line = self._lines[place]
        line.learn(self._books.get(place[0], {}).get(place[1]))
        if line.demand is not None:
            line.demand.advance(self._buckets.number, self._forecasting.smoothing)
        self._foresee(line)
        alerts = self._alerts.judge(now, place, line)
        row = line.row(place)
        if row == before:
            return Turn(facts=alerts) if alerts else NOTHING
        return Turn(facts=alerts, puts=(row,))

    def issue(self, now: Ns, place: Place, quantity: int) -> None:
        """Add to the demand of a line; what came back is below zero."""
        self._buckets.advance(now)
        line = self._lines[place]
        if place not in self._moving:
            if quantity <= 0 or len(self._moving) >= MOVING_MAX:
                return
            self._moving.add(place)
        if line.demand is None:
            line.demand = Demand(self._buckets.number)
        line.demand.advance(self._buckets.number, self._forecasting.smoothing)
        line.demand.issued += quantity

    def _close(self, now: Ns) -> Turn:
        """A bucket ended: tell what is forecast now, where that is another thing."""
        turns = []
        places = self._closing[:CLOSED_AT_ONCE]
        del self._closing[:CLOSED_AT_ONCE]
        for place in places:
            line = self._lines[place]
            told, row, demand = line.outlook, line.row(place), line.demand
            if demand is None:
                continue
            issued = demand.issued
            demand.advance(self._buckets.number, self._forecasting.smoothing)
            self._foresee(line)
            if issued or line.outlook.purchase != told.purchase or _is_off(line, told.p50_h):
                turns.append(self.changed(now, place, row))
            else:
                line.outlook = told
            if not demand.moves:
                self._moving.discard(place)
        return together(*turns)

    def _foresee(self, line: Line) -> None:
        if line.demand is not None:
            safety = line.safety or 0
            line.outlook = outlook(line.quantity, safety, line.demand, self._forecasting.buying)


def epc_row(place: Place, epc: str) -> Row:
    """That it is there is all that it says."""
    return Row("\t".join((*place, epc)), {})


def _is_off(line: Line, told_h: int | None) -> bool:
    hours = line.outlook.p50_h
    if told_h is None or hours is None:
        return told_h is not hours
    return abs(hours - told_h) * 1000 > RETOLD_PERMILLE * told_h
