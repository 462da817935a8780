"""The judge of work by order: what was told of lines, mistakes and people against the truth log.

lines            order lines that people worked off
lines_exact      confirmed once, with the pieces that truly went and the exception that is due
mistakes         of these, and by night and in the morning
mistakes_told    by an alert of a fitting code about the line or the place, or as a return
told_ms          from a mistake to its alert, median and 99 %; what stood already is not in it
alerts_false     alerts of orders and people that are about no mistake
acts_named       acts whose movement names who truly did it
acts_nameless    acts whose movement names nobody
acts_misnamed    acts whose movement names somebody else
orders_wrong     acts whose movement names another order line than it was done for, or none
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from simulators.demo.truth import Slip, TrueLine, Truth
from simulators.world.score import Booked, Score, percentile
from simulators.world.world import Act

TELLS = {
    "put back": "over_issue",
    "over": "over_issue",
    "short": "short",
    "wrong item": "wrong_item",
    "two pickers": "two_people",
    "theft": "unplanned",
}
"""Codes of the alerts that tell a mistake. What is brought back is told as a return."""

FOLLOWS = frozenset({*TELLS.values(), "no_badge", "wrong_place"})
"""Codes of alerts that are about work by order."""

EARLY_S, TOLD_WITHIN_S = 2.0, 60.0


class Told(NamedTuple):
    """An alert that was raised or cleared, as the core heard it; times are the world's."""

    at_s: float
    code: str
    key: str
    raised: bool


def judge_work(
    truth: Truth,
    confirmed: Mapping[str, Mapping[str, Any]],
    alerts: Iterable[Told],
    score: Score,
) -> dict[str, Any]:
    """The figures; see the module. `confirmed` are the confirmations by their task."""
    lines, told = truth.lines.values(), list(alerts)
    booked = [movement for _, movement in score.matched]
    delays = [_delay(slip, told, booked) for slip in truth.slips]
    fresh = sorted(delay_s for delay_s in delays if delay_s)
    names = [(act.person, booked.actor) for act, booked in score.matched]
    return {
        "lines": len(lines),
        "lines_exact": sum(is_exact(line, confirmed.get(line.task)) for line in lines),
        "mistakes": len(delays),
        "mistakes_told": sum(delay_s is not None for delay_s in delays),
        "told_ms": {
            "p50": _ms(percentile(fresh, 0.5)),
            "p99": _ms(percentile(fresh, 0.99)),
        },
        "alerts_false": sum(_is_false(each, truth.slips) for each in told),
        "acts_named": sum(person == actor for person, actor in names),
        "acts_nameless": sum(not actor for _, actor in names),
        "acts_misnamed": sum(bool(actor) and person != actor for person, actor in names),
        "orders_wrong": sum(_due(act) != booked.task for act, booked in score.matched),
    }


def is_exact(line: TrueLine, told: Mapping[str, Any] | None) -> bool:
    """Whether a line was confirmed as it truly was."""
    if told is None:
        return False
    return (told["item"], told["quantity_done"], told.get("exception", "")) == (
        line.item,
        line.done,
        line.exception,
    )


def _due(act: Act) -> str:
    """The order line that an act counts for: what came from another cell counts for none."""
    return "" if act.mistake == "wrong item" else act.task


def _delay(slip: Slip, told: Iterable[Told], booked: Iterable[Booked]) -> float | None:
    """How long it took until a mistake was told; 0 if an alert of it stood, None if it was not."""
    back = slip.mistake == "brought back"
    return min(_returns(slip, booked) if back else _tellings(slip, told), default=None)


def _tellings(slip: Slip, told: Iterable[Told]) -> Iterator[float]:
    standing = dict[str, bool]()
    for one in told:
        if one.code != TELLS[slip.mistake] or not _about(one, slip):
            continue
        if one.at_s < slip.at_s - EARLY_S:
            standing[one.key] = one.raised
        elif one.raised and one.at_s <= slip.at_s + TOLD_WITHIN_S:
            yield max(0.0, one.at_s - slip.at_s)
    if any(standing.values()):
        yield 0.0


def _returns(slip: Slip, booked: Iterable[Booked]) -> Iterator[float]:
    for movement in booked:
        delay_s = movement.booked_at_s - slip.at_s
        returned = movement.kind == "return" and movement.task == slip.task
        if returned and -EARLY_S <= delay_s <= TOLD_WITHIN_S:
            yield max(0.0, delay_s)


def _is_false(told: Told, slips: Iterable[Slip]) -> bool:
    owed = any(_about(told, slip) and slip.at_s - EARLY_S <= told.at_s for slip in slips)
    return told.raised and told.code in FOLLOWS and not owed


def _about(told: Told, slip: Slip) -> bool:
    return not {slip.task, *slip.places}.isdisjoint({*told.key.split(":")} - {""})


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
