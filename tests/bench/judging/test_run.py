"""Worlds are judged once for all methods, the longest first, and what was found is kept."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.judging import journal
from tests.bench.judging.methods import CEILING, METHODS, OURS
from tests.bench.judging.run import CPU_S_PER_HOUR, Verdict, World, judge, judge_all
from tests.bench.truth import JUDGED, main

SHORT = World("fused", "normal", 5, (*METHODS,), 240.0)


@pytest.fixture(scope="module")
def verdict() -> Verdict:
    return judge(SHORT)


def test_methods_that_share_a_world_are_judged_as_if_alone(verdict: Verdict) -> None:
    assert [*verdict.tallies] == [*METHODS]
    assert verdict.tallies[OURS].counts["acts"] > 0
    for name in (OURS, "hmm", "autocheckout"):
        alone = judge(World("fused", "normal", 5, (name,), 240.0))
        assert alone.tallies[name] == verdict.tallies[name]
        assert alone.site == verdict.site
    assert min(verdict.seconds.values()) > 0 < verdict.made_s


def test_the_longest_worlds_go_first() -> None:
    worlds = [World("weight", "normal", 1, (OURS,), length) for length in (130.0, 300.0, 200.0)]
    assert [one.world.length_s for one in judge_all(worlds, 1)] == [300.0, 200.0, 130.0]
    assert {*CPU_S_PER_HOUR} == {*JUDGED}
    assert World("day", "normal", 1, (OURS,)).cost_s > World("shelf", "hard", 1, (*METHODS,)).cost_s


def test_baselines_do_not_depend_on_the_order_of_sets() -> None:
    code = (
        "from tests.bench.judging.run import World, judge\n"
        "told = judge(World('shelf', 'hard', 3, ('hmm', 'smurf', 'evidence'), 240.0))\n"
        "print(told.tallies)"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            cwd=journal.ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1] != ""


def test_a_verdict_is_kept_whole(verdict: Verdict, tmp_path: Path) -> None:
    log = tmp_path / "log"
    journal.write(log, verdict)
    assert [*journal.read(log, [SHORT])] == [verdict]
    fewer = World("fused", "normal", 5, (CEILING,), 240.0)
    [told] = journal.read(log, [fewer])
    assert told.tallies == {CEILING: verdict.tallies[CEILING]}


def test_what_was_not_found_or_by_other_code_is_not_taken(verdict: Verdict, tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert [*journal.read(log, [SHORT])] == []
    one = Verdict(World("fused", "normal", 5, (OURS,), 240.0), {OURS: verdict.tallies[OURS]})
    one.seconds = {OURS: 1.0}
    journal.write(log, one)
    assert [*journal.read(log, [SHORT])] == []
    log.write_text(log.read_text().replace(journal.version(), "of old"))
    assert [*journal.read(log, [one.world])] == []
    with log.open("a") as file:
        file.write('{"version": "' + journal.version())  # the power failed
    journal.write(log, one)
    assert [*journal.read(log, [one.world])] == [one]


def test_a_run_goes_on_where_it_broke_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    asked = ["--family", "weight", "--seeds", "1-2", "--length", "200", "--processes", "1"]
    asked += ["--json", "--log", str(log), "--resume", str(log)]
    monkeypatch.setattr(sys, "argv", ["truth", *asked])
    told = []
    for lines_left in (2, 1, 2):
        lines = log.read_text().splitlines(keepends=True) if log.exists() else []
        log.write_text("".join(lines[:lines_left]))
        with pytest.raises(SystemExit):
            main(asked)
        out, err = capsys.readouterr()
        told.append((json.loads(out)["metrics"], err.count("of CPU")))
    assert [judged for _, judged in told] == [2, 1, 0]
    assert told[0][0] == told[1][0] == told[2][0]
