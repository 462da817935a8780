"""A short run of bench `truth`: bars that the rules have reached are kept."""

import pytest

from tests.bench.judging.figures import BARS, figures
from tests.bench.judging.run import World, judge, pooled

SEEDS = (901, 902, 903)
"""Apart from those that the bench uses by default."""


REACHED = {"weight": ("F1 30 s", "quantity exact", "mixed wrong")}


@pytest.mark.parametrize("family", REACHED)
def test_rules_meet_the_bars_of(family: str) -> None:
    verdicts = [judge(World(family, "normal", seed, ("ours",), 1500.0)) for seed in SEEDS]
    told = figures(pooled(verdicts)[family, "normal", "ours"])
    assert told["acts"] > 200
    for bar in BARS[family]:
        if bar.figure in REACHED[family]:
            value, bound = told[bar.figure], bar.bound("normal")
            assert value >= bound if bar.least is not None else value <= bound, (bar, value)
