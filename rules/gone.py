"""Departures that may still turn out to be none, over a restart too.

A tag that is read again as it stood had never left: that its movement can be taken back then, where
and at which level it stood is durable. The row is written with the departure, and written over by a
later one when its time is over. No time spans two boots. Part of the presence rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.model import NS_PER_S, Ns
from gateway.ports import NOTHING, Row, Turn
from rules.antenna import ZoneAntenna
from rules.slots import Slots

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

    @property
    def hardly_heard(self) -> bool:
        """Whether it stood at a level at which tags come and go by themselves."""
        return self.antenna.hardly_hears(self.rssi)


class GoneRows:
    """Which departures have a row. `boot` is that of the rule's context."""

    def __init__(self, boot: str) -> None:
        self._boot = boot
        self._told: dict[str, Ns] = {}
        self._slots = Slots()
        self._restored = False

    def restore(self, row: Row, points: Mapping[str, ZoneAntenna]) -> tuple[str, Gone] | None:
        """Take back a departure of an earlier run; None if it was of another boot, or its antenna
        is no more. How long the tag was silent is not known.
        """
        number, value = int(row.key.removeprefix(GONE_ROW)), dict[str, Any](row.value)
        antenna = points.get(value["point"])
        if value["boot"] != self._boot or antenna is None:
            self._slots.restore(number)
            return None
        epc, told_at = value["epc"], value["told_at"]
        self._slots.restore(number, epc)
        self._told[epc], self._restored = told_at, True
        return epc, Gone(antenna, value["cdbm"], value["left_at"], told_at, 0, value["roamed"])

    def keep(self, now: Ns, epc: str, gone: Gone | None) -> Turn:
        """A tag has moved: keep that departure, or none."""
        if self._restored:
            by_age = sorted(self._told.items(), key=lambda pair: pair[1])
            self._told, self._restored = dict(by_age), False
        if gone is None:
            if self._told.pop(epc, None) is None:
                return NOTHING
            return Turn(deletes=(f"{GONE_ROW}{self._slots.release(epc)}",))
        self._told.pop(epc, None)
        for old, told_at in list(self._told.items()):
            if now - told_at <= GONE_NS and len(self._told) < GONE_MAX:
                break
            del self._told[old]
            self._slots.release(old)
        self._told[epc] = gone.told_at
        row = Row(
            f"{GONE_ROW}{self._slots.take(epc)}",
            {
                "epc": epc,
                "point": gone.antenna.point,
                "cdbm": gone.rssi,
                "left_at": gone.left_at,
                "told_at": gone.told_at,
                "roamed": gone.roamed,
                "boot": self._boot,
            },
        )
        return Turn(puts=(row,))
