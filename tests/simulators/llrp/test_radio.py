from collections.abc import Sequence
from itertools import pairwise
from random import Random
from statistics import median

import pytest

from simulators.llrp.antenna import AntennaSettings, TagFilter
from simulators.llrp.field import Sighting, StillField, numbered_epcs
from simulators.llrp.radio import Radio, RadioSettings

POWER_DBM = 30.0


class Few:
    """A field of tags that always answer."""

    def __init__(self, count: int) -> None:
        self.epcs = numbered_epcs(count)

    def inventory(self, _antenna: int, _power_dbm: float, _at_s: float) -> Sequence[Sighting]:
        return [Sighting(epc, -50.0) for epc in self.epcs]


def settings(session: int, search_mode: int = 0) -> AntennaSettings:
    return AntennaSettings(power_index=81, session=session, search_mode=search_mode)


def read_times(antenna: AntennaSettings, seconds: float, count: int = 1) -> list[float]:
    """When the first tag is read over some seconds of rounds."""
    field = Few(count)
    radio = Radio(field, RadioSettings(), Random(5))
    at_s, times = 0.0, []
    while at_s < seconds:
        result = radio.inventory(1, antenna, POWER_DBM, at_s)
        times += [at_s + offset for offset, tag in result.reads if tag.epc == field.epcs[0]]
        at_s += result.duration_s
    return times


def gaps(times: list[float]) -> list[float]:
    return [b - a for a, b in pairwise(times)]


def test_tag_in_session_0_answers_every_round() -> None:
    assert max(gaps(read_times(settings(0), 10.0))) < 0.05


def test_tag_in_session_1_is_silent_for_half_a_second_to_five() -> None:
    between = gaps(read_times(settings(1), 600.0))
    assert min(between) >= 0.5
    assert max(between) < 5.1
    assert 2.0 < median(between) < 3.5


@pytest.mark.parametrize(("session", "search_mode"), [(2, 0), (3, 1), (1, 3)])
def test_powered_tag_in_session_2_or_suppressed_is_read_once(
    session: int, search_mode: int
) -> None:
    assert len(read_times(settings(session, search_mode), 600.0)) == 1


def test_tag_in_session_2_answers_again_after_two_seconds_without_power() -> None:
    field = Few(1)
    radio = Radio(field, RadioSettings(), Random(5))
    reads = [
        len(radio.inventory(1, settings(2), POWER_DBM, at).reads) for at in (0.0, 1.5, 3.0, 5.5)
    ]
    assert reads == [1, 0, 0, 1]


def test_dual_target_reads_again_in_any_session() -> None:
    assert max(gaps(read_times(settings(2, search_mode=2), 5.0))) < 0.05


def test_sessions_have_flags_of_their_own() -> None:
    radio = Radio(Few(1), RadioSettings(), Random(5))
    assert radio.inventory(1, settings(2), POWER_DBM, 0.0).reads
    assert radio.inventory(1, settings(3), POWER_DBM, 0.1).reads
    assert not radio.inventory(1, settings(2), POWER_DBM, 0.2).reads


def test_flags_can_be_left_to_the_world() -> None:
    radio = Radio(Few(1), RadioSettings(session_flags=False), Random(5))
    assert [len(radio.inventory(1, settings(2), POWER_DBM, at).reads) for at in (0, 0.1)] == [1, 1]


@pytest.mark.parametrize("rate", [300.0, 1000.0, 5000.0])
def test_rate_within_a_round_is_the_limit(rate: float) -> None:
    radio = Radio(Few(2000), RadioSettings(reads_per_s=rate), Random(5))
    at_s = reads = 0.0
    while at_s < 10.0:
        result = radio.inventory(1, settings(0), POWER_DBM, at_s)
        at_s += result.duration_s
        reads += len(result.reads)
    assert reads / at_s == pytest.approx(rate, rel=0.01)


def test_rate_beyond_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="reads_per_s"):
        RadioSettings(reads_per_s=5001)


def test_filters_select_in_order() -> None:
    epcs = numbered_epcs(4)
    first, last = (int.from_bytes(epcs[n], "big") for n in (0, 3))
    only_first = AntennaSettings(81, filters=(TagFilter(0, 96, first),))
    all_but_last = AntennaSettings(81, filters=(TagFilter(0, 96, last, action=4),))
    both = AntennaSettings(81, filters=(TagFilter(0, 96, first), TagFilter(0, 96, last, action=1)))
    assert [e for e in epcs if only_first.selects(e)] == epcs[:1]
    assert [e for e in epcs if all_but_last.selects(e)] == epcs[:3]
    assert [e for e in epcs if both.selects(e)] == [epcs[0], epcs[3]]
    assert not only_first.selects(b"\x30")


def test_same_seed_gives_the_same_reads() -> None:
    def run() -> list[tuple[float, Sighting]]:
        random = Random(11)
        field = StillField(numbered_epcs(20), random, (1,), read_chance=0.6)
        radio = Radio(field, RadioSettings(), random)
        return [
            read
            for at in range(20)
            for read in radio.inventory(1, settings(1), POWER_DBM, at / 10).reads
        ]

    assert run() == run()
    assert len(run()) > 20
