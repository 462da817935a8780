"""When the rules are told that the core does not know what was booked lately."""

from gateway.core_watch import BEHIND_NS, CoreWatch
from gateway.model import NS_PER_MS, NS_PER_S, CoreBehind, Fact
from gateway.uplink.uplink import UplinkState

BEHIND_S, BEHIND_MS = BEHIND_NS // NS_PER_S, BEHIND_NS // NS_PER_MS
UP, CUT, REFUSED = UplinkState(True, 0), UplinkState(False, 0, "cut"), UplinkState(False, 9, "no")


class Watch:
    """What was told, while the uplink and the backlog were so."""

    def __init__(self) -> None:
        self.told: list[tuple[int, Fact]] = []
        self.now_s = 0
        self._watch = CoreWatch(lambda fact: self.told.append((self.now_s, fact)))

    def look(self, now_s: int, uplink: UplinkState, oldest_ms: int = 0) -> None:
        self.now_s = now_s
        self._watch.look(now_s * NS_PER_S, uplink, oldest_ms)


def test_core_that_keeps_up_is_not_spoken_of() -> None:
    watch = Watch()
    watch.look(1, CUT)
    watch.look(BEHIND_S, CUT)
    watch.look(BEHIND_S + 5, UP, BEHIND_MS - 1)
    watch.look(BEHIND_S + 6, CUT)
    watch.look(2 * BEHIND_S + 5, CUT, BEHIND_MS - 1)
    assert watch.told == []


def test_long_cut_is_told_once_whatever_its_reasons_and_its_end_when_all_old_is_settled() -> None:
    watch = Watch()
    watch.look(0, CUT)
    watch.look(BEHIND_S - 1, REFUSED)
    watch.look(BEHIND_S, REFUSED)
    watch.look(BEHIND_S + 1, CUT, BEHIND_MS)
    assert watch.told == [(BEHIND_S, CoreBehind(behind=True))]
    watch.look(BEHIND_S + 2, UP, BEHIND_MS)
    watch.look(BEHIND_S + 3, CUT)
    assert len(watch.told) == 1
    watch.look(BEHIND_S + 4, UP, BEHIND_MS - 1)
    assert watch.told[1:] == [(BEHIND_S + 4, CoreBehind(behind=False))]


def test_core_that_settles_nothing_is_behind_though_the_broker_is_there() -> None:
    watch = Watch()
    watch.look(0, UP, BEHIND_MS - 1)
    watch.look(1, UP, BEHIND_MS)
    watch.look(2, UP)
    assert [fact for _, fact in watch.told] == [CoreBehind(behind=True), CoreBehind(behind=False)]
