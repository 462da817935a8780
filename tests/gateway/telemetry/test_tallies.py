from random import Random

import pytest

from gateway.telemetry.tallies import CellTally, LatencyTally


def test_latency_percentiles_are_those_of_the_samples() -> None:
    tally = LatencyTally("s")
    for milliseconds in range(100, 0, -1):
        tally.add(milliseconds * 1_000_000)
    assert tally.fields() == {"samples": 100, "p50_ms": 50.0, "p99_ms": 99.0, "max_ms": 100.0}


def test_latency_beyond_the_bound_still_counts_for_the_maximum() -> None:
    tally = LatencyTally("s")
    for _ in range(1000):
        tally.add(1_000_000)
    tally.add(9_000_000)
    assert tally.fields() == {"samples": 1001, "p50_ms": 1.0, "p99_ms": 1.0, "max_ms": 9.0}
    assert len(tally.kept_ns) == 1000


def test_latency_of_nothing_has_no_percentile() -> None:
    assert LatencyTally("s").fields() == {"samples": 0}


def test_cell_noise_is_the_standard_deviation_though_a_step_lies_between() -> None:
    random, tally = Random(7), CellTally("s")
    samples = [5000 + random.gauss(0, 3) for _ in range(500)]
    samples += [4000 + random.gauss(0, 3) for _ in range(500)]
    tally.samples, tally.gross_g = 1, samples[0]
    for gross_g in samples[1:]:
        tally.differences += abs(gross_g - tally.gross_g)
        tally.samples += 1
        tally.gross_g = gross_g
    assert tally.noise()["noise_g"] == pytest.approx(3, abs=1.2)


def test_cell_one_sample_has_no_noise() -> None:
    tally = CellTally("s")
    tally.samples = 1
    assert tally.noise() == {"samples": 1}
