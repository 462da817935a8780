"""A short run of bench `orders`: the bars that the rules have reached are kept."""

import pytest

from tests.bench.judging.work import WorkTally
from tests.bench.orders import metrics, run

SEEDS, LINES = range(901, 904), 100
"""Apart from those that the bench uses by default; lines of each."""

MISSED = {
    "alert delay p99": 42.0,
    "false alerts per 1000 lines": 20.0,
    "hourly sums wrong": 10,
    "acts misnamed": 2,
}
"""Bars that do not hold on these few worlds yet, and what was reached: docs/orders.md says why.
Whoever improves the rules takes them out; they must not get worse meanwhile.
"""


@pytest.mark.timeout(240)
def test_rules_meet_the_bars_of_work_by_order() -> None:
    tally = WorkTally()
    for seed in SEEDS:
        tally.add(run(seed, "normal", LINES))
    told = metrics(tally)
    assert tally.counts["lines"] == len(SEEDS) * LINES
    assert tally.counts["slips"] > 10
    missed = {name: bar for name, bar in told.items() if not bar["ok"]}
    assert missed.keys() == MISSED.keys()
    worse = {name: bar for name, bar in missed.items() if bar["value"] > MISSED[name] * 1.1}
    assert worse == {}
