"""The judge: the world's acts against what the core booked. It never asks the gateway.

An act is found by a movement of the same item, quantity, source and target, booked within
`MATCH_WITHIN_S` of it; each movement answers for one act at most. What is left over on the side of
the world was missed, on the side of the core it is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from simulators.world.world import Act

MATCH_WITHIN_S = 30.0
"""A movement later than this is of no use to whoever plans with the stock."""

BEFORE_S = 2.0
"""A movement may be dated a little before its act: the clocks of sensors are not the world's."""

Place: TypeAlias = tuple[str, str]
"""A location and an item: what stock is counted by."""


@dataclass(frozen=True, slots=True)
class Booked:
    """One movement as the core booked it. Times are on the world's clock; `task` is the order line
    that it is for, `actor` who is named.
    """

    seq: int
    item: str
    quantity: int
    source: str
    target: str
    booked_at_s: float
    kind: str = ""
    actor: str = ""
    task: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """What the judge found. `latencies_s` are from the act to the core's booking."""

    matched: tuple[tuple[Act, Booked], ...]
    missed: tuple[Act, ...]
    wrong: tuple[Booked, ...]

    @property
    def latencies_s(self) -> list[float]:
        """From each found act to its booking in the core, ascending."""
        return sorted(booked.booked_at_s - act.at_s for act, booked in self.matched)


def judge(acts: Sequence[Act], booked: Sequence[Booked]) -> Score:
    """Match acts and movements, oldest first."""
    open_movements = sorted(booked, key=lambda movement: movement.booked_at_s)
    matched: list[tuple[Act, Booked]] = []
    missed: list[Act] = []
    for act in sorted(acts, key=lambda act: act.at_s):
        found = next((movement for movement in open_movements if answers(movement, act)), None)
        if found is None:
            missed.append(act)
        else:
            open_movements.remove(found)
            matched.append((act, found))
    return Score(tuple(matched), tuple(missed), tuple(open_movements))


def answers(movement: Booked, act: Act) -> bool:
    """Whether that movement can be the booking of that act."""
    delay_s = movement.booked_at_s - act.at_s
    return (
        -BEFORE_S <= delay_s <= MATCH_WITHIN_S
        and movement.item == act.item
        and movement.quantity == act.quantity
        and movement.source == act.source
        and movement.target == act.target
    )


def unexplained(difference: Mapping[Place, int], score: Score) -> int:
    """Pieces of a difference in stock that the missed acts and wrong movements do not explain.

    An act that was left unresolved is among those missed. Each explains its quantity, at both of
    its ends, and no more than is off there.
    """
    explained: Counter[Place] = Counter()
    offs: list[Act | Booked] = [*score.missed, *score.wrong]
    for off in offs:
        explained[off.source, off.item] += off.quantity
        explained[off.target, off.item] += off.quantity
    return sum(max(0, abs(pieces) - explained[place]) for place, pieces in difference.items())


def percentile(ascending: Sequence[float], share: float) -> float | None:
    """The value below which that share of the values lies; None without values."""
    if not ascending:
        return None
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]
