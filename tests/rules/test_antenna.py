"""How strongly an antenna usually reads its own tags, and those of other zones."""

from random import Random

import pytest

from gateway.model import EpcPattern
from rules.antenna import (
    AWAY_BOUNDS_CDB,
    AWAY_CDB,
    LEVELS_KEPT,
    NEAR_MAX,
    NEAR_MIN,
    SHIFT_MAX_CDB,
    STRAYS_SURE,
    ZoneAntenna,
)
from rules.run import sure_nats_of
from rules.silence import Silences
from rules.watched_zone import EXPECTED_NS, WatchedZone


def antenna(*levels: int, strays: tuple[int, ...] = ()) -> ZoneAntenna:
    found = ZoneAntenna("r:1", WatchedZone("A", Silences.of(0.5), sure_nats_of(0.5)))
    for level in levels:
        found.learn(level)
    for level in strays:
        found.learn_stray(level)
    return found


def test_usual_level_is_that_of_its_tags() -> None:
    random = Random(1)
    found = antenna(*(round(random.gauss(-5200, 600)) for _ in range(200)))
    assert found.mean_cdbm == pytest.approx(-5200, abs=300)


def test_usual_level_follows_what_changes_for_good() -> None:
    found = antenna(*[-5000] * 100, *[-6000] * 100)
    assert found.mean_cdbm == pytest.approx(-6000, abs=100)


@pytest.mark.parametrize("absurd", [0, -20_000, 10**9])
def test_no_single_tag_drags_the_usual_level_away(absurd: int) -> None:
    usual = antenna(*[-5000] * LEVELS_KEPT)
    usual.learn(absurd)
    assert abs(usual.mean_cdbm + 5000) <= SHIFT_MAX_CDB // LEVELS_KEPT + 1


def test_usual_level_recovers_from_a_fault() -> None:
    usual = antenna(*[-5000] * LEVELS_KEPT, *[0] * 20, *[-5000] * 3 * LEVELS_KEPT)
    assert usual.mean_cdbm == pytest.approx(-5000, abs=300)


def test_stronger_level_is_the_nearer_one() -> None:
    usual = antenna(-5000, -5200, -4800)
    levels = [usual.near(level) for level in range(-9000, 0, 100)]
    assert levels == sorted(levels)
    assert usual.near(usual.mean_cdbm) > 0 > usual.near(usual.mean_cdbm - AWAY_CDB)


@pytest.mark.parametrize("strays", [(), (-6500,) * 20, (0,) * 99, (-30_000,) * 99], ids=len)
@pytest.mark.parametrize("level", [0, -5000, -9000, -(10**6)])
def test_evidence_of_one_level_is_bounded(level: int, strays: tuple[int, ...]) -> None:
    """No level alone says that a tag stands, at any setting, nor rules it out for ever."""
    near = antenna(*[-5000] * 40, strays=strays).near(level)
    assert NEAR_MIN <= near <= NEAR_MAX
    assert near < sure_nats_of(0.5)


def test_antenna_that_knows_nothing_says_little() -> None:
    unknown = antenna()
    assert unknown.near(-3000) == unknown.near(-8000)
    assert 0 <= unknown.near(-5000) < sure_nats_of(0.0)


def test_few_strays_tell_nothing_yet() -> None:
    assert antenna(-5000, strays=(-5800,) * (STRAYS_SURE - 1)).away_cdb == AWAY_CDB
    assert antenna(-5000, strays=(-5800,) * STRAYS_SURE).away_cdb == pytest.approx(800, abs=50)


@pytest.mark.parametrize("strays", [0, -4000, -5000, -9000, -(10**6)])
def test_what_strays_teach_is_bounded(strays: int) -> None:
    low, high = AWAY_BOUNDS_CDB
    assert low <= antenna(*[-5000] * 40, strays=(strays,) * 200).away_cdb <= high


@pytest.mark.parametrize("loss", [0, 800, 2500])
def test_what_its_material_takes_says_nothing_of_where_a_tag_stands(loss: int) -> None:
    here = antenna(*[-5000] * 40, strays=(-7000,) * 20)
    there = antenna(*[-6000] * 40, strays=(-7000,) * 20)
    strong, weak = -5000 - loss, -7000 - loss
    assert here.against(strong, there, weak) == pytest.approx(here.against(-5000, there, -7000))
    assert here.against(strong, there, weak) > 2.0
    assert here.against(-6000 - loss, there, -6500 - loss) == 0  # halfway between the two
    assert here.against(strong, there, weak) == pytest.approx(-there.against(weak, here, strong))


def test_expectations_of_a_scale_pass() -> None:
    zone = WatchedZone("A", Silences.of(0.5), sure_nats_of(0.5))
    zone.expect(0, EpcPattern(("3034aa",)))
    assert zone.expects("3034aa01", EXPECTED_NS)
    assert not zone.expects("3034bb01", 0)
    assert not zone.expects("3034aa01", EXPECTED_NS + 1)
    zone.expect(EXPECTED_NS + 1, EpcPattern(("3034bb",)))
    assert set(zone.expected) == {EpcPattern(("3034bb",))}
