"""`portal`: pallets of tags through a gate, with racks beside it and people who change their mind.

Whole pallets pass in a few seconds, follow one another, meet in the gate, wait in it, or turn back
in the middle of it; racks of tags stand one to three metres beside it all the time. Where pallets
have one tag (`portal_single`) no companion can speak for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random

from simulators.world.air import Air
from simulators.world.families.shelf import note
from simulators.world.families.walks import PEOPLE, along
from simulators.world.parameters import GATE_GEN2, SiteParameters
from simulators.world.radio_events import (
    Antenna,
    CableStep,
    Carry,
    RadioEvent,
    Stand,
    Tag,
    draw_tag,
)
from simulators.world.radio_events import Block as Shade
from simulators.world.reader import Outage, ReaderPlan, ReaderStream, Told
from simulators.world.truth import Announced, Block, Decoy, GatePlan, Good, Observed, TruthAct, ns

YARD, HALL = "YARD", "HALL"

RUN_M = 5.0
"""How far before the gate a pallet comes into the world; it leaves it as far behind."""

CLEAR_M = 2.0
"""So far behind the middle of the gate a load has passed; an act at a gate lasts until then."""

BESIDE_M = 1.0
"""A load so near to the middle of the gate stands before the racks."""

GATE_MARGIN_DB = 6.0
"""A gate is given more power than a shelf: this much more margin, at `GATE_RANGE_M`."""

GATE_RANGE_M = 2.2

ANTENNA_GAIN_DB = 6.0
"""What a gate antenna gains over the one that `power_at_1m_dbm` is stated for."""

MASTS = ((-0.4, 1), (-0.4, -1), (0.4, 1), (0.4, -1))
"""Four antennas: how far along the lane, and on which side of it."""

TURNED_IN_SHARE = 0.6
"""How far each is turned from looking along the lane to looking across it."""

RACK_TAGS = {"easy": (5, 15), "normal": (15, 40), "hard": (40, 80)}

WARES = 6

PALLET_TAGS = 40

KINDS = (
    ("pass", 0.48),
    ("train", 0.14),
    ("meet", 0.12),
    ("turn", 0.12),
    ("wait", 0.08),
    ("hand", 0.06),
)


@dataclass(frozen=True, slots=True)
class GateBusiness:
    """How busy a gate is; pallets move within `busy` spans only."""

    name: str
    length_s: float
    busy: tuple[tuple[float, float], ...]
    pause_s: tuple[float, float] = (4.0, 20.0)
    pallet_tags: int = PALLET_TAGS
    series: int = 2
    announced_share: float = 0.0
    """Of the loads, how many an order tells before."""
    triggered: bool = False
    """The reader only reads around an approach: a light barrier switches it on."""
    outages: tuple[Outage, ...] = ()
    told: tuple[Told, ...] = ()
    steps: tuple[CableStep, ...] = ()


@dataclass(slots=True)
class _Lane:
    """The gate while its traffic is being planned."""

    plan: GateBusiness
    parameters: SiteParameters
    random: Random
    half_width_m: float
    events: list[RadioEvent] = field(default_factory=list)
    acts: list[TruthAct] = field(default_factory=list)
    decoys: list[Decoy] = field(default_factory=list)
    told: list[Observed] = field(default_factory=list)
    inside: list[list[Tag]] = field(default_factory=list)
    spans: list[tuple[float, float]] = field(default_factory=list)
    made: int = 0

    def make(self) -> Tag:
        self.made += 1
        number = self.random.randrange(WARES)
        code = f"{self.plan.name}-SKU-{number + 1}"
        epc = f"3034{self.plan.series:04x}{number + 1:08x}{self.made:08x}"
        return draw_tag(epc, code, self.parameters, self.random)

    def pallet(self, count: int) -> list[Tag]:
        return [self.make() for _ in range(count)]

    def carry(self, tags: Sequence[Tag], stations: list[tuple[float, float]], y_m: float) -> None:
        """Let a load go through these stations."""
        random = self.random
        half = 0.6 if len(tags) > 5 else 0.15
        for tag in tags:  # each has its own depth in the load
            offset = (random.uniform(-half, half), random.uniform(-0.4, 0.4))
            depth = random.uniform(0.0, 6.0) if len(tags) > 5 else random.uniform(0.0, 3.0)
            span = (max(0.0, stations[0][0]), stations[-1][0])
            self.events.append(Carry(*span, (tag,), along(stations, y_m), (offset,), depth))
        self.spans.append((stations[0][0] - 1.0, stations[-1][0] + 1.0))
        if len(tags) > 5:
            self.events.append(Shade(*_beside(stations), self.plan.name))

    def log(self, at_s: float, until_s: float, tags: Sequence[Tag], inward: bool) -> None:
        person = self.random.choice(PEOPLE)
        source, target = (YARD, HALL) if inward else (HALL, YARD)
        for tag in tags:
            act = TruthAct(
                ns(at_s), ns(until_s), person, "pass", tag.item, 1, source, target, (tag.epc,)
            )
            self.acts.append(act)

    def announce(self, at_s: float, tags: Sequence[Tag], inward: bool) -> None:
        """Tell the order some time before, where the site has orders."""
        share = self.plan.announced_share
        if share == 1.0 or (share and self.random.random() < share):
            code = f"{self.plan.name}-ORDER-{len(self.told) + 1}"
            epcs = tuple(tag.epc for tag in tags)
            told = Announced(
                ns(max(1.0, at_s - 20.0)), self.plan.name, code, "in" if inward else "out", epcs
            )
            self.told.append(told)


def portal_block(plan: GateBusiness, parameters: SiteParameters, random: Random) -> Block:
    """A gate with its racks, its traffic, and what its reader says."""
    lane = _Lane(plan, parameters, random, random.uniform(1.5, 2.0))
    racks = _racks(lane)
    for begin_s, end_s in plan.busy:
        _traffic(lane, begin_s, end_s)
    block = Block(acts=lane.acts, decoys=lane.decoys)
    block.figures[f"{plan.name} half width m"] = round(lane.half_width_m, 2)
    block.figures[f"{plan.name} rack tags"] = len(racks)
    static = tuple(tag.epc for tag in racks)
    block.decoys.append(Decoy("static", 0, ns(plan.length_s), static))
    reader = f"{plan.name.lower()}-reader"
    outer, inner = (f"{reader}:1", f"{reader}:2"), (f"{reader}:3", f"{reader}:4")
    block.gates.append(GatePlan(plan.name, outer, inner, YARD, HALL))
    for number in range(WARES):
        prefix = f"3034{plan.series:04x}{number + 1:08x}"
        block.goods.append(Good(f"{plan.name}-SKU-{number + 1}", prefix=prefix))
    for act in lane.acts:
        block.stock[act.source, act.item] -= act.quantity
        block.stock[act.target, act.item] += act.quantity
    _add_streams(lane, block, reader)
    return block


def _racks(lane: _Lane) -> list[Tag]:
    random = lane.random
    racks = lane.pallet(random.randint(*RACK_TAGS[lane.parameters.level]))
    for tag in racks:
        beside = lane.half_width_m + random.uniform(1.0, 3.0)
        side = random.choice((-1.0, 1.0))
        lane.events.append(
            Stand(0.0, tag, lane.plan.name, random.uniform(-2.5, 2.5), side * beside)
        )
    return racks


def _traffic(lane: _Lane, begin_s: float, end_s: float) -> None:
    """One load after the other, with a pause in which the gate is free."""
    random = lane.random
    kinds, weights = zip(*KINDS, strict=True)
    now_s = begin_s
    while now_s < end_s - 60.0:
        kind = random.choices(kinds, weights)[0]
        inward = random.random() < 0.5
        if kind in {"pass", "hand"}:
            count = random.randint(1, 3) if kind == "hand" else lane.plan.pallet_tags
            count = min(count, lane.plan.pallet_tags)
            now_s = _pass(lane, now_s, _load(lane, inward, count), inward)
        elif kind == "train":
            for _ in range(random.randint(2, 3)):
                _pass(lane, now_s, _load(lane, inward, lane.plan.pallet_tags), inward)
                now_s += random.uniform(3.0, 6.0)
            now_s += 6.0
        elif kind == "meet":
            begin = now_s + random.uniform(0.0, 1.5)
            outward = _load(lane, False, lane.plan.pallet_tags)  # not the one that comes in now
            coming = _load(lane, True, lane.plan.pallet_tags)
            ends = (
                _pass(lane, now_s, coming, True, -0.7),
                _pass(lane, begin, outward, False, 0.7),
            )
            now_s = max(ends)
        elif kind == "turn":
            now_s = _turn(lane, now_s, _load(lane, inward, lane.plan.pallet_tags), inward)
        else:
            now_s = _wait(lane, now_s, _load(lane, inward, lane.plan.pallet_tags), inward)
        now_s += random.uniform(*lane.plan.pause_s)


def _load(lane: _Lane, inward: bool, count: int) -> list[Tag]:
    """A pallet from outside, or one that went in some time ago, or one that was there before."""
    if not inward and count > 5 and lane.inside and lane.random.random() < 0.5:
        return lane.inside.pop(0)
    return lane.pallet(count)


def _pass(
    lane: _Lane, begin_s: float, tags: list[Tag], inward: bool, y_m: float | None = None
) -> float:
    sign, speed = (1.0 if inward else -1.0), lane.random.uniform(0.9, 2.2)
    middle, end_s = begin_s + RUN_M / speed, begin_s + 2 * RUN_M / speed
    lane.announce(begin_s, tags, inward)
    y = lane.random.uniform(-0.4, 0.4) if y_m is None else y_m
    lane.carry(tags, [(begin_s, -sign * RUN_M), (end_s, sign * RUN_M)], y)
    lane.log(middle, middle + CLEAR_M / speed, tags, inward)
    if inward and len(tags) > 5:
        lane.inside.append(tags)
    return end_s


def _turn(lane: _Lane, begin_s: float, tags: list[Tag], inward: bool) -> float:
    """Into the gate, and back to where it came from."""
    random, sign = lane.random, 1.0 if inward else -1.0
    speed, deepest = random.uniform(0.8, 1.6), random.uniform(-0.8, 0.8)
    there = begin_s + (RUN_M + deepest) / speed
    stays = there + random.uniform(0.5, 4.0)
    end_s = stays + (RUN_M + deepest) / speed
    stations = [
        (begin_s, -sign * RUN_M),
        (there, sign * deepest),
        (stays, sign * deepest),
        (end_s, -sign * RUN_M),
    ]
    lane.carry(tags, stations, random.uniform(-0.4, 0.4))
    epcs = tuple(tag.epc for tag in tags)
    lane.decoys.append(Decoy("turned_back", ns(begin_s), ns(end_s), epcs))
    return end_s


def _wait(lane: _Lane, begin_s: float, tags: list[Tag], inward: bool) -> float:
    """Into the gate, a talk, and on."""
    random, sign = lane.random, 1.0 if inward else -1.0
    speed, stop = random.uniform(0.8, 1.6), random.uniform(-1.0, 1.0)
    there = begin_s + (RUN_M + stop) / speed
    goes = there + random.uniform(5.0, 30.0)
    end_s = goes + (RUN_M - stop) / speed
    stations = [
        (begin_s, -sign * RUN_M),
        (there, sign * stop),
        (goes, sign * stop),
        (end_s, sign * RUN_M),
    ]
    lane.announce(begin_s, tags, inward)
    lane.carry(tags, stations, random.uniform(-0.4, 0.4))
    middle = goes - stop / speed if stop < 0 else begin_s + RUN_M / speed
    lane.log(middle, max(middle, goes) + CLEAR_M / speed, tags, inward)
    return end_s


def _add_streams(lane: _Lane, block: Block, device: str) -> None:
    p, plan = lane.parameters, lane.plan
    antennas = []
    for number, (x, side) in enumerate(MASTS, 1):
        ahead, over = (180.0 if x < 0 else 0.0), (-90.0 if side > 0 else 90.0)
        facing = _between(ahead, over, TURNED_IN_SHARE)
        y = side * lane.half_width_m
        antennas.append(Antenna(f"{device}:{number}", plan.name, x, y, 0.3, facing))
    base = p.sensitivity_dbm + p.edge_margin_db + GATE_MARGIN_DB
    base += 10 * p.path_exponent * math.log10(GATE_RANGE_M)
    base = min(base, p.power_at_1m_dbm + ANTENNA_GAIN_DB)
    reader = ReaderPlan(
        device,
        p.gate_dwell_s,
        plan.length_s,
        f"{lane.random.random()}/{device}",
        lambda random: Air(p, antennas, base, GATE_GEN2, random),
        [*lane.events, *plan.steps],
        p.report_delay_s,
        plan.outages,
        plan.told,
        _idle(lane.spans, plan.length_s) if plan.triggered else (),
    )
    block.streams.append(ReaderStream(reader, partial(note, block, device)))
    if lane.told:
        told = sorted(lane.told, key=lambda announced: announced.at)
        block.streams.append(lambda: iter(told))


def _beside(stations: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """From when to when a load stands before the racks: it shades them."""
    begin_s, end_s = stations[0][0], stations[-1][0]
    path = along(stations, 0.0)
    steps = range(round((end_s - begin_s) * 10))
    there = [begin_s + n / 10 for n in steps if abs(path(begin_s + n / 10)[0]) < BESIDE_M]
    return there[0], there[-1]


def _between(from_deg: float, to_deg: float, share: float) -> float:
    """Turn from one direction towards another by a share of the way."""
    turn = (to_deg - from_deg + 180.0) % 360.0 - 180.0
    return from_deg + turn * share


def _idle(spans: Sequence[tuple[float, float]], length_s: float) -> tuple[tuple[float, float], ...]:
    """All time that lies in no span."""
    idle, free_s = [], 0.0
    for begin_s, end_s in sorted(spans):
        if begin_s > free_s:
            idle.append((free_s, begin_s))
        free_s = max(free_s, end_s)
    idle.append((free_s, length_s))
    return tuple(idle)
