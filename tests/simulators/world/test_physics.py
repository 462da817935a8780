"""What the simulated air and plates do, beside what was measured on real ones."""

import json
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import fmean, median, pstdev
from typing import Any

import pytest

from simulators.world.air import Air
from simulators.world.forklifts import drives, shades
from simulators.world.parameters import Gen2, Search, SiteParameters
from simulators.world.plate import Freeze, Load, PlateEvent, Press, ScalePlan, ScaleStream, Shake
from simulators.world.radio_events import Antenna, CableStep, Lift, Stand, draw_tag
from simulators.world.scenarios import make_scenario
from simulators.world.truth import Weights

Reading = tuple[float, int]


@pytest.fixture(scope="module")
def anchors(data_folder: Path) -> Any:
    return json.loads((data_folder / "rfid" / "rfid_noise_anchors.json").read_text("utf-8"))


def store(session: int, search: Search = "single", **changes: Any) -> dict[str, list[Reading]]:
    """One antenna in front of fifty tags for ten minutes, as slow as a handheld."""
    random = Random(5)
    drawn = replace(SiteParameters.draw(random, "normal"), reads_per_s=62.0, **changes)
    drawn = replace(drawn, ghost_per_read=1e-12)
    air = Air(drawn, [Antenna("r:1", "Z", 0.0, 0.0, 0.5)], -50.0, Gen2(session, search), random)
    for number in range(50):
        tag = draw_tag(f"3034{number:020x}", "X", drawn, random)
        air.take(Stand(0.0, tag, "Z", random.uniform(-1.0, 1.0), 0.2))
    reads: dict[str, list[Reading]] = defaultdict(list)
    for turn in range(600):
        for at_s, _, epc, rssi in air.dwell(0, float(turn), turn + 1.0):
            reads[epc].append((at_s, rssi))
    return reads


def gaps(reads: dict[str, list[Reading]]) -> list[float]:
    return sorted(
        later[0] - sooner[0] for times in reads.values() for sooner, later in pairwise(times)
    )


def test_gaps_in_session_0_are_those_of_a_store(anchors: Any) -> None:
    measured = anchors["detego_handheld_walk"]["store_S0"]["gap_ms"]["p50"] / 1000
    assert median(gaps(store(0))) == pytest.approx(measured, rel=0.25)


