"""Judges what was told of order lines against what truly became of them.

A line is right if it was confirmed once, with its item, the pieces that truly went its way and
stayed, and the exception code that is due. A mistake is told if an alert with a fitting code about
its line, or about a place where it shows, is raised after the act; what was brought back after its
line was over may be told as a return that names what it takes back, instead. A line that was
not done can be known only when its time-out ran: from then on its alert is due. That a line was
never begun the order system knows best: it takes the line back, and the confirmation that nothing
was done is the telling. An alert about no mistake is false.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from simulators.world.truth import NS_PER_S, OUTSIDE, Scenario, Slip, TruthAct, TruthLine
from tests.bench.judging.at_work import Confirmed, Raised, WorkTold
from tests.bench.judging.claims import Claim, booked
from tests.bench.judging.people import TWO_PEOPLE, names, were_two

TELLS = {
    "put back": ("over_issue", "unplanned"),
    "over": ("over_issue", "unplanned"),
    "short": ("short",),
    "wrong item": ("wrong_item", "unplanned"),
    "swapped": ("wrong_item", "unplanned"),
    "other place": ("wrong_place", "unplanned"),
    "given up": ("short",),
    "forgotten": ("short",),
    "brought back": ("unplanned",),
    "theft": ("unplanned",),
}
"""Codes of alerts that tell a mistake."""

UNRESOLVED = "unresolved"
"""What is said of any act that the evidence does not explain; it tells a mistake, too."""

EARLY_NS = 1 * NS_PER_S
"""An alert so little before the moment of a mistake may be of it: clocks of devices differ."""

TOLD_NS = 60 * NS_PER_S
"""What was not told so long after a mistake was not told."""

FOLLOWS_NS = 180 * NS_PER_S
"""What is raised so long after a mistake may follow from it: it is no false alert."""

QUIET_NS = 30 * NS_PER_S
"""Sums are compared at the first moment of an hour with no act so long before and after it."""

HOUR_NS = 3600 * NS_PER_S

AS_ASKED = "as asked"
"""Lines with which nothing was wrong."""

BY_BOTH, BY_TAGS, BY_WEIGHT = "by weight and tags", "by tags alone", "by weight alone"
"""What watches a place."""

SILENT_S = float("inf")
"""The delay of what was never told."""


class Failure(NamedTuple):
    """One thing that was told wrong: what, of which mistake, and how it was told."""

    what: str
    mistake: str
    detail: str


@dataclass(slots=True)
class WorkTally:
    """Counts and lists of any number of worlds; they add up. Delays of alerts stand with the sense
    that watches there.
    """

    counts: Counter[str] = field(default_factory=Counter)
    alert_delays_s: list[tuple[str, float]] = field(default_factory=list)
    confirm_delays_s: list[float] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: WorkTally) -> None:
        """Take in the tally of another world."""
        self.counts.update(other.counts)
        self.alert_delays_s.extend(other.alert_delays_s)
        self.confirm_delays_s.extend(other.confirm_delays_s)
        self.failures.extend(other.failures)


def judge_work(scenario: Scenario, told: WorkTold) -> WorkTally:
    """All counts of one world."""
    tally = WorkTally()
    _lines(tally, scenario, told.confirmed)
    _slips(tally, scenario, told)
    _false_alerts(tally, scenario, told.raised)
    tally.counts["negative"] += len(told.negative)
    tally.failures.extend(Failure("negative stock", "", repr(one)) for one in told.negative)
    _sums(tally, scenario, told.claims)
    _names(tally, scenario, told.claims)
    return tally


def _lines(tally: WorkTally, scenario: Scenario, confirmed: Sequence[Confirmed]) -> None:
    of_line: dict[str, list[Confirmed]] = {}
    for one in confirmed:
        of_line.setdefault(one.task, []).append(one)
    last_ns: dict[str, int] = {}
    for act in scenario.acts:
        last_ns[act.task] = act.at
    for line in scenario.block.lines:
        known, code = of_line.pop(line.line.code, []), line.line.code
        tally.counts["lines"] += 1
        kinds = (line.mistake or AS_ASKED, sense_at(scenario, [line.line.source, line.line.target]))
        tally.counts.update(f"lines {kind}" for kind in kinds)
        wrong = wrong_about(line, known)
        if wrong:
            tally.failures.append(Failure(wrong, line.mistake, f"{line} told {known}"))
            continue
        tally.counts["exact"] += 1
        tally.counts.update(f"exact {kind}" for kind in kinds)
        if code in last_ns and line.mistake in {"", "two pickers"}:
            tally.confirm_delays_s.append((known[0].at - last_ns[code]) / NS_PER_S)
    for code in of_line:
        tally.failures.append(Failure("line unknown", "", code))
        tally.counts["lines"] += 1


def sense_at(scenario: Scenario, places: Iterable[str]) -> str:
    """What watches the first of these places that is watched."""
    cells = {cell.location: cell for cell in scenario.block.cells}
    zones = {zone.location for zone in scenario.block.zones}
    for place in places:
        if place in cells:
            return BY_BOTH if cells[place].zone else BY_WEIGHT
        if place in zones:
            return BY_TAGS
    return "unseen"


def wrong_about(line: TruthLine, known: Sequence[Confirmed]) -> str:
    """What is wrong with what was told of a line; "" if nothing."""
    if not known:
        return "not confirmed"
    if len(known) > 1:
        return "confirmed twice"
    [one] = known
    if one.item != line.line.item:
        return "item"
    if one.quantity != line.done:
        return "quantity"
    return "" if one.exception == line.exception else "exception"


def _slips(tally: WorkTally, scenario: Scenario, told: WorkTold) -> None:
    for slip in scenario.block.slips:
        tally.counts["slips"] += 1
        kinds = (slip.mistake, sense_at(scenario, slip.places))
        tally.counts.update(f"slips {kind}" for kind in kinds)
        delay_s = min(_tellings(slip, told), default=SILENT_S)
        tally.alert_delays_s.append((kinds[1], delay_s))
        if delay_s == SILENT_S:
            tally.failures.append(Failure("mistake not told", slip.mistake, repr(slip)))
        else:
            tally.counts["told"] += 1
            tally.counts.update(f"told {kind}" for kind in kinds)


def _tellings(slip: Slip, told: WorkTold) -> Iterator[float]:
    """How long after a mistake each telling of it came, in seconds."""
    for raised in told.raised:
        if slip.at - EARLY_NS <= raised.at <= slip.at + TOLD_NS and tells(raised, slip):
            yield max(0, raised.at - slip.at) / NS_PER_S
    if slip.mistake == "forgotten":
        for confirmed in told.confirmed:
            if confirmed.task == slip.task and slip.at - EARLY_NS <= confirmed.at:
                yield max(0, confirmed.at - slip.at) / NS_PER_S
    if slip.mistake == "brought back":
        for one in told.linked:
            same = one.place in slip.places and one.item in slip.items
            if same and slip.at - EARLY_NS <= one.at <= slip.at + TOLD_NS:
                yield max(0, one.at - slip.at) / NS_PER_S


def tells(raised: Raised, slip: Slip) -> bool:
    """Whether that alert says that such a mistake was made there."""
    code = raised.key.partition(":")[0]
    return code in (UNRESOLVED, *TELLS[slip.mistake]) and about(raised, slip)


def about(raised: Raised, slip: Slip) -> bool:
    """Whether that alert names the line of a mistake, or a place where it shows."""
    return not {slip.task, *slip.places}.isdisjoint({*raised.key.split(":")} - {""})


def _false_alerts(tally: WorkTally, scenario: Scenario, raised: Iterable[Raised]) -> None:
    opening = round(scenario.opening_s * NS_PER_S)
    for one in raised:
        code, _, place = one.key.partition(":")
        if one.at < opening or (code == TWO_PEOPLE and were_two(scenario, place, one.at)):
            continue
        owed = (
            slip.at - EARLY_NS <= one.at <= slip.at + FOLLOWS_NS and about(one, slip)
            for slip in scenario.block.slips
        )
        if not any(owed):
            tally.counts["false alerts"] += 1
            tally.counts[f"false {code}"] += 1
            tally.failures.append(Failure(f"false alert {code}", "", repr(one)))


def _names(tally: WorkTally, scenario: Scenario, claims: Sequence[Claim]) -> None:
    for named in names(scenario, claims):
        tally.counts[f"acts {named.verdict}"] += 1
        if named.verdict == "misnamed":
            tally.failures.append(Failure("misnamed", named.act.mistake, f"{named}"))


def _sums(tally: WorkTally, scenario: Scenario, claims: Sequence[Claim]) -> None:
    """At each hour, and at the end, what was told must add up to what happened, place by place."""
    acts = scenario.acts
    for mark in hours(acts, round(scenario.length_s * NS_PER_S)):
        true = changes(act for act in acts if act.at <= mark)
        told = booked(claim for claim in claims if claim.at <= mark)
        places = {*scenario.block.stock, *true, *told}
        for place in sorted(place for place in places if place[0] != OUTSIDE):
            tally.counts["sums"] += 1
            if told[place] != true[place]:
                tally.counts["sums wrong"] += 1
                detail = f"{place} at {mark / NS_PER_S:.0f} s: {told[place]}, truly {true[place]}"
                tally.failures.append(Failure("sum", "", detail))


def hours(acts: Sequence[TruthAct], end: int) -> list[int]:
    """Each hour's first quiet moment, and the end."""
    marks = []
    for hour in range(HOUR_NS, end, HOUR_NS):
        mark = hour
        for act in acts:
            if act.at + QUIET_NS > mark and act.at - QUIET_NS < mark:
                mark = act.at + QUIET_NS
        marks.append(mark)
    return [mark for mark in marks if mark < end] + [end]


def changes(acts: Iterable[TruthAct]) -> Counter[tuple[str, str]]:
    """What these acts changed, by place and item."""
    change: Counter[tuple[str, str]] = Counter()
    for act in acts:
        change[act.source, act.item] -= act.quantity
        change[act.target, act.item] += act.quantity
    return change
