"""What the knob between quick and sure sets at a gate."""

from itertools import pairwise

from rules.gate_knob import Knob
from rules.gate_story import CROSSING_COST, RETURN_COST

KNOBS = [Knob.of(share / 10) for share in range(11)]


def test_surer_asks_for_more_in_everything() -> None:
    for quick, sure in pairwise(KNOBS):
        assert quick.quiet_ns < sure.quiet_ns
        assert quick.margin < sure.margin
        assert quick.lead < sure.lead
        assert quick.faded > sure.faded
        assert quick.turned_bins <= sure.turned_bins


def test_clear_crossing_is_told_however_sure_a_gate_is_to_be() -> None:
    """A way through is ahead of a way back by the leg that it spares, and by no more."""
    assert max(knob.margin for knob in KNOBS) < RETURN_COST - CROSSING_COST
