"""Where the tags come from: the seam between a simulated reader and a simulated world."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple, Protocol

EPC96_PC = 0x3000
"""Protocol control word of a 96-bit EPC: six words, EPC global numbering."""


class Sighting(NamedTuple):
    """One tag that answered in one inventory round.

    `phase` is 0..4095 for a full turn, `doppler` in sixteenths of a hertz, `channel` counts from
    1 in the hop table.
    """

    epc: bytes
    rssi_dbm: float
    pc: int = EPC96_PC
    crc: int = 0
    phase: int = 0
    doppler: int = 0
    channel: int = 1


class TagField(Protocol):
    """The tags in front of the antennas."""

    def inventory(self, antenna: int, power_dbm: float, at_s: float) -> Sequence[Sighting]:
        """Return the tags that would answer a round now, session flags left aside.

        `antenna` counts from 1; `at_s` is the reader's own `now`.
        """
        ...


class StillField:
    """Tags that lie still in front of given antennas and answer with a given chance."""

    def __init__(
        self,
        epcs: Sequence[bytes],
        random: Random,
        antennas: Sequence[int] = (1,),
        read_chance: float = 1.0,
    ) -> None:
        """Place the tags round robin before the antennas, each at a level of its own."""
        self._random = random
        self._read_chance = read_chance
        self._places = [
            (antennas[number % len(antennas)], epc, random.uniform(-68.0, -40.0))
            for number, epc in enumerate(epcs)
        ]

    def inventory(self, antenna: int, power_dbm: float, at_s: float) -> Sequence[Sighting]:
        """Return each tag of that antenna with the chance given; 30 dBm is its nominal power."""
        channel = int(at_s / 0.4) % 50 + 1
        return [
            Sighting(
                epc,
                level_dbm + power_dbm - 30.0,
                phase=self._random.randrange(4096),
                channel=channel,
                pc=len(epc) // 2 << 11,
            )
            for place, epc, level_dbm in self._places
            if place == antenna and self._random.random() < self._read_chance
        ]


def numbered_epcs(count: int, first: int = 1) -> list[bytes]:
    """Return `count` SGTIN-96 EPCs of one item with running serial numbers."""
    item = 0x3034_0000_91B7_584A << 32
    return [(item + first + number).to_bytes(12, "big") for number in range(count)]
