"""`fused`: a smart shelf that smells and weighs. Every piece lies on a cell and carries a tag, but
for the mistakes people make: wrong bin, no tag, another item's tag.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from random import Random

from simulators.world.families.shelf import note
from simulators.world.families.walks import away, towards
from simulators.world.families.weight import (
    HAND_RESTLESS,
    Bin,
    Scale,
    ScaleBusiness,
    WeighedWare,
    draughts,
)
from simulators.world.forklifts import Drive, shades, shakes
from simulators.world.parameters import SiteParameters
from simulators.world.plate import ScalePlan, ScaleStream
from simulators.world.radio_events import Block as Shade
from simulators.world.radio_events import Carry, Lift, RadioEvent, Stand, Tag, draw_tag
from simulators.world.reader import ReaderPlan, ReaderStream
from simulators.world.truth import OUTSIDE, Block, CellPlan, TruthAct, ZonePlan, ns
from simulators.world.zones import zone_air, zone_antenna

ZONES, BINS_PER_ZONE = 4, 2

PIECES = 12
"""On each cell at the start."""

MISTAKES = (("wrong bin", 0.02), ("untagged", 0.02), ("swapped tag", 0.02))
"""Of all puts; each is a disagreement of the senses that must be told."""

REST_S = {"easy": (25.0, 40.0), "normal": (15.0, 30.0), "hard": (6.0, 15.0)}
"""Between two acts in one bin."""


@dataclass(frozen=True, slots=True)
class SmartShelfPlan:
    """How large a smart shelf is and how busy; people act within `busy` spans only."""

    name: str
    length_s: float
    busy: tuple[tuple[float, float], ...]
    zones: int = ZONES
    act_every_s: float = 5.0
    poll_s: float = 0.1
    lane: tuple[Drive, ...] = ()


@dataclass(slots=True, eq=False)
class _Piece:
    """One piece as it is, whatever its tag says."""

    ware: WeighedWare
    grams: float
    tag: Tag | None
    since_s: float = 0.0


class _SmartShelf:
    def __init__(self, plan: SmartShelfPlan, parameters: SiteParameters, random: Random) -> None:
        self.plan, self.name = plan, plan.name
        self.parameters, self.random = parameters, random
        name, cells = plan.name, plan.zones * BINS_PER_ZONE
        self.scale = Scale(ScaleBusiness(name, plan.length_s, plan.busy, cells), parameters, random)
        self.radio: list[RadioEvent] = []
        self.on: dict[str, list[_Piece]] = {}
        self.pitch_m = random.uniform(1.0, 1.5)
        self.made = 0
        for number in range(cells):
            ware = self.scale.ware(number + 1)
            ware = WeighedWare(ware.code, max(40.0, ware.unit_g), ware.spread)
            place = Bin(f"{name.lower()}-scale:{number + 1}", f"{name}-{number + 1}", (ware,))
            self.scale.bins.append(place)
            count = int(min(PIECES, 30_000.0 / ware.unit_g))
            self.on[place.cell] = [self.piece(ware) for _ in range(count)]
            for piece in self.on[place.cell]:
                self.stand(0.0, piece, number)

    def zone(self, number: int) -> str:
        return f"{self.name}-zone-{number // BINS_PER_ZONE + 1}"

    def prefix(self, number: int) -> str:
        return f"30340003{number + 1:08x}"

    def piece(self, ware: WeighedWare, tagged_as: int | None = None) -> _Piece:
        self.made += 1
        codes = [place.wares[0].code for place in self.scale.bins]
        number = codes.index(ware.code) if tagged_as is None else tagged_as
        epc = f"{self.prefix(number)}{self.made:08x}"
        tag = draw_tag(epc, ware.code, self.parameters, self.random)
        return _Piece(ware, self.scale.piece(ware), tag)

    def stand(self, at_s: float, piece: _Piece, number: int) -> None:
        piece.since_s = at_s
        if piece.tag is not None:
            width = self.pitch_m / BINS_PER_ZONE
            x = (number + self.random.uniform(0.1, 0.9)) * width
            y = self.random.uniform(0.0, 0.35)
            self.radio.append(Stand(at_s, piece.tag, self.zone(number), x, y))

    def carry(self, at_s: float, pieces: list[_Piece], number: int, *, away_from: bool) -> None:
        random, p = self.random, self.parameters
        tags = tuple(piece.tag for piece in pieces if piece.tag is not None)
        if not tags:
            return
        loss = p.aisle_loss_db + p.body_db * random.uniform(0.0, 0.7)
        offsets = tuple((random.uniform(-0.2, 0.2), random.uniform(-0.1, 0.1)) for _ in tags)
        speed = random.choice((-1.0, 1.0)) * random.uniform(0.7, 1.3)
        x, lasts = (number + 0.5) * self.pitch_m / BINS_PER_ZONE, random.uniform(3.0, 6.0)
        if away_from:
            self.radio.append(Carry(at_s, at_s + lasts, tags, away(at_s, x, speed), offsets, loss))
        else:
            path = towards(at_s, x, speed)
            self.radio.append(Carry(max(0.0, at_s - lasts), at_s, tags, path, offsets, loss))

    def work(self, begin_s: float, end_s: float) -> None:
        random, now_s = self.random, begin_s
        rest = REST_S[self.parameters.level]
        while (now_s := now_s + random.expovariate(1 / self.plan.act_every_s)) < end_s - 25.0:
            number = random.randrange(len(self.scale.bins))
            place = self.scale.bins[number]
            if place.free_s > now_s:
                continue
            place.free_s = now_s + random.uniform(*rest)
            if random.random() < 0.1:
                lasts = random.uniform(0.3, 4.0)
                force = random.uniform(200.0, 3000.0)
                self.scale.press(now_s, now_s + lasts, place, force, HAND_RESTLESS)
                continue
            if random.random() < 0.5:
                self.radio.append(Shade(now_s - 1.0, now_s + 1.5, self.zone(number)))
            ready = [p for p in self.on[place.cell] if now_s - p.since_s > 40.0]
            quantity = random.choice((1, 1, 2, 3))
            if len(ready) >= quantity + 2 and random.random() < 0.55:
                self.pick(now_s, number, random.sample(ready, quantity))
            else:
                self.put(now_s, number, quantity)

    def pick(self, at_s: float, number: int, pieces: list[_Piece]) -> None:
        place = self.scale.bins[number]
        for piece in pieces:
            self.on[place.cell].remove(piece)
            if piece.tag is not None:
                self.radio.append(Lift(at_s, piece.tag))
        self.carry(at_s, pieces, number, away_from=True)
        self.scale.hand(at_s, place)
        self.scale.load(at_s, place, -sum(piece.grams for piece in pieces))
        self.log(at_s, "pick", pieces, (place.location, OUTSIDE), place)

    def put(self, at_s: float, number: int, quantity: int) -> None:
        random, place, kind = self.random, self.scale.bins[number], "put"
        ware, draw, tagged_as = place.wares[0], random.random(), None
        for mistake, share in MISTAKES:
            if (draw := draw - share) < 0:
                kind, quantity = mistake, 1
                break
        other = random.randrange(len(self.scale.bins) - 1)
        other += other >= number
        if kind == "wrong bin":
            ware = self.scale.bins[other].wares[0]
        elif kind == "swapped tag":
            tagged_as = other
        pieces = [self.piece(ware, tagged_as) for _ in range(quantity)]
        if kind == "untagged":
            for piece in pieces:
                piece.tag = None
        self.carry(at_s, pieces, number, away_from=False)
        for piece in pieces:
            self.on[place.cell].append(piece)
            self.stand(at_s, piece, number)
        self.scale.hand(at_s, place)
        self.scale.load(at_s, place, sum(piece.grams for piece in pieces))
        self.log(at_s, kind, pieces, (OUTSIDE, place.location), place)

    def log(
        self, at_s: float, kind: str, pieces: list[_Piece], way: tuple[str, str], place: Bin
    ) -> None:
        """One act per item that went; pieces that are not what their bin or tag says are odd."""
        items = Counter(piece.ware.code for piece in pieces)
        for item, quantity in items.items():
            tags = [p.tag.epc for p in pieces if p.tag is not None and p.ware.code == item]
            odd = item != place.wares[0].code or any(
                not epc.startswith(self.prefix(self.scale.bins.index(place))) for epc in tags
            )
            odd = odd or len(tags) < quantity
            told = kind if kind not in {"pick", "put"} else "odd pick" if odd else kind
            person = self.random.choice(("Ana", "Ben", "Chen"))
            act = TruthAct(ns(at_s), ns(at_s), person, told, item, quantity, *way, tuple(tags))
            self.scale.acts.append(act)


def fused_block(plan: SmartShelfPlan, parameters: SiteParameters, random: Random) -> Block:
    """A smart shelf of zones with two cells each."""
    shelf, name = _SmartShelf(plan, parameters, random), plan.name
    scale, bins = shelf.scale, shelf.scale.bins
    first_g = {place.cell: sum(p.grams for p in shelf.on[place.cell]) for place in bins}
    for begin_s, end_s in plan.busy:
        shelf.work(begin_s, end_s)
    draughts(scale)
    scale.events.extend(shakes(plan.lane))
    zones = [f"{name}-zone-{number + 1}" for number in range(plan.zones)]
    shelf.radio.extend(shades(plan.lane, zones, shelf.pitch_m))
    block = Block(acts=scale.acts)
    block.figures[f"{name} pitch m"] = round(shelf.pitch_m, 2)
    block.figures[f"{name} forklifts"] = len(plan.lane)
    reader, device = f"{name.lower()}-reader", f"{name.lower()}-scale"
    ears = []
    for number, zone in enumerate(zones):
        point = f"{reader}:{number + 1}"
        block.zones.append(ZonePlan(zone, (point,)))
        ears.append(zone_antenna(point, zone, number, shelf.pitch_m))
    for number, place in enumerate(bins):
        block.goods.append(scale.good(place.wares[0], shelf.prefix(number)))
        items = (place.wares[0].code,)
        block.cells.append(CellPlan(place.cell, place.location, items, shelf.zone(number)))
        for piece in shelf.on[place.cell]:
            block.stock[place.location, piece.ware.code] += 1
    p, length_s = parameters, plan.length_s
    first = [event for event in shelf.radio if isinstance(event, Stand) and event.at_s == 0.0]
    make_air, loss_db = zone_air(p, ears, shelf.pitch_m, first, random)
    block.figures[f"{reader} cross loss"] = round(loss_db, 1)
    told = ReaderPlan(
        reader,
        p.dwell_s,
        length_s,
        f"{random.random()}/{reader}",
        make_air,
        shelf.radio,
        p.report_delay_s,
    )
    cells = tuple(place.cell for place in bins)
    seed = f"{random.random()}/{device}"
    weighed = ScalePlan(device, cells, first_g, length_s, seed, p, scale.events, (), plan.poll_s)
    block.streams.append(ReaderStream(told, partial(note, block, reader)))
    block.streams.append(ScaleStream(weighed))
    return block
