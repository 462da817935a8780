"""`weight`: load cells alone. Picks and puts of 1..n, quick successions, things lifted and set
down again, hands, people who lean, draughts, drift over hours, mixed plates, equal unit weights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from simulators.world.families.walks import PEOPLE
from simulators.world.forklifts import Drive, shakes
from simulators.world.parameters import SiteParameters
from simulators.world.plate import Freeze, Load, PlateEvent, Press, ScalePlan, ScaleStream
from simulators.world.truth import OUTSIDE, Block, CellPlan, Good, TruthAct, ns

LOAD_MAX_G = 30_000.0
"""What is laid on one cell at the start at most."""

HEAVIEST_G = 2_500.0
"""The heaviest piece; light and heavy ones are equally common on a logarithmic scale."""

HAND_RESTLESS, LEAN_RESTLESS = (0.01, 0.4), (0.003, 0.1)
"""How much a hand or an elbow wanders, as a share of its force: some rest nearly still."""

REST_S = {"easy": (8.0, 20.0), "normal": (1.5, 12.0), "hard": (1.0, 8.0)}
"""Between two acts on one cell; the shortest are quick successions."""

LIFT_S, AWAY_S = (0.3, 1.2), (5.0, 15.0)
"""A thing set down again so soon never left; one that was away so long was taken and brought."""

BOTH_SHARE = 0.5
"""Of two hands on neighbouring plates, how often the other one takes something too."""

KINDS = (
    ("pick", 0.44),
    ("put", 0.28),
    ("hand", 0.10),
    ("lift", 0.06),
    ("borrow", 0.04),
    ("lean", 0.04),
    ("neighbours", 0.04),
)


@dataclass(frozen=True, slots=True)
class WeighedWare:
    """An item as it is: true mean unit weight and spread."""

    code: str
    unit_g: float
    spread: float


@dataclass(frozen=True, slots=True)
class ScaleBusiness:
    """How large a scale device is and how busy; people act within `busy` spans only."""

    name: str
    length_s: float
    busy: tuple[tuple[float, float], ...]
    cells: int = 8
    mixed_cells: int = 1
    equal_cells: int = 1
    act_every_s: float = 6.0
    down: tuple[tuple[float, float], ...] = ()
    frozen: tuple[tuple[float, float, int], ...] = ()
    poll_s: float = 0.1
    lane: tuple[Drive, ...] = ()
    """Forklifts that shake the floor."""


@dataclass(slots=True)
class Bin:
    """One cell while its acts are being planned: the pieces on it, by item, with their grams."""

    cell: str
    location: str
    wares: tuple[WeighedWare, ...]
    kind: str = ""
    most: int = 4
    pieces: dict[str, list[float]] = field(default_factory=dict)
    free_s: float = 0.0
    target: int = 20


class Scale:
    """A scale device while its acts are being planned."""

    def __init__(self, plan: ScaleBusiness, parameters: SiteParameters, random: Random) -> None:
        self.plan, self.parameters, self.random = plan, parameters, random
        self.events: list[PlateEvent] = []
        self.acts: list[TruthAct] = []
        self.bins: list[Bin] = []

    def ware(self, number: int) -> WeighedWare:
        """An item, spread as the site's goods are."""
        lightest = self.parameters.lightest_g
        unit = lightest * (HEAVIEST_G / lightest) ** self.random.random()
        spread = self.parameters.unit_spread * self.random.uniform(0.4, 1.0)
        return WeighedWare(f"{self.plan.name}-SKU-{number}", unit, spread)

    def good(self, ware: WeighedWare, prefix: str = "") -> Good:
        """What the catalogue says: mean and spread of ten to thirty weighed pieces."""
        count = self.random.randint(10, 30)
        sample = [self.piece(ware) for _ in range(count)]
        mean = sum(sample) / count
        sd = (sum((grams - mean) ** 2 for grams in sample) / (count - 1)) ** 0.5
        return Good(ware.code, mean, sd, prefix)

    def piece(self, ware: WeighedWare) -> float:
        """The grams of one piece."""
        return self.random.gauss(ware.unit_g, ware.unit_g * ware.spread)

    def fill(self, place: Bin) -> None:
        """Lay the first stock on a cell."""
        for ware in place.wares:
            count = int(min(place.target, LOAD_MAX_G / len(place.wares) / ware.unit_g))
            place.pieces[ware.code] = [self.piece(ware) for _ in range(max(2, count))]
        self.bins.append(place)

    def load(self, at_s: float, place: Bin, grams: float) -> None:
        """Change what lies there; where on the plate it lies shows a little."""
        corner = self.random.uniform(-1.0, 1.0) * self.parameters.corner_share
        self.events.append(Load(at_s, place.cell, grams * (1.0 + corner)))

    def hand(self, at_s: float, place: Bin) -> float:
        """A hand reaches in before `at_s`, may press, and is gone at the returned moment."""
        random = self.random
        begin_s, end_s = at_s - random.uniform(0.3, 1.2), at_s + random.uniform(0.1, 0.5)
        if random.random() < 0.6:
            force = random.uniform(100.0, 1500.0)
            self.press(begin_s, end_s, place, force, HAND_RESTLESS)
        return end_s

    def press(
        self, begin_s: float, end_s: float, place: Bin, force_g: float, bounds: tuple[float, float]
    ) -> None:
        """Something rests on the cell for a while, more or less still."""
        low, high = bounds
        wander = low * (high / low) ** self.random.random()
        self.events.append(Press(begin_s, end_s, place.cell, force_g, wander))

    def log(self, at_s: float, place: Bin, kind: str, item: str, change: int) -> None:
        """Write down what truly happened."""
        source, target = (place.location, OUTSIDE) if change < 0 else (OUTSIDE, place.location)
        person = self.random.choice(PEOPLE)
        self.acts.append(
            TruthAct(
                ns(at_s), ns(at_s), person, place.kind + kind, item, abs(change), source, target
            )
        )