def test_gaps_in_session_1_are_those_of_a_store(anchors: Any) -> None:
    measured = anchors["detego_handheld_walk"]["store_S1"]["gap_ms"]
    told = gaps(store(1))
    assert median(told) == pytest.approx(measured["p50"] / 1000, rel=0.25)
    assert told[len(told) // 10] == pytest.approx(measured["p10"] / 1000, rel=0.35)


def test_a_tag_read_in_one_slot_of_session_1_is_silent_in_the_next(anchors: Any) -> None:
    again = sum(gap < 0.5 for gap in gaps(store(1))) / len(gaps(store(1)))
    assert (
        again
        <= anchors["detego_handheld_walk"]["store_S1"]["slot_500ms"]["p_read_given_read"] + 0.01
    )


@pytest.mark.parametrize("session", [1, 2, 3])
def test_in_dual_search_nobody_keeps_silent(session: int) -> None:
    assert median(gaps(store(session, "dual"))) == pytest.approx(median(gaps(store(0))), rel=0.1)


@pytest.mark.parametrize("session", [2, 3])
def test_in_single_search_a_tag_of_sessions_2_and_3_answers_once_while_it_is_powered(
    session: int,
) -> None:
    reads = store(session, stray_run_every_s=1e9)
    assert all(len(times) == 1 for times in reads.values())


def test_a_tag_that_was_out_of_the_field_answers_anew() -> None:
    random = Random(2)
    p = SiteParameters.draw(random, "easy")
    air = Air(p, [Antenna("r:1", "Z", 0.0, 0.0, 0.4)], -45.0, Gen2(2, "single"), random)
    tag = draw_tag(f"3034{1:020x}", "X", p, random)
    for begin_s, heard in ((0.0, 1), (3.0, 0), (20.0, 1)):
        air.take(Stand(begin_s, tag, "Z", 0.0, 0.1))
        assert len(air.dwell(0, begin_s, begin_s + 1.0)) == heard
        air.take(Lift(begin_s + 1.0, tag))
    air.take(Stand(22.0, tag, "Z", 0.0, 0.1))
    assert [len(air.dwell(0, at_s, at_s + 1.0)) for at_s in (22.0, 26.0, 30.0)] == [0, 0, 0]


def test_a_tag_that_stands_keeps_its_level(anchors: Any) -> None:
    spreads = [pstdev(rssi / 100 for _, rssi in times) for times in store(0).values()]
    measured = anchors["adarf_impinj_static_tags"]["rssi_sd_same_position_same_channel_db"]
    assert measured["p50"] <= median(spreads) <= measured["p95"]
    assert all(rssi % 50 == 0 for times in store(0).values() for _, rssi in times)


def test_places_differ_by_the_fading(anchors: Any) -> None:
    random = Random(3)
    p = replace(SiteParameters.draw(random, "normal"), null_share=0.0, ghost_per_read=1e-12)
    levels = []
    for number in range(200):
        air = Air(p, [Antenna("r:1", "Z", 0.0, 0.0, 0.5)], -40.0, Gen2(0, "dual"), random)
        tag = replace(draw_tag(f"3034{number:020x}", "X", p, random), material_db=0.0)
        air.take(Stand(0.0, tag, "Z", 0.0, 0.2))
        levels.append(fmean(rssi / 100 for _, _, _, rssi in air.dwell(0, 0.0, 1.0)))
    along = anchors["adarf_impinj_static_tags"]["rssi_sd_along_track_db"]
    assert along["p50"] <= pstdev(levels) <= along["p95"]


def test_shadows_silence_a_tag_for_seconds() -> None:
    clear = gaps(store(0, shadow_every_s=1e9, stray_run_every_s=1e9))
    shaded = gaps(store(0, shadow_every_s=20.0, shadow_s=4.0))
    assert sum(gap > 5.0 for gap in shaded) > 10 * (1 + sum(gap > 5.0 for gap in clear))


def test_a_lifted_tag_and_an_unplugged_antenna_are_silent() -> None:
    random = Random(2)
    p = SiteParameters.draw(random, "easy")
    air = Air(p, [Antenna("r:1", "Z", 0.0, 0.0, 0.4)], -45.0, Gen2(0, "dual"), random)
    tag, other = (draw_tag(f"3034{number:020x}", "X", p, random) for number in (1, 2))
    air.take(Stand(0.0, tag, "Z", 0.0, 0.1))
    air.take(Stand(0.0, other, "Z", 0.1, 0.1))
    assert {read[2] for read in air.dwell(0, 0.0, 1.0)} == {tag.epc, other.epc}
    air.take(Lift(1.0, tag))
    assert {read[2] for read in air.dwell(0, 1.0, 2.0)} == {other.epc}
    air.take(CableStep(2.0, "r:1", 200.0))
    assert air.dwell(0, 2.0, 3.0) == []
    air.take(CableStep(3.0, "r:1", 0.0))
    assert {read[2] for read in air.dwell(0, 3.0, 4.0)} == {other.epc}


def test_a_reader_is_no_faster_than_it_can_be() -> None:
    reads = store(0)
    assert sum(map(len, reads.values())) <= 62.0 * 600


def test_stray_reads_are_about_as_many_as_drawn() -> None:
    shares, drawn = [], []
    for seed in range(4):
        scenario, parameters = make_scenario("shelf", "hard", seed, 300.0)
        for _ in scenario.observations():
            pass
        shares += [
            float(value)
            for name, value in scenario.block.figures.items()
            if name.endswith("stray share")
        ]
        drawn.append(parameters.stray_share)
    assert fmean(drawn) / 2 < fmean(shares) < fmean(drawn) * 2


def plate(*events: PlateEvent, length_s: float = 60.0, first_g: float = 0.0) -> list[float]:
    p = SiteParameters.draw(Random(1), "normal")
    p = replace(p, vibration_every_s=1e9, temperature_swing_k=0.0, resolution_g=0.01)
    plan = ScalePlan("s", ("s:1",), {"s:1": first_g}, length_s, "seed", p, events)
    return [seen.samples[0][1] for seen in ScaleStream(plan)() if type(seen) is Weights]


def test_noise_of_a_plate_is_that_of_its_site() -> None:
    p = SiteParameters.draw(Random(1), "normal")
    assert pstdev(plate(first_g=5000.0)) == pytest.approx(p.noise_g, rel=0.1)


def test_a_load_rings_then_rests_then_creeps_within_the_class() -> None:
    weights = plate(Load(10.0, "s:1", 1000.0), length_s=1900.0)
    assert max(abs(w - 1000.0) for w in weights[100:103]) > 20.0
    rest = fmean(weights[150:200])
    assert rest == pytest.approx(1000.0, abs=1.0)
    creep = fmean(weights[-100:]) - rest
    assert 0.0 < creep < 0.7 * 10.0  # OIML R 60: 0.7 of the maximum permissible error


def test_a_hand_presses_while_it_is_there() -> None:
    weights = plate(Press(10.0, 12.0, "s:1", 500.0, 0.1))
    assert fmean(weights[102:118]) == pytest.approx(500.0, rel=0.3)
    assert fmean(weights[130:]) == pytest.approx(0.0, abs=0.5)


def test_a_forklift_shakes_all_plates_for_a_while() -> None:
    weights = plate(Shake(10.0, 12.0, 20.0, 13.0))
    assert pstdev(weights[102:118]) > 5.0
    assert pstdev(weights[:98]) < 1.0
    assert pstdev(weights[125:]) < 1.0


def test_forklifts_pass_zone_after_zone() -> None:
    p = SiteParameters.draw(Random(1), "normal")
    planned = drives(p, Random(1), 36_000.0)
    assert len(planned) == pytest.approx(36_000.0 / p.vibration_every_s, rel=0.2)
    for drive in planned[:5]:
        passed = shades([drive], ["A", "B", "C"], 1.2)
        assert [one.zone for one in passed] == (["A", "B", "C"] if drive.begins_left else [*"CBA"])
        assert all(0.8 < one.until_s - one.at_s < 2.2 for one in passed)
        assert passed[1].at_s - passed[0].at_s == pytest.approx(1.2 / drive.speed_m_s)


def test_a_frozen_cell_repeats_itself() -> None:
    weights = plate(Freeze(10.0, 20.0, "s:1"), Load(15.0, "s:1", 100.0))
    assert len(set(weights[101:199])) == 1
    assert weights[-1] == pytest.approx(100.0, abs=5.0)
