"""What is asked of the bench, and what it prints and draws."""

import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from simulators.world.scenarios import FAMILIES
from tests.bench.judging.curves import reliability
from tests.bench.judging.methods import METHODS, entry_of
from tests.bench.truth import JUDGED, _plan, main, options


def test_seeds_are_a_range_or_one() -> None:
    assert list(options(["--seeds", "4-6"]).seeds) == [4, 5, 6]
    assert list(options(["--seeds", "9"]).seeds) == [9]


def plan(*words: str) -> dict[tuple[str, str], tuple[int, int]]:
    told = _plan(options([*words]))
    return {(family, level): (len(seeds), most) for family, level, seeds, most in told}


def test_worlds_that_last_a_day_are_left_out_unless_asked_for() -> None:
    assert {family for family, _ in plan()} == {*JUDGED} - {"quiet", "day"}
    assert plan("--family", "day") == {("day", "normal"): (3, 3)}


def test_every_family_is_judged_here_but_that_of_orders() -> None:
    assert {*FAMILIES} - {*JUDGED} == {"orders"}


def test_a_full_run_has_all_families_and_fewer_seeds_of_what_is_long() -> None:
    told = plan("--full", "--seeds", "101-120")
    assert {family for family, _ in told} == {*JUDGED}
    assert told["shelf", "normal"] == (20, 5)
    assert told["quiet", "normal"] == (20, 1)
    assert told["day", "normal"] == (2, 1)
    assert told["shelf", "hard"] == (20, 0)
    assert told["shelf", "easy"] == (5, 0)
    assert ("day", "hard") not in told


def test_a_method_may_carry_settings_of_rules() -> None:
    assert entry_of("ours:presence.sure=0.2,portal.sure=0.8").sense == "both"
    for wrong in ("theirs", "ours:", "edgex-10:presence.x=1"):
        with pytest.raises(ValueError, match="no method"):
            entry_of(wrong)


def test_the_report_is_one_object_with_bars_for_ours_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    arguments = ["--json", "--family", "weight", "--seeds", "1", "--length", "400"]
    arguments += ["--processes", "1", "--curves", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["truth", *arguments])
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    told = json.loads(capsys.readouterr().out)
    bound = {name for name, figure in told["metrics"].items() if "must" in figure}
    assert "weight/normal/ours/F1 30 s" in bound
    assert all("/ours/" in name for name in bound)
    assert "weight/normal/stable-step/F1 30 s" in told["metrics"]
    assert ended.value.code == int(not all(told["metrics"][name]["ok"] for name in bound))
    drawn = sorted(path.name for path in tmp_path.iterdir())
    assert drawn == ["methods-weight-normal.svg", "reliability-normal.svg"]
    for name in drawn:
        assert ET.parse(tmp_path / name).getroot().tag.endswith("svg")


def test_an_honest_method_lies_on_the_diagonal() -> None:
    drawing = ET.fromstring(reliability([(900, index < 90) for index in range(100)]))
    circle, [diagonal, _] = drawing.find(".//{*}circle"), drawing.findall(".//{*}path[@fill]")[1:]
    assert circle is not None
    begin, end = (
        [float(number) for number in point.split()]
        for point in diagonal.attrib["d"].removeprefix("M").split("L")
    )
    along = [
        (float(circle.attrib[name]) - begin[axis]) / (end[axis] - begin[axis])
        for axis, name in enumerate(("cx", "cy"))
    ]
    assert along == pytest.approx([0.8, 0.8], abs=0.01)


def test_a_knob_is_drawn_as_one_curve_for_each_figure(tmp_path: Path) -> None:
    arguments = ["--family", "shelf", "--seeds", "1", "--length", "500", "--processes", "1"]
    arguments += ["--sweep", "presence.sure=0.25,0.75", "--curves", str(tmp_path)]
    with pytest.raises(SystemExit):
        main(arguments)
    drawing = ET.parse(tmp_path / "sweep-shelf-normal.svg").getroot()
    text = [one.text for one in drawing.iter() if one.tag.endswith("text")]
    assert {"0.25", "0.75", "ceiling", "F1 within 5 s, bar 0.95"} <= {*text}
    for wrong in ("presence", "theirs.x=", "presence.sure"):
        with pytest.raises((SystemExit, ValueError)):
            options(["--sweep", wrong])


def test_all_baselines_of_the_notes_are_there() -> None:
    assert {"edgex-600", "edgex-30", "edgex-10", "rifidi-10", "autocheckout"} <= {*METHODS}
    assert {f"last-{seconds}" for seconds in (2, 10, 30)} <= {*METHODS}