def weight_block(plan: ScaleBusiness, parameters: SiteParameters, random: Random) -> Block:
    """A scale device, what lies on its cells, what people do there, and what it answers."""
    scale = Scale(plan, parameters, random)
    block = Block(acts=scale.acts)
    device = f"{plan.name.lower()}-scale"
    number = 0
    for index in range(plan.cells):
        mixed = plan.cells - plan.mixed_cells - plan.equal_cells <= index
        equal = plan.cells - plan.equal_cells <= index
        wares = [scale.ware(number + offset + 1) for offset in range(3 if mixed else 1)]
        if equal:
            wares[1] = WeighedWare(wares[1].code, wares[0].unit_g, wares[0].spread)
        number += len(wares)
        place = Bin(f"{device}:{index + 1}", f"{plan.name}-{index + 1}", tuple(wares))
        place.kind = "equal " if equal else "mixed " if mixed else ""
        place.target = random.randint(8, 40)
        place.most = 2 if mixed else random.choice((2, 4, 6))
        scale.fill(place)
        block.goods.extend(scale.good(ware) for ware in wares)
        items = tuple(ware.code for ware in wares)
        block.cells.append(CellPlan(place.cell, place.location, items))
    first_g = {place.cell: sum(map(sum, place.pieces.values())) for place in scale.bins}
    for begin_s, end_s in plan.busy:
        _work(scale, begin_s, end_s)
    draughts(scale)
    scale.events.extend(shakes(plan.lane))
    scale.events.extend(
        Freeze(begin_s, end_s, scale.bins[index].cell) for begin_s, end_s, index in plan.frozen
    )
    block.stock.update(stock(scale.bins))
    told = ScalePlan(
        device,
        tuple(place.cell for place in scale.bins),
        first_g,
        plan.length_s,
        f"{random.random()}/{device}",
        parameters,
        scale.events,
        plan.down,
        plan.poll_s,
    )
    block.streams.append(ScaleStream(told))
    return block


def stock(bins: Sequence[Bin]) -> Counter[tuple[str, str]]:
    """How many pieces lie where."""
    counted: Counter[tuple[str, str]] = Counter()
    for place in bins:
        for item, pieces in place.pieces.items():
            counted[place.location, item] += len(pieces)
    return counted


