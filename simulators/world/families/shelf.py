"""`shelf`: overlapping zones in a row, picks, puts and moves between them, by tags alone.

Besides what is booked people do what is not: lift a thing and set it down again, shove it aside
within its zone, stand in front of a shelf. A thing that is carried away passes the other zones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random

from simulators.world.air import Air
from simulators.world.families.walks import PEOPLE, REACH_S, across, away, towards
from simulators.world.forklifts import Drive, shades
from simulators.world.parameters import SiteParameters
from simulators.world.radio_events import (
    Antenna,
    CableStep,
    Carry,
    Lift,
    RadioEvent,
    Stand,
    Tag,
    draw_tag,
)
from simulators.world.radio_events import Block as Shade
from simulators.world.reader import Outage, ReaderPlan, ReaderStream, Told
from simulators.world.truth import OUTSIDE, Block, Good, Stream, TruthAct, ZonePlan, ns
from simulators.world.zones import zone_air, zone_antenna

ANTENNAS_PER_READER = 4

STOOD_MIN_S, GONE_MIN_S = 25.0, 45.0
"""What was just laid down is not taken again sooner, nor what was taken brought back."""

KINDS = (
    ("pick", 0.33),
    ("put", 0.33),
    ("move", 0.18),
    ("lift", 0.06),
    ("shove", 0.05),
    ("look", 0.05),
)


@dataclass(frozen=True, slots=True)
class ShelfPlan:
    """How large a row of zones is and how busy; people act within `busy` spans only."""

    name: str
    length_s: float
    busy: tuple[tuple[float, float], ...]
    zones: int = 8
    tags: int = 150
    wares: int = 10
    act_every_s: float = 5.0
    series: int = 1
    blind: tuple[tuple[float, float], ...] = ()
    """Acts that nobody watches: when, and when it can be known at the latest."""
    outages: tuple[Outage, ...] = ()
    told: tuple[Told, ...] = ()
    steps: tuple[CableStep, ...] = ()
    lane: tuple[Drive, ...] = ()
    """Forklifts that pass before the shelf."""


@dataclass(slots=True)
class _Row:
    """The row of zones while its acts are being planned."""

    plan: ShelfPlan
    parameters: SiteParameters
    random: Random
    pitch_m: float
    events: list[RadioEvent] = field(default_factory=list)
    acts: list[TruthAct] = field(default_factory=list)
    where: dict[Tag, tuple[str, float, float]] = field(default_factory=dict)
    gone: list[tuple[float, Tag]] = field(default_factory=list)
    made: int = 0
    until_s: float = 0.0

    def zone(self, number: int) -> str:
        return f"{self.plan.name}-{number + 1}"

    def ware(self, number: int) -> tuple[str, str]:
        """Code and EPC prefix."""
        return f"{self.plan.name}-SKU-{number + 1}", f"3034{self.plan.series:04x}{number + 1:08x}"

    def make(self) -> Tag:
        """A new thing, with a tag of its own."""
        self.made += 1
        code, prefix = self.ware(self.random.randrange(self.plan.wares))
        return draw_tag(f"{prefix}{self.made:08x}", code, self.parameters, self.random)

    def stand(self, at_s: float, tag: Tag, number: int) -> None:
        x = (number + self.random.uniform(0.05, 0.95)) * self.pitch_m
        self.events.append(Stand(at_s, tag, self.zone(number), x, self.random.uniform(0.0, 0.35)))
        self.where[tag] = (self.zone(number), at_s, x)

    def log(self, at_s: float, kind: str, tags: Sequence[Tag], source: str, target: str) -> None:
        person = self.random.choice(PEOPLE)
        for tag in tags:
            at, until = ns(at_s), ns(max(at_s, self.until_s))
            self.acts.append(
                TruthAct(at, until, person, kind, tag.item, 1, source, target, (tag.epc,))
            )

    def carry(
        self,
        span: tuple[float, float],
        tags: Sequence[Tag],
        path: Callable[..., tuple[float, float]],
    ) -> None:
        loss = self.parameters.aisle_loss_db + self.parameters.body_db * self.random.uniform(
            0.0, 0.7
        )
        offsets = tuple(
            (self.random.uniform(-0.2, 0.2), self.random.uniform(-0.1, 0.1)) for _ in tags
        )
        self.events.append(Carry(*span, tuple(tags), path, offsets, loss))


def shelf_block(plan: ShelfPlan, parameters: SiteParameters, random: Random) -> Block:
    """A row of zones, what stands there, what people do, and what its readers say."""
    row = _Row(plan, parameters, random, random.uniform(1.0, 1.5))
    for _ in range(plan.tags):
        row.stand(0.0, row.make(), random.randrange(plan.zones))
    for begin_s, end_s, watched in sorted(
        [(*span, True) for span in plan.busy] + [(*span, False) for span in plan.blind]
    ):
        if watched:
            _work(row, begin_s, end_s)
        else:
            _unseen(row, begin_s, end_s)
    row.events.extend(shades(plan.lane, [*map(row.zone, range(plan.zones))], row.pitch_m))
    block = Block(acts=row.acts)
    block.figures[f"{plan.name} pitch m"] = round(row.pitch_m, 2)
    block.figures[f"{plan.name} forklifts"] = len(plan.lane)
    for number in range(plan.zones):
        block.zones.append(ZonePlan(row.zone(number), (_point(plan, number),)))
    for number in range(plan.wares):
        code, prefix = row.ware(number)
        block.goods.append(Good(code, prefix=prefix))
    for tag, (zone, _, _) in row.where.items():
        block.stock[zone, tag.item] += 1
    block.streams.extend(_streams(row, block))
    return block


def _point(plan: ShelfPlan, number: int) -> str:
    return f"{_device(plan, number)}:{number % ANTENNAS_PER_READER + 1}"


def _device(plan: ShelfPlan, number: int) -> str:
    return f"{plan.name.lower()}-reader-{number // ANTENNAS_PER_READER + 1}"


def _work(row: _Row, begin_s: float, end_s: float) -> None:
    """People act one after the other, now and then two at once."""
    random, now_s = row.random, begin_s
    kinds, weights = zip(*KINDS, strict=True)
    while (now_s := now_s + random.expovariate(1 / row.plan.act_every_s)) < end_s - 12.0:
        kind = random.choices(kinds, weights)[0]
        number = random.randrange(row.plan.zones)
        if random.random() < 0.5:
            row.events.append(
                Shade(now_s - 1.0, now_s + random.uniform(0.5, 2.0), row.zone(number))
            )
        if kind == "put":
            _put(row, now_s, number)
            continue
        ready = [
            tag
            for tag, (zone, since_s, _) in row.where.items()
            if zone == row.zone(number) and now_s - since_s >= STOOD_MIN_S
        ]
        if not ready or kind == "look":
            continue
        tags = random.sample(ready, min(len(ready), random.choice((1, 1, 1, 2, 3))))
        {"pick": _pick, "move": _move, "lift": _lift, "shove": _lift}[kind](
            row, now_s, number, tags
        )


def _unseen(row: _Row, at_s: float, until_s: float) -> None:
    """Somebody takes a thing while the reader is away."""
    number = row.random.randrange(row.plan.zones)
    ready = [tag for tag, (zone, _, _) in row.where.items() if zone == row.zone(number)]
    if ready:
        row.until_s = until_s
        _pick(row, at_s, number, ready[:1])
        row.until_s = 0.0


def _put(row: _Row, now_s: float, number: int) -> None:
    random = row.random
    tags = []
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        back = [entry for entry in row.gone if now_s - entry[0] >= GONE_MIN_S]
        if back and random.random() < 0.5:
            entry = random.choice(back)
            row.gone.remove(entry)
            tags.append(entry[1])
        else:
            tags.append(row.make())
    begin_s = max(0.0, now_s - random.uniform(3.0, 6.0))
    speed = random.choice((-1.0, 1.0)) * random.uniform(0.7, 1.3)
    row.carry((begin_s, now_s), tags, towards(now_s, (number + 0.5) * row.pitch_m, speed))
    for tag in tags:
        row.stand(now_s, tag, number)
    row.log(now_s, "put", tags, OUTSIDE, row.zone(number))


def _pick(row: _Row, now_s: float, number: int, tags: Sequence[Tag]) -> None:
    random = row.random
    x = row.where[tags[0]][2]
    speed = random.choice((-1.0, 1.0)) * random.uniform(0.7, 1.3)
    row.carry((now_s, now_s + random.uniform(3.0, 8.0)), tags, away(now_s, x, speed))
    for tag in tags:
        row.events.append(Lift(now_s, tag))
        del row.where[tag]
        row.gone.append((now_s, tag))
    row.log(now_s, "pick", tags, row.zone(number), OUTSIDE)


def _move(row: _Row, now_s: float, number: int, tags: Sequence[Tag]) -> None:
    random = row.random
    target = random.choice([other for other in range(row.plan.zones) if other != number])
    far = abs(target - number) * row.pitch_m
    end_s = now_s + 2 * REACH_S + far / random.uniform(0.8, 1.4) + random.uniform(0.0, 1.5)
    x = row.where[tags[0]][2]
    row.carry((now_s, end_s), tags, across(now_s, end_s, x, (target + 0.5) * row.pitch_m))
    for tag in tags:
        row.events.append(Lift(now_s, tag))
        row.stand(end_s, tag, target)
    row.log(end_s, "move", tags, row.zone(number), row.zone(target))


def _lift(row: _Row, now_s: float, number: int, tags: Sequence[Tag]) -> None:
    """Taken up, looked at, and set down in the same zone: nothing has happened."""
    end_s = now_s + row.random.uniform(1.0, 5.0)
    x = row.where[tags[0]][2]
    row.carry((now_s, end_s), tags, across(now_s, end_s, x, x))
    for tag in tags:
        row.events.append(Lift(now_s, tag))
        row.stand(end_s, tag, number)


def _streams(row: _Row, block: Block) -> list[Stream]:
    plan, p = row.plan, row.parameters
    streams: list[Stream] = []
    antennas: dict[str, list[Antenna]] = {}
    for number in range(plan.zones):
        antenna = zone_antenna(_point(plan, number), row.zone(number), number, row.pitch_m)
        antennas.setdefault(_device(plan, number), []).append(antenna)
    events = [*row.events, *plan.steps]
    if row.random.random() < p.cable_loss_chance:
        worn = _point(plan, row.random.randrange(plan.zones))
        events.append(CableStep(row.random.uniform(0.2, 0.8) * plan.length_s, worn, 6.0))
    stock = [event for event in row.events if isinstance(event, Stand) and event.at_s == 0.0]
    for index, (device, ears) in enumerate(antennas.items()):
        make_air, loss_db = zone_air(p, ears, row.pitch_m, stock, row.random)
        block.figures[f"{device} cross loss"] = round(loss_db, 1)
        reader = ReaderPlan(
            device,
            p.dwell_s,
            plan.length_s,
            f"{row.random.random()}/{device}",
            make_air,
            events,
            p.report_delay_s,
            plan.outages if index == 0 else (),
            plan.told if index == 0 else (),
        )
        streams.append(ReaderStream(reader, partial(note, block, device)))
    return streams


def note(block: Block, device: str, air: Air) -> None:
    """Keep what a stream turned out to be like, to be printed with the parameters."""
    counts = air.counts
    block.figures[f"{device} reads"] = counts["reads"]
    block.figures[f"{device} stray share"] = round(counts["stray"] / max(1, counts["reads"]), 4)
    block.figures[f"{device} dark places"] = counts["dark"]
    block.figures[f"{device} ghosts"] = counts["ghosts"]
