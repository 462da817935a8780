"""Publishes the edge's balance as retained topics `stock/{location}/{item}` (docs/asyncapi.yaml),
and tells it to telemetry.

It follows the rows of the stock rule as they are committed, so that no topic tells what is not on
disk. A topic that has been zero for a week is cleared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from gateway.clock import WallClock
from gateway.model import NS_PER_S, Ns
from gateway.outcome import Outcome
from gateway.ports import Clock, Row
from gateway.stock_figures import STOCK_RULE, figures_of, is_balance, place_of, readable_of
from gateway.store import Store
from gateway.store.booking import utc
from gateway.uplink.topics import Topics

ZERO_KEPT_NS = 7 * 86_400 * NS_PER_S
"""How long an empty place stays told: whoever looks on Monday sees what ran out last week."""

Publish = Callable[[str, bytes], None]


class Tell(NamedTuple):
    """To whom balances are told: the broker, and telemetry."""

    publish: Publish
    measure: Callable[[str, str, Mapping[str, int]], None]


class Clocks(NamedTuple):
    """Boot time for ages, wall time for the payload."""

    boot: Clock
    wall: WallClock


class StockTopics:
    """Keeps the topics in step with the stock rule's rows."""

    def __init__(self, store: Store, clocks: Clocks, topics: Topics, tell: Tell) -> None:
        self._store = store
        self._clocks = clocks
        self._topics = topics
        self._publish, self._measure = tell
        self._zero_since: dict[tuple[str, str], Ns] = {}

    def restored(self, rows: Iterable[Row]) -> None:
        """Tell the balances of an earlier run."""
        for row in rows:
            if is_balance(row.key):
                self._tell(row)

    def booked(self, outcomes: Sequence[Outcome]) -> None:
        """Tell what these committed turns changed."""
        for outcome in outcomes:
            for rule, _, row in outcome.puts:
                if rule == STOCK_RULE and is_balance(row.key):
                    self._tell(row)
            for rule, key in outcome.deletes:
                if rule == STOCK_RULE and is_balance(key):
                    self._clear(place_of(key))

    def clear_old(self) -> None:
        """Clear the topics that have been zero for long enough."""
        now = self._clocks.boot.now()
        for place, since in list(self._zero_since.items()):
            if now - since >= ZERO_KEPT_NS:
                self._clear(place)

    def _tell(self, row: Row) -> None:
        place = place_of(row.key)
        now = self._clocks.boot.now()
        if row.value["quantity"] == 0:
            self._zero_since.setdefault(place, now)
        else:
            self._zero_since.pop(place, None)
        figures = figures_of(row.value)
        payload = {
            "location": place[0],
            "item": place[1],
            **figures,
            **readable_of(figures["quantity"], str(row.value["uom"])),
            "uom": row.value["uom"],
            "epoch": self._store.epoch.uuid,
            "as_of_seq": self._store.last_seq,
            "at": utc(self._clocks.wall.wall(now)[0]),
        }
        text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        self._publish(self._topics.stock(*place), text.encode())
        self._measure(*place, figures)

    def _clear(self, place: tuple[str, str]) -> None:
        self._zero_since.pop(place, None)
        self._publish(self._topics.stock(*place), b"")
        self._measure(*place, {"quantity": 0})
