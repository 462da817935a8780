"""Plays facts to rules in the real engine: what they tell, and which rows they keep."""

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any

from gateway.engine import Engine
from gateway.model import (
    Cell,
    Coverage,
    Fact,
    Item,
    Portal,
    Site,
    TagRead,
    TagReport,
    WeightReport,
    WeightSample,
    Zone,
)
from gateway.ports import Row, RuleContext

S = 1_000_000_000
START_S = 1000.0
TAG, OTHER = "3034aa", "3034bb"
BOLT = Item("BOLT", unit_mg=100_000, epc_prefixes=("3034",))

SITE = Site(
    zones=(
        Zone("A", ("r:1", "r:2")),
        Zone("B", ("r:3",)),
        Zone("PAIR", ("p:1", "q:1")),
    ),
    cells=(
        Cell("s:1", "A1", "BOLT", "A"),
        Cell("s:2", "A2", "NUT"),
        Cell("s:3", "A3"),
    ),
    portals=(
        Portal("gate", ("g:1",), ("g:2",), "yard", "hall"),
        Portal("two", ("h:1",), ("k:1",), "yard", "hall"),
    ),
)


class Play:
    """Time is in seconds from START_S; `told` is (second, fact) of all that the rules emitted."""

    def __init__(
        self,
        rules: Sequence[Any],
        settings: Mapping[str, Any] | None = None,
        rows: Mapping[str, Any] | None = None,
        *,
        site: Site = SITE,
        items: Iterable[Item] = (BOLT,),
        last_alive_s: float | None = None,
        boot: str = "boot-1",
        lateness_s: float = 0.0,
        now_s: float = 0.0,
    ) -> None:
        context = RuleContext(
            site,
            lambda *parts: "/".join((boot, *map(str, parts))),
            Random(0),
            boot,
            int(lateness_s * S),
            None if last_alive_s is None else at(last_alive_s),
        )
        named = [
            (rule.__name__, rule(rule.Settings(**(settings or {})), context)) for rule in rules
        ]
        self.told: list[tuple[float, Fact]] = []
        self.rows: dict[str, Any] = dict(rows or {})
        self.puts = 0
        self.engine = Engine(named, self._note)
        self._parted = len(rules) > 1
        kept: dict[str, list[Row]] = {}
        for key, value in self.rows.items():
            name, _, own_key = key.partition("/") if self._parted else (named[0][0], "", key)
            kept.setdefault(name, []).append(Row(own_key, value))
        self.engine.restore(kept, items)
        self.now_s = now_s

    def _note(self, fact: Fact) -> None:
        self.told.append((seconds(self.engine.now), fact))

    def feed(self, at_s: float, *facts: Fact) -> None:
        for fact in facts:
            self._keep(self.engine.feed(at(at_s), fact))
        self.now_s = max(self.now_s, at_s)

    def wake(self, at_s: float) -> None:
        self._keep(self.engine.wake(at(at_s)))
        self.now_s = max(self.now_s, at_s)

    def cover(
        self,
        until_s: float,
        *,
        device: str = "r",
        blind: tuple[int, ...] = (),
        resumed: bool = False,
        reads: Mapping[float, Sequence[TagRead]] | None = None,
        step_s: float = 0.25,
    ) -> None:
        """Watch until then, and read tags: `reads` are those per period of so many seconds."""
        if resumed:
            self.feed(self.now_s, Coverage(device, 0, blind, resumed=True))
        due = {period: self.now_s + period for period in reads or {}}
        while self.now_s < until_s - 1e-9:
            now_s = min(until_s, self.now_s + step_s)
            moments = []
            for period, tags in (reads or {}).items():
                while due[period] <= now_s + 1e-9:
                    moments.append((due[period], TagReport(device, tuple(tags))))
                    due[period] += period
            span = int((now_s - self.now_s) * S)
            for moment, report in sorted(moments, key=lambda pair: pair[0]):
                self.feed(moment, report)
            self.feed(now_s, Coverage(device, span, blind))

    def kinds(self, *kinds: type) -> list[Any]:
        """What was told of these kinds, or all of it."""
        return [fact for _, fact in self.told if not kinds or type(fact) in kinds]

    def times(self, kind: type) -> list[float]:
        return [when for when, fact in self.told if type(fact) is kind]

    def _keep(self, outcomes: Iterable[Any]) -> None:
        for outcome in outcomes:
            for name, _, row in outcome.puts:
                self.rows[self._key(name, row.key)] = dict(row.value)
                self.puts += 1
            for name, key in outcome.deletes:
                del self.rows[self._key(name, key)]

    def _key(self, name: str, key: str) -> str:
        """The key of a row; with its rule's name where there are several."""
        return f"{name}/{key}" if self._parted else key


def at(second: float) -> int:
    return round((START_S + second) * S)


def seconds(moment: int) -> float:
    return round(moment / S - START_S, 6)


def read(point: str = "r:1", epc: str = TAG, dbm: float | None = -50.0, **rest: Any) -> TagRead:
    return TagRead(point, epc, None if dbm is None else round(dbm * 100), **rest)


def report(*reads: TagRead, device: str = "r") -> TagReport:
    return TagReport(device, reads)


def weigh(gross_g: float, cell: str = "s:1", flags: int = 0) -> WeightReport:
    return WeightReport(cell.partition(":")[0], (WeightSample(cell, gross_g, flags),))
