"""From when on a silent tag is gone rather than hidden, for somebody who knows the site.

A tag is there and clear, there and hidden behind a body, or gone. Each turn of its antenna is
weighed with the tag's own read chance, the site's hiding and how often tags leave; the moment is
that at which gone is likelier than there by `ODDS`. Bodies that stand in front of a whole zone
are left out, so the moment is rather early than late.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from simulators.world.air import CHANCE_SHADOWED
from simulators.world.truth import NS_PER_S
from tests.bench.baselines.sightings import Visit

ODDS = 20.0

READ_SHARE = (0.02, 0.98)
"""Bounds of a tag's read chance per turn as its last turns show it."""

READ_WHEN_GONE = 1e-3
"""A tag on its way is still heard now and then by the antenna that it left."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How a tag is heard while it stands, and what hides or takes it, per second.

    `rests_ns`: so long after an answer it never answered again, by its session's flag.
    """

    read_share: float
    rests_ns: int
    rounds: float
    leaves_per_s: float
    hidden_every_s: float
    hidden_s: float

    @classmethod
    def of(
        cls,
        turns: Iterable[tuple[Visit, int]],
        leaves_per_s: float,
        hidden: tuple[float, float],
    ) -> Habits:
        """Habits of a tag by its turns while it stood; `hidden` is (every, for) in seconds."""
        known = list(turns)
        begins = [visit.begin for visit, count in known if count]
        heard = [count for _, count in known if count]
        again = any(count > 1 for count in heard)
        rests = 0 if again else min((b - a for a, b in pairwise(begins)), default=0)
        asked, last = 0, -rests
        for visit, count in known:
            asked += visit.begin - last >= rests
            last = visit.begin if count else last
        every_s, for_s = hidden
        clear = 1.0 - for_s / (every_s + for_s)
        low, high = READ_SHARE
        share = min(high, max(low, len(heard) / max(1, asked) / clear))
        rounds = sum(heard) / len(heard) if heard else 1.0
        return cls(share, rests, rounds, leaves_per_s, every_s, for_s)


def gone_since(turns: Iterable[tuple[Visit, int]], habits: Habits, not_before: int) -> int | None:
    """When (ns) the gateway could know at best that the tag is gone; None if never."""
    clear, hidden, gone = 1.0, 0.0, 0.0
    last: int | None = None
    answered = -habits.rests_ns
    missed_hidden = (1.0 - CHANCE_SHADOWED) ** habits.rounds
    for visit, count in turns:
        span_s = 0.0 if last is None else max(0.0, visit.until - last) / NS_PER_S
        last = visit.until
        left = 1.0 - math.exp(-span_s * habits.leaves_per_s)
        hides = 1.0 - math.exp(-span_s / habits.hidden_every_s)
        shows = 1.0 - math.exp(-span_s / habits.hidden_s)
        gone += left * (clear + hidden)
        clear, hidden = (
            (1.0 - left) * (clear * (1.0 - hides) + hidden * shows),
            (1.0 - left) * (hidden * (1.0 - shows) + clear * hides),
        )
        if count:
            answered = visit.begin
            clear *= habits.read_share
            hidden *= 1.0 - missed_hidden
            gone *= READ_WHEN_GONE
        elif visit.begin - answered >= habits.rests_ns:
            clear *= 1.0 - habits.read_share
            hidden *= missed_hidden
        total = clear + hidden + gone
        clear, hidden, gone = clear / total, hidden / total, gone / total
        if visit.told >= not_before and gone >= ODDS * (clear + hidden):
            return visit.told
    return None
