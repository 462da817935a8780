"""A small warehouse with badges: plays facts to the person rule."""

from collections.abc import Mapping
from random import Random
from typing import Any

from gateway.engine import Engine
from gateway.model import (
    Alert,
    Attribution,
    Badge,
    Cell,
    Fact,
    Movement,
    Portal,
    Scanner,
    Site,
    TagRead,
    TagReport,
    Zone,
)
from gateway.ports import Row, RuleContext
from rules.person import Person
from tests.rules.play import at

KEY = b"sixteen bytes it"
ANN = Badge("B-17", "ann", "(8018)950600013435200005", "b0a0")
BOB = Badge("B-18", "bob", "bob's badge", "b0b0")
ITEM_TAG = "3034aa"

SITE = Site(
    zones=(Zone("SHELF", ("r:1",)), Zone("NEXT", ("r:2",))),
    cells=(Cell("s:1", "A1", "BOLT", "SHELF"), Cell("s:2", "B1", "BOLT", "NEXT")),
    portals=(Portal("gate", ("g:1",), ("g:2",), "yard", "hall"),),
    scanners=(Scanner("gun", "SHELF"), Scanner("bin-gun", "B1")),
)


class Warehouse:
    """Plays facts to the person rule, and the movements among them as if a rule told them."""

    def __init__(
        self,
        settings: Mapping[str, Any] | None = None,
        rows: Mapping[str, Any] | None = None,
        *,
        boot: str = "boot-1",
        last_alive_s: float | None = None,
        badges: tuple[Badge, ...] = (ANN, BOB),
    ) -> None:
        last_alive = None if last_alive_s is None else at(last_alive_s)
        context = RuleContext(
            SITE, lambda *parts: str(parts), Random(0), boot, 0, last_alive, pseudonym_key=KEY
        )
        self.rows: dict[str, Any] = dict(rows or {})
        self.told: list[Fact] = []
        rule = Person(Person.Settings(**(settings or {})), context)
        self.engine = Engine([("person", rule)], self.told.append)
        self.engine.restore({"person": [Row(*row) for row in self.rows.items()]}, badges)

    def feed(self, at_s: float, fact: Fact) -> None:
        self._keep(self.engine.feed(at(at_s), fact))

    def wake(self, at_s: float) -> None:
        self._keep(self.engine.wake(at(at_s)))

    def moved(self, at_s: float, source: str, target: str, **rest: Any) -> list[str | None]:
        """Whom the movement names that is told two seconds after it happened; [] if nobody."""
        before = len(self.told)
        fields = {"reason": "observed", "kind": "issue", **rest}
        self.feed(at_s + 2, movement(at_s, source, target, **fields))
        return [each.actor for each in self.told[before:] if isinstance(each, Attribution)]

    def alerts(self) -> list[tuple[str, bool]]:
        return [(each.key, each.raised) for each in self.told if isinstance(each, Alert)]

    def _keep(self, outcomes: Any) -> None:
        for outcome in outcomes:
            self.rows.update({row.key: dict(row.value) for _, _, row in outcome.puts})
            for _, key in outcome.deletes:
                del self.rows[key]


def movement(at_s: float, source: str, target: str, **rest: Any) -> Movement:
    return Movement(
        movement_id=f"m{at_s}",
        item="BOLT",
        quantity=1,
        uom="pcs",
        from_location=source,
        to_location=target,
        at_event=at(at_s),
        at_decided=at(at_s + 2),
        confidence_permille=990,
        **rest,
    )


def reads(epc: str, point: str, times: int = 1, rssi_cdbm: int | None = -5000) -> TagReport:
    return TagReport(point.partition(":")[0], (TagRead(point, epc, rssi_cdbm),) * times)


def stands(
    shelf: Warehouse,
    epc: str,
    span_s: tuple[float, float],
    point: str = "r:1",
    rssi_cdbm: int | None = -5000,
) -> None:
    """His badge is read twice in each half second."""
    half_s = round(2 * span_s[0])
    while half_s <= 2 * span_s[1]:
        shelf.feed(half_s / 2, reads(epc, point, 2, rssi_cdbm))
        half_s += 1