def draughts(scale: Scale) -> None:
    """A door opens now and then, and the air presses on all plates."""
    random, p, now_s = scale.random, scale.parameters, 0.0
    while (now_s := now_s + random.expovariate(1 / p.draught_every_s)) < scale.plan.length_s - 10.0:
        lasts = random.uniform(2.0, 8.0)
        for place in scale.bins:
            force = random.uniform(-1.0, 1.0) * p.draught_g
            scale.events.append(Press(now_s, now_s + lasts, place.cell, force, 0.3))


def _work(scale: Scale, begin_s: float, end_s: float) -> None:
    random, now_s = scale.random, begin_s
    kinds, weights = zip(*KINDS, strict=True)
    rest = REST_S[scale.parameters.level]
    while (now_s := now_s + random.expovariate(1 / scale.plan.act_every_s)) < end_s - 20.0:
        place = random.choice(scale.bins)
        if place.free_s > now_s:
            continue
        kind = random.choices(kinds, weights)[0]
        ware = random.choice(place.wares)
        at_s = now_s + 1.2
        quantity = random.randint(1, place.most)
        on_hand = len(place.pieces[ware.code])
        if kind == "put" and on_hand > 2 * place.target:
            kind = "pick"
        if kind in {"pick", "lift", "borrow"} and on_hand < quantity + 1:
            kind = "put"
        last_s = _act(scale, at_s, kind, place, (ware, quantity))
        place.free_s = last_s + random.uniform(*rest)


def _act(scale: Scale, at_s: float, kind: str, place: Bin, what: tuple[WeighedWare, int]) -> float:
    """One act; returns when it is over."""
    random, (ware, quantity) = scale.random, what
    if kind == "hand":  # only felt about
        lasts = random.uniform(0.3, 4.0)
        force = random.uniform(200.0, 3000.0)
        scale.press(at_s, at_s + lasts, place, force, HAND_RESTLESS)
        return at_s + lasts
    if kind == "lean":
        lasts = random.uniform(5.0, 20.0)
        force = random.uniform(500.0, 8000.0)
        scale.press(at_s, at_s + lasts, place, force, LEAN_RESTLESS)
        return at_s + lasts
    if kind in {"lift", "borrow"}:
        back_s = at_s + random.uniform(*(LIFT_S if kind == "lift" else AWAY_S))
        grams = sum(place.pieces[ware.code][-quantity:])
        scale.load(at_s, place, -grams)
        scale.load(back_s, place, grams)
        if kind == "borrow":
            scale.hand(at_s, place)
            scale.log(at_s, place, "pick", ware.code, -quantity)
            scale.log(back_s, place, "put", ware.code, quantity)
        return scale.hand(back_s, place) if kind == "borrow" else back_s
    if kind == "neighbours":  # two people reach into neighbouring bins at once
        other = scale.bins[(scale.bins.index(place) + 1) % len(scale.bins)]
        force = random.uniform(200.0, 1500.0)
        scale.press(at_s - 0.5, at_s + 1.0, other, force, HAND_RESTLESS)
        if other.free_s <= at_s:
            other.free_s = at_s + 5.0
            goods = random.choice(other.wares)
            if random.random() < BOTH_SHARE and len(other.pieces[goods.code]) > 1:
                change_pieces(scale, at_s + random.uniform(-0.3, 0.3), "pick", other, (goods, 1))
        kind = "pick" if len(place.pieces[ware.code]) > quantity else "put"
    change_pieces(scale, at_s, kind, place, (ware, quantity))
    return scale.hand(at_s, place)


def change_pieces(
    scale: Scale, at_s: float, kind: str, place: Bin, what: tuple[WeighedWare, int]
) -> None:
    """Take so many pieces away, or lay new ones there."""
    ware, quantity = what
    pieces = place.pieces[ware.code]
    if kind == "pick":
        taken = [pieces.pop() for _ in range(quantity)]
        scale.load(at_s, place, -sum(taken))
        scale.log(at_s, place, "pick", ware.code, -quantity)
    else:
        laid = [scale.piece(ware) for _ in range(quantity)]
        pieces.extend(laid)
        scale.load(at_s, place, sum(laid))
        scale.log(at_s, place, "put", ware.code, quantity)
