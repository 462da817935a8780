"""Scores what a method told of a world against what truly happened there.

One act is answered by one claim of the same item, from and to, whose `at` lies within 5 s (30 s) of
the act and which was decided at most 60 s after it. Where both name EPCs, they must share one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal

from simulators.world.truth import NS_PER_S, OUTSIDE, Scenario, TruthAct
from tests.bench.judging.causes import FALSE, NO_FAULT, fault_of, kind_of
from tests.bench.judging.claims import Alarm, Claim, Open, Told, booked, grouped, in_bins, lasting
from tests.bench.judging.questions import DECIDED_NS, EARLY_NS, idle, left_open

NEAR_NS, WIDE_NS = 5 * NS_PER_S, 30 * NS_PER_S

ODD_KINDS = frozenset(("wrong bin", "untagged", "swapped tag", "odd pick"))
"""Acts whose senses disagree: they must be told, and what is booked of them is not judged."""

DISAGREEMENTS = ("senses_disagree:", "wrong_place:")
"""How the keys of the alerts begin that tell of them."""

DISAGREED_NS = 2 * DECIDED_NS
"""An alert so long after a disagreement is of that: what follows from it may raise one anew."""

MIXED = "mixed "
MIXED_KINDS = (MIXED, "equal ")
"""Leading words of acts on plates of several items."""


@dataclass(slots=True)
class Tally:
    """Counts and lists of one method over any number of worlds; they add up."""

    counts: Counter[str] = field(default_factory=Counter)
    delays_in_s: list[float] = field(default_factory=list)
    delays_out_s: list[float] = field(default_factory=list)
    trust: list[tuple[int, bool]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        for part in fields(self):
            mine, others = getattr(self, part.name), getattr(other, part.name)
            if isinstance(mine, list):
                mine.extend(others)
            else:
                mine.update(others)


Pair = tuple[TruthAct, Claim]


def match(acts: Sequence[TruthAct], claims: Sequence[Claim], within_ns: int) -> list[Pair]:
    """Pairs of act and claim, each used once: right quantities first, then the nearest in time."""
    by_way: dict[tuple[str, str, str], list[tuple[int, int]]] = {}
    for index, claim in enumerate(claims):
        way = (claim.item, claim.source, claim.target)
        by_way.setdefault(way, []).append((claim.at, index))
    for told in by_way.values():
        told.sort()
    found: list[tuple[bool, int, int, int]] = []
    for number, act in enumerate(acts):
        told = by_way.get((act.item, act.source, act.target), [])
        first = bisect_left(told, (act.at - within_ns,))
        for _, index in told[first : bisect_left(told, (act.until + within_ns + 1,))]:
            claim = claims[index]
            if answers(act, claim, within_ns):
                off = max(act.at - claim.at, claim.at - act.until, 0)
                found.append((claim.quantity != act.quantity, off, number, index))
    found.sort()
    pairs: list[Pair] = []
    acts_used: set[int] = set()
    claims_used: set[int] = set()
    for _, _, number, index in found:
        if number not in acts_used and index not in claims_used:
            acts_used.add(number)
            claims_used.add(index)
            pairs.append((acts[number], claims[index]))
    return pairs


def answers(act: TruthAct, claim: Claim, within_ns: int) -> bool:
    """Whether that claim can be the telling of that act, place and item apart."""
    if not act.at - within_ns <= claim.at <= act.until + within_ns:
        return False
    if claim.decided > act.until + DECIDED_NS:
        return False
    return not (act.epcs and claim.epcs) or not set(act.epcs).isdisjoint(claim.epcs)


Sense = Literal["both", "tags", "weight"]
"""What a method has: a baseline is not judged by acts that its sense cannot see."""


def score(scenario: Scenario, told: Told, sense: Sense) -> Tally:
    """All counts of one method in one world."""
    tally = Tally()
    opening = round(scenario.opening_s * NS_PER_S)
    claims = [claim for claim in lasting(told.claims) if claim.decided > opening]
    if sense == "tags":
        claims = _said_of_bins(claims, scenario)
    acts = _within(sense, scenario)
    mixed = {cell.location for cell in scenario.block.cells if len(cell.items) > 1}
    claims = _mixed(tally, acts, claims, told.unresolved, mixed)
    plain = [
        act for act in acts if act.kind not in ODD_KINDS and not act.kind.startswith(MIXED_KINDS)
    ]
    zones = {cell.location: cell.zone or cell.location for cell in scenario.block.cells}
    claims = _odd(tally, (acts, plain), claims, told, zones)
    missed = _movements(tally, plain, claims, scenario)
    _decoys(tally, scenario, claims)
    asked = [one for one in told.unresolved if one.decided > opening]
    tally.counts["unresolved"] += len(left_open(missed, asked, zones))
    tally.counts["idle unresolved"] = len(idle(acts, asked, zones))
    tally.counts["all acts"] = len(plain) + tally.counts["mixed"]
    tagged = {good.code for good in scenario.block.goods if good.prefix}
    if sense == "both":
        tally.counts["stock error"] = stock_error(scenario, told.stock, mixed)
    elif sense == "tags" and _tags_alone(scenario):
        stock = Counter({key: n for key, n in booked(told.claims).items() if key[1] in tagged})
        tally.counts["stock error"] = stock_error(scenario, stock, {*zones, *zones.values()})
    return tally


def _within(sense: Sense, scenario: Scenario) -> list[TruthAct]:
    """The acts that a method with that sense can see."""
    weighed = {cell.location for cell in scenario.block.cells}
    smart = {cell.location for cell in scenario.block.cells if cell.zone}
    if sense == "weight":
        return [act for act in scenario.acts if _place(act) in weighed]
    if sense == "tags":
        return [act for act in scenario.acts if act.epcs or _place(act) in smart]
    return scenario.acts


def _tags_alone(scenario: Scenario) -> bool:
    """Whether some zone or gate has no scale."""
    weighed = {cell.zone for cell in scenario.block.cells}
    zones = {zone.location for zone in scenario.block.zones}
    return bool(zones - weighed or scenario.block.gates)


def _said_of_bins(claims: Sequence[Claim], scenario: Scenario) -> list[Claim]:
    """What was told of the zone of a smart shelf, tag by tag, as movements of its bins."""
    smart = {cell.location for cell in scenario.block.cells if cell.zone}
    told = in_bins(claims, scenario)
    there = [claim for claim in told if {claim.source, claim.target} & smart]
    return [c for c in told if not {c.source, c.target} & smart] + grouped(there)


def stock_error(scenario: Scenario, stock: Counter[tuple[str, str]], but: Iterable[str]) -> int:
    """Sum of |booked - true| over items and places that are watched, but for some places."""
    truth = scenario.block.stock
    left_out = {OUTSIDE, *but}
    keys = {key for key in {*truth, *stock} if key[0] not in left_out}
    return sum(abs(stock[key] - truth[key]) for key in keys)


def _movements(
    tally: Tally, acts: Sequence[TruthAct], claims: Sequence[Claim], scenario: Scenario
) -> list[TruthAct]:
    """Count plain movements; returns the acts that no claim answers."""
    near, wide = match(acts, claims, NEAR_NS), match(acts, claims, WIDE_NS)
    counts = tally.counts
    counts["acts"], counts["claims"] = len(acts), len(claims)
    counts["right 5 s"], counts["right 30 s"] = len(near), len(wide)
    counts["exact"] = sum(_exact(pair) for pair in wide)
    counts["length s"] = round(scenario.length_s)
    exact = {id(claim) for act, claim in wide if act.quantity == claim.quantity}
    tally.trust += [(claim.confidence, id(claim) in exact) for claim in claims]
    for act, claim in wide:
        delay_s = (claim.decided - act.until) / NS_PER_S
        (tally.delays_out_s if act.target == OUTSIDE else tally.delays_in_s).append(delay_s)
    done, right = {id(act) for act, _ in wide}, {id(claim) for _, claim in wide}
    missed = [act for act in acts if id(act) not in done]
    wrong = [claim for claim in claims if id(claim) not in right]
    counts["direction errors"] = len(match([_turned(act) for act in missed], wrong, WIDE_NS))
    counts["false departures"] = sum(claim.target == OUTSIDE for claim in wrong)
    for claim in wrong:
        fault = fault_of(claim, scenario)
        counts["false by faults"] += fault != NO_FAULT
        counts[f"{FALSE}{fault}, {kind_of(claim, scenario)}"] += 1
    return missed


def _turned(act: TruthAct) -> TruthAct:
    return TruthAct(
        act.at,
        act.until,
        act.person,
        act.kind,
        act.item,
        act.quantity,
        act.target,
        act.source,
        act.epcs,
    )


def _decoys(tally: Tally, scenario: Scenario, claims: Sequence[Claim]) -> None:
    """What was in view of a gate and went nowhere."""
    by_epc: dict[str, list[Claim]] = {}
    for claim in claims:
        for epc in claim.epcs:
            by_epc.setdefault(epc, []).append(claim)
    for decoy in scenario.block.decoys:
        tally.counts[decoy.kind] += len(decoy.epcs)
        for epc in decoy.epcs:
            begin, until = decoy.begin - NEAR_NS, decoy.until + NEAR_NS
            told = any(begin <= claim.at <= until for claim in by_epc.get(epc, ()))
            tally.counts[f"{decoy.kind} booked"] += told


def _mixed(
    tally: Tally,
    acts: Sequence[TruthAct],
    claims: Sequence[Claim],
    unresolved: Sequence[Open],
    places: set[str],
) -> list[Claim]:
    """Plates of several items are judged by themselves; returns the claims of all others."""
    there = [claim for claim in claims if claim.source in places or claim.target in places]
    for kind in MIXED_KINDS:
        name = kind.strip()
        of_kind = [act for act in acts if act.kind.startswith(kind)]
        locations = {_place(act) for act in of_kind}
        told = [claim for claim in there if {claim.source, claim.target} & locations]
        pairs = [pair for pair in match(of_kind, told, WIDE_NS) if _exact(pair)]
        right = {id(act) for act, _ in pairs}
        answered = len(left_open([a for a in of_kind if id(a) not in right], unresolved, {}))
        tally.counts[name] += len(of_kind)
        tally.counts[f"{name} right"] += len(pairs)
        tally.counts[f"{name} unresolved"] += answered
        tally.counts[f"{name} wrong"] += len(told) - len(pairs)
        if kind == MIXED:
            tally.counts["unresolved"] += answered
            sure = {id(claim) for _, claim in pairs}
            tally.trust += [(claim.confidence, id(claim) in sure) for claim in told]
    return [claim for claim in claims if claim.source not in places and claim.target not in places]


def _exact(pair: Pair) -> bool:
    return pair[0].quantity == pair[1].quantity


def _place(act: TruthAct) -> str:
    return act.target if act.source == OUTSIDE else act.source


def _odd(
    tally: Tally,
    acts_and_plain: tuple[Sequence[TruthAct], Sequence[TruthAct]],
    claims: Sequence[Claim],
    told: Told,
    zones: Mapping[str, str],
) -> list[Claim]:
    """Disagreements: were they told? Returns the claims without those that are of them alone."""
    acts, plain = acts_and_plain
    odd = [act for act in acts if act.kind in ODD_KINDS]
    tally.counts["odd"] = len(odd)
    tally.counts["false disagreements"] = len(_called_for_nothing(odd, told, zones))
    if not odd:
        return list(claims)
    for act in odd:
        begin, until = act.at - EARLY_NS, act.until + DECIDED_NS
        about = (_place(act), zones[_place(act)])
        alarmed = any(
            alarm.raised <= until and alarm.cleared >= begin and _about(alarm.key, about)
            for alarm in told.alarms
        )
        unclear = any(
            begin <= one.decided <= until and _about(one.place, about) for one in told.unresolved
        )
        tally.counts["odd told"] += alarmed or unclear
    right = {id(claim) for _, claim in match(plain, claims, WIDE_NS)}
    odd.sort(key=lambda act: act.at)
    begins = [act.at for act in odd]
    longest = max(act.until - act.at for act in odd)

    def is_of_odd(claim: Claim) -> bool:
        first = bisect_left(begins, claim.at - WIDE_NS - longest)
        return any(_of(claim, act) for act in odd[first : bisect_right(begins, claim.at + WIDE_NS)])

    return [claim for claim in claims if id(claim) in right or not is_of_odd(claim)]


def _called_for_nothing(
    odd: Sequence[TruthAct], told: Told, zones: Mapping[str, str]
) -> list[Alarm]:
    """Alerts that senses disagree where in truth they do not."""
    return [
        alarm
        for alarm in told.alarms
        if alarm.key.startswith(DISAGREEMENTS)
        and not any(
            act.at - EARLY_NS <= alarm.raised <= act.until + DISAGREED_NS
            and _about(alarm.key, (_place(act), zones[_place(act)]))
            for act in odd
        )
    ]


def _of(claim: Claim, act: TruthAct) -> bool:
    same_place = _place(act) in {claim.source, claim.target}
    shared = bool(set(act.epcs) & set(claim.epcs))
    near = act.at - WIDE_NS <= claim.at <= act.until + WIDE_NS
    return near and (same_place or shared)


def _about(key: str, places: tuple[str, str]) -> bool:
    """Whether an alert or open question names that bin or its zone."""
    return any(place in key.split(":") for place in places)
