"""Departures that may still turn out to be none, over a restart too.

A tag that is read again as it stood had never left: that its movement can be taken back then, where
and at which level it stood is durable. The row is written with the departure, and goes with a later
one when its time is over. Part of the presence rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.model import NS_PER_S, Ns
from gateway.ports import NOTHING, Row, Turn
from rules.antenna import ZoneAntenna

GONE_ROW = "gone:"

GONE_MAX, GONE_NS = 10_000, 120 * NS_PER_S
"""Departures that may still turn out to be none, and for how long: who has waited two minutes has
acted on it. Of more the oldest are final.
"""


@dataclass(frozen=True, slots=True)
class Gone:
    """A departure: where and at which level the tag stood, when it left, when that was told and
    after which silence, and whether it was read on its way.
    """

    antenna: ZoneAntenna
    rssi: int
    left_at: Ns
    told_at: Ns
    silence: Ns
    roamed: bool


class GoneRows:
    """Which departures have a row. `boot` and `last_alive` are those of the rule's context."""

    def __init__(self, boot: str, last_alive: Ns) -> None:
        self._boot = boot
        self._last_alive = last_alive
        self._told: dict[str, Ns] = {}
        self._restored = False

    def restore(self, row: Row, points: Mapping[str, ZoneAntenna]) -> tuple[str, Gone | None]:
        """Take back a departure of an earlier run, None if its antenna is no more. A moment of
        another boot counts as the end of that run; how long the tag was silent is not known.
        """
        epc, value = row.key.removeprefix(GONE_ROW), dict[str, Any](row.value)
        if value["boot"] != self._boot:
            value |= {"left_at": self._last_alive, "told_at": self._last_alive}
        self._told[epc], self._restored = value["told_at"], True
        antenna = points.get(value["point"])
        if antenna is None:
            return epc, None
        told = value["left_at"], value["told_at"]
        return epc, Gone(antenna, value["cdbm"], *told, 0, value["roamed"])

    def keep(self, now: Ns, epc: str, gone: Gone | None) -> Turn:
        """A tag has moved: keep that departure, or none; drop what is over."""
        if self._restored:
            by_age = sorted(self._told.items(), key=lambda pair: pair[1])
            self._told, self._restored = dict(by_age), False
        deletes = [GONE_ROW + epc] if self._told.pop(epc, None) is not None else []
        for old, told_at in list(self._told.items()):
            if now - told_at <= GONE_NS and len(self._told) < GONE_MAX:
                break
            del self._told[old]
            deletes.append(GONE_ROW + old)
        if gone is None:
            return Turn(deletes=tuple(deletes)) if deletes else NOTHING
        self._told[epc] = gone.told_at
        row = Row(
            GONE_ROW + epc,
            {
                "point": gone.antenna.point,
                "cdbm": gone.rssi,
                "left_at": gone.left_at,
                "told_at": gone.told_at,
                "roamed": gone.roamed,
                "boot": self._boot,
            },
        )
        return Turn(puts=(row,), deletes=tuple(key for key in deletes if key != row.key))
