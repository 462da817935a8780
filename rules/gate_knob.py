"""What the knob between quick and sure sets at a gate. Part of the portal rule."""

from __future__ import annotations

from typing import NamedTuple

from gateway.model import NS_PER_S, Ns


class Knob(NamedTuple):
    """`quiet_ns` is the silence after which a single tag is judged, `margin` what its story must be
    ahead of others, `lead` what a load must be ahead of others for a tag that came with it (both
    in clear quarter seconds).

    A load is gone when its tags are heard with the share `faded` of their loudest power, all in
    all, and not before it is `turned_bins` quarter seconds past its turn: one that stops as it
    turns is known to stand by then.
    """

    quiet_ns: Ns
    margin: float
    lead: float
    faded: float
    turned_bins: int

    @classmethod
    def of(cls, sure: float) -> Knob:
        """What it sets from quick (0) to sure (1); in the middle a load is gone at -8 dB, where one
        that stops within the gate keeps about -5 dB.
        """
        return cls(
            quiet_ns=int((0.5 + 2.0 * sure) * NS_PER_S),
            margin=0.7 + 0.6 * sure,
            lead=sure,
            faded=10.0 ** (-0.5 - 0.6 * sure),
            turned_bins=round(4 + 4 * sure),
        )
