"""`orders`: a storeroom that works by order. An order system tells lines, people work them off, and
some of them do it wrong (`order_work`). What becomes of each line is known, as is each mistake.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from operator import itemgetter
from random import Random

from simulators.world.families.order_badges import badges, scanners_of, show, visits_of
from simulators.world.families.order_day import Day
from simulators.world.families.shelf import note
from simulators.world.families.storeroom import Storeroom
from simulators.world.families.weight import WeighedWare, draughts
from simulators.world.forklifts import Drive, shades, shakes
from simulators.world.parameters import SiteParameters
from simulators.world.plate import ScalePlan, ScaleStream
from simulators.world.radio_events import Stand
from simulators.world.reader import ReaderPlan, ReaderStream
from simulators.world.truth import Block, CellPlan, LineTold, LineWithdrawn, Observed, ZonePlan
from simulators.world.zones import zone_air, zone_antenna

ORDER_SYSTEM = "order-system"

NAME = "O"


def orders_block(
    span: tuple[float, float], lane: tuple[Drive, ...], parameters: SiteParameters, random: Random
) -> Block:
    """A storeroom and its day of `span`: opening and length in seconds."""
    opening_s, length_s = span
    room = Storeroom(NAME, length_s, parameters, random)
    block = Block(acts=room.acts)
    for place in room.places:
        block.stock[place.location, place.ware.code] += len(place.pieces)
    first_g = {p.bin.cell: sum(x.grams for x in p.pieces) for p in room.places if p.bin}
    day = Day(room, opening_s, length_s)
    day.work()
    block.lines, block.slips = day.lines, day.slips
    block.badges, block.scanners = badges(), scanners_of(room)
    block.visits = visits_of(room, room.acts)
    scans = show(room, block.visits, block.badges, Random(f"badges {parameters}"))
    block.streams.append(lambda: iter(scans))
    draughts(room.scale)
    room.scale.events.extend(shakes(lane))
    room.radio.extend(shades(lane, room.zones, room.pitch_m))
    block.figures[f"{NAME} pitch m"] = round(room.pitch_m, 2)
    block.figures[f"{NAME} forklifts"] = len(lane)
    _wire(room, block)
    block.streams.append(lambda: _told(day))
    block.streams.append(_reader(room, block, length_s))
    device, cells = f"{NAME.lower()}-scale", tuple(first_g)
    seed = f"{random.random()}/{device}"
    events = room.scale.events
    block.streams.append(
        ScaleStream(ScalePlan(device, cells, first_g, length_s, seed, parameters, events))
    )
    return block


def _wire(room: Storeroom, block: Block) -> None:
    """What hangs where, and the catalogue."""
    goods: dict[str, tuple[WeighedWare, str]] = {}
    for place in room.places:
        goods.setdefault(place.ware.code, (place.ware, place.prefix))
        if place.bin is not None:
            zone = place.zone or None
            items = (place.ware.code,)
            block.cells.append(CellPlan(place.bin.cell, place.location, items, zone))
    block.goods.extend(room.scale.good(ware, prefix) for ware, prefix in goods.values())
    block.zones.extend(ZonePlan(zone, (_point(n),)) for n, zone in enumerate(room.zones))


def _point(number: int) -> str:
    return f"{NAME.lower()}-reader:{number + 1}"


def _reader(room: Storeroom, block: Block, length_s: float) -> ReaderStream:
    p, random, device = room.parameters, room.random, f"{NAME.lower()}-reader"
    ears = [zone_antenna(_point(n), zone, n, room.pitch_m) for n, zone in enumerate(room.zones)]
    first = [event for event in room.radio if isinstance(event, Stand) and event.at_s == 0.0]
    make_air, loss_db = zone_air(p, ears, room.pitch_m, first, random)
    block.figures[f"{device} cross loss"] = round(loss_db, 1)
    seed = f"{random.random()}/{device}"
    plan = ReaderPlan(device, p.dwell_s, length_s, seed, make_air, room.radio, p.report_delay_s)
    return ReaderStream(plan, partial(note, block, device))


def _told(day: Day) -> Iterator[Observed]:
    """The lines as the order system tells them and takes them back, in order of time."""
    said: list[Observed] = [LineTold(one.told, ORDER_SYSTEM, one.line) for one in day.lines]
    said += [
        LineWithdrawn(one.withdrawn, ORDER_SYSTEM, one.line.code)
        for one in day.lines
        if one.withdrawn is not None
    ]
    return iter(sorted(said, key=itemgetter(0)))
