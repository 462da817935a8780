"""The simulated warehouse in virtual time: what its sensors show is enough for the rules."""

from collections.abc import Iterable, Iterator
from random import Random

import pytest

from gateway.model import Coverage, Passage, Portal, Site, TagReport
from rules.portal import Portal as PortalRule
from simulators.demo.plant import DWELL_S
from simulators.llrp.antenna import AntennaSettings
from simulators.llrp.radio import Radio, RadioSettings
from simulators.world.layout import CARTON, GATE, GATE_READER, HALL, MASTS
from simulators.world.world import World
from tests.rules.play import Play, S, read

ANTENNAS = [mast.antenna for mast in MASTS if mast.reader == GATE_READER]
POINTS = [f"{GATE_READER}:{antenna}" for antenna in ANTENNAS]
SITE = Site(portals=(Portal(GATE, tuple(POINTS[:2]), tuple(POINTS[2:]), "unknown", HALL),))
SURE = 0.75
"""As the demo's configuration has it."""

IN_VIEW_S, NEXT_S = 7.0, 11.0
"""A walk takes less than the first; the next begins after the second, when all is judged."""


class GateReader:
    """The demo's gate reader in virtual time; `now_s` is when its next round begins."""

    def __init__(self, seed: int) -> None:
        self.now_s = 0.0
        self.world = World(Random(f"world {seed}"), lambda: self.now_s)
        field, settings = self.world.field(GATE_READER), RadioSettings(dwell_s=DWELL_S[GATE_READER])
        self._radio = Radio(field, settings, Random(seed))

    def until(self, end_s: float) -> Iterator[tuple[float, TagReport]]:
        """Make round after round until then."""
        settings = AntennaSettings(power_index=1, session=0)
        while self.now_s < end_s:
            for antenna in ANTENNAS:
                leave_s = self.now_s + self._radio.settings.dwell_s
                while self.now_s < leave_s:
                    begin_s = self.now_s
                    found = self._radio.inventory(antenna, settings, 30.0, begin_s)
                    for later_s, tag in found.reads:
                        point, epc = f"{GATE_READER}:{antenna}", tag.epc.hex()
                        heard = read(point, epc, tag.rssi_dbm)
                        yield begin_s + later_s, TagReport(GATE_READER, (heard,))
                    self.now_s = begin_s + found.duration_s


def feed(play: Play, reports: Iterable[tuple[float, TagReport]]) -> None:
    """Feed the reports as they happen; coverage comes four times a second."""
    for at_s, report in reports:
        watch(play, at_s)
        play.feed(at_s, report)


def watch(play: Play, until_s: float) -> None:
    while play.now_s + 0.25 <= until_s:
        play.feed(play.now_s + 0.25, Coverage(GATE_READER, S // 4))


@pytest.mark.parametrize(("seed", "speed_m_s"), [(14, 1.2), (4, 1.6), (7, 1.3)])
def test_each_single_carton_through_the_gate_is_told_as_carried(
    seed: int, speed_m_s: float
) -> None:
    """Also with somebody beside it, and with a fading that makes the far side louder at the end."""
    gate, play = GateReader(seed), Play([PortalRule], {"sure": SURE}, site=SITE)
    watch(play, 10.0)
    carried = {}
    for number in range(30):
        gate.now_s = begin_s = 10.0 + number * NEXT_S
        inward = number % 2 == 0
        cartons = [gate.world.make(CARTON)] if inward else gate.world.stock(HALL)[:1]
        act = gate.world.carry("Ben", cartons, inward=inward, speed_m_s=speed_m_s)
        carried[number] = (*act.epcs, "in" if inward else "out")
        feed(play, gate.until(begin_s + IN_VIEW_S))
        watch(play, begin_s + NEXT_S)
    told = [(passage.epc, passage.direction) for passage in play.kinds(Passage)]
    assert told == list(carried.values())
