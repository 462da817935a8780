"""The storeroom that works by order: shelves that smell and weigh, a zone that only smells, and
plates that only weigh. People take from its places and lay down there.

Some items lie at two places (twins), so that there is something to transfer, and a place to take
from that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from simulators.world.families.walks import across, away, towards
from simulators.world.families.weight import (
    HAND_RESTLESS,
    Bin,
    Scale,
    ScaleBusiness,
    WeighedWare,
)
from simulators.world.parameters import SiteParameters
from simulators.world.radio_events import Block as Shade
from simulators.world.radio_events import Carry, Lift, Path, RadioEvent, Stand, Tag, draw_tag
from simulators.world.truth import OUTSIDE, TruthAct, ns

FUSED_ZONES, SMELLING_ZONES, PLACES_PER_ZONE = 3, 1, 2

WEIGHING_PLACES = 4

TWINS = ((0, 4), (1, 5), (8, 11))
"""Numbers of places where the same item lies."""

PIECES, LOAD_MAX_G = 20, 20_000.0
"""On each place at the start, and what they weigh together at most."""

HEAVIEST_G, TAGGED_LIGHTEST_G = 900.0, 40.0
"""Twenty pieces of the heaviest lie on one plate; what is lighter than the lightest is not tagged
piece by piece.
"""

STOOD_MIN_S = 45.0
"""What was just laid down is not taken sooner, but by who puts back what he took too much."""


@dataclass(slots=True, eq=False)
class Piece:
    """One piece; `tag` is None where the item has none."""

    item: str
    grams: float
    tag: Tag | None
    since_s: float = -STOOD_MIN_S


@dataclass(slots=True, eq=False)
class Place:
    """A place of one item. Nobody weighs there if `bin` is None, nobody listens if `zone` is "".
    Until `free_s` somebody has to do there.
    """

    number: int
    location: str
    ware: WeighedWare
    prefix: str
    zone: str
    bin: Bin | None
    pieces: list[Piece] = field(default_factory=list)
    free_s: float = 0.0

    def ready(self, now_s: float) -> list[Piece]:
        """Pieces that stood there long enough to be taken."""
        return [piece for piece in self.pieces if now_s - piece.since_s >= STOOD_MIN_S]


class Why(NamedTuple):
    """Who acts, for which order line, and what is wrong with it."""

    person: str
    task: str = ""
    mistake: str = ""


class Storeroom:
    """The room while its acts are being planned; acts at one place are planned in order of time."""

    def __init__(self, name: str, length_s: float, site: SiteParameters, random: Random) -> None:
        self.name, self.parameters, self.random = name, site, random
        self.scale = Scale(ScaleBusiness(name, length_s, ()), site, random)
        self.pitch_m = random.uniform(1.0, 1.5)
        self.radio: list[RadioEvent] = []
        self.acts: list[TruthAct] = []
        self.made = 0
        smelling = FUSED_ZONES + SMELLING_ZONES
        self.zones = [f"{name}-zone-{number + 1}" for number in range(smelling)]
        self.places = [self._place(number) for number in self._numbers()]
        for one, other in TWINS:
            twin, known = self.places[other], self.places[one]
            twin.ware, twin.prefix = known.ware, known.prefix
        for place in self.places:
            if place.bin is not None:
                place.bin.wares = (place.ware,)
                self.scale.bins.append(place.bin)
            count = int(min(PIECES, LOAD_MAX_G / place.ware.unit_g))
            place.pieces = [self.make(place) for _ in range(count)]
            for piece in place.pieces:
                self._stand(0.0, piece, place)

    def _numbers(self) -> range:
        return range(len(self.zones) * PLACES_PER_ZONE + WEIGHING_PLACES)

    def _place(self, number: int) -> Place:
        row, heard = number // PLACES_PER_ZONE, number < len(self.zones) * PLACES_PER_ZONE
        zone = self.zones[row] if heard else ""
        weighed = row < FUSED_ZONES or not heard
        location = f"{self.name}-{number + 1}" if weighed else zone
        ware = self._ware(number + 1, tagged=heard)
        place = None
        if weighed:
            place = Bin(f"{self.name.lower()}-scale:{number + 1}", location, (ware,))
        prefix = f"30340004{number + 1:08x}" if heard else ""
        return Place(number, location, ware, prefix, zone, place)

    def _ware(self, number: int, *, tagged: bool) -> WeighedWare:
        lightest = TAGGED_LIGHTEST_G if tagged else self.parameters.lightest_g
        unit = lightest * (HEAVIEST_G / lightest) ** self.random.random()
        spread = self.parameters.unit_spread * self.random.uniform(0.4, 1.0)
        return WeighedWare(f"{self.name}-SKU-{number}", unit, spread)

    def twin(self, place: Place) -> Place | None:
        """Where else that item lies."""
        others = (other for other in self.places if other is not place)
        return next((other for other in others if other.ware.code == place.ware.code), None)

    def neighbour(self, place: Place) -> Place:
        """The place beside it, where a hand goes astray; another item lies there, alike sensed."""
        step = 1 if place.number % PLACES_PER_ZONE == 0 else -1
        return self.places[place.number + step]

    def make(self, place: Place) -> Piece:
        """A new piece of what belongs there."""
        self.made += 1
        tag = None
        if place.prefix:
            epc = f"{place.prefix}{self.made:08x}"
            tag = draw_tag(epc, place.ware.code, self.parameters, self.random)
        return Piece(place.ware.code, self.scale.piece(place.ware), tag)

    def take(self, at_s: float, place: Place, pieces: Sequence[Piece], why: Why) -> None:
        """Take these pieces away."""
        for piece in pieces:
            place.pieces.remove(piece)
            if piece.tag is not None:
                self.radio.append(Lift(at_s, piece.tag))
        lasts = self.random.uniform(3.0, 6.0)
        path = away(at_s, self._x_m(place), self._speed())
        self._carry((at_s, at_s + lasts), pieces, path)
        self._weigh(at_s, place, -sum(piece.grams for piece in pieces))
        self._log(at_s, "pick", pieces, (place.location, OUTSIDE), why)

    def lay(self, at_s: float, place: Place, pieces: Sequence[Piece], why: Why) -> None:
        """Bring these pieces from outside and lay them down."""
        lasts = self.random.uniform(3.0, 6.0)
        path = towards(at_s, self._x_m(place), self._speed())
        self._carry((max(0.0, at_s - lasts), at_s), pieces, path)
        self._laid(at_s, place, pieces)
        self._log(at_s, "put", pieces, (OUTSIDE, place.location), why)

    def bring(
        self, at_s: float, way: tuple[Place, Place], pieces: Sequence[Piece], why: Why
    ) -> float:
        """Take these pieces from one place and lay them down at the other; returns when."""
        source, target = way
        from_x_m, to_x_m = self._x_m(source), self._x_m(target)
        end_s = at_s + 3.0 + abs(to_x_m - from_x_m) / abs(self._speed())
        for piece in pieces:
            source.pieces.remove(piece)
            if piece.tag is not None:
                self.radio.append(Lift(at_s, piece.tag))
        self._carry((at_s, end_s), pieces, across(at_s, end_s, from_x_m, to_x_m))
        self._weigh(at_s, source, -sum(piece.grams for piece in pieces))
        self._log(at_s, "pick", pieces, (source.location, OUTSIDE), why)
        self._laid(end_s, target, pieces)
        self._log(end_s, "put", pieces, (OUTSIDE, target.location), why)
        return end_s

    def look(self, at_s: float, place: Place) -> None:
        """Only feel about."""
        if place.bin is not None:
            lasts, force = self.random.uniform(0.3, 4.0), self.random.uniform(200.0, 3000.0)
            self.scale.press(at_s, at_s + lasts, place.bin, force, HAND_RESTLESS)
        self._shade(at_s, place)

    def _laid(self, at_s: float, place: Place, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            place.pieces.append(piece)
            self._stand(at_s, piece, place)
        self._weigh(at_s, place, sum(piece.grams for piece in pieces))

    def _stand(self, at_s: float, piece: Piece, place: Place) -> None:
        piece.since_s = at_s or piece.since_s
        if piece.tag is not None:
            width = self.pitch_m / PLACES_PER_ZONE
            x = (place.number + self.random.uniform(0.1, 0.9)) * width
            y = self.random.uniform(0.0, 0.35)
            self.radio.append(Stand(at_s, piece.tag, place.zone, x, y))

    def _weigh(self, at_s: float, place: Place, grams: float) -> None:
        if place.bin is not None:
            self.scale.hand(at_s, place.bin)
            self.scale.load(at_s, place.bin, grams)
        if self.random.random() < 0.5:
            self._shade(at_s, place)

    def _shade(self, at_s: float, place: Place) -> None:
        if place.zone:
            self.radio.append(Shade(at_s - 1.0, at_s + 1.5, place.zone))

    def _x_m(self, place: Place) -> float:
        return (place.number + 0.5) * self.pitch_m / PLACES_PER_ZONE

    def _speed(self) -> float:
        return self.random.choice((-1.0, 1.0)) * self.random.uniform(0.7, 1.3)

    def _carry(self, span: tuple[float, float], pieces: Sequence[Piece], path: Path) -> None:
        tags = tuple(piece.tag for piece in pieces if piece.tag is not None)
        if not tags:
            return
        random, p = self.random, self.parameters
        loss_db = p.aisle_loss_db + p.body_db * random.uniform(0.0, 0.7)
        offsets = tuple((random.uniform(-0.2, 0.2), random.uniform(-0.1, 0.1)) for _ in tags)
        self.radio.append(Carry(*span, tags, path, offsets, loss_db))

    def _log(
        self, at_s: float, kind: str, pieces: Sequence[Piece], way: tuple[str, str], why: Why
    ) -> None:
        """Write down what truly happened: one act for all pieces, which are of one item."""
        epcs = tuple(piece.tag.epc for piece in pieces if piece.tag is not None)
        what = (why.person, kind, pieces[0].item, len(pieces))
        told = TruthAct(ns(at_s), ns(at_s), *what, *way, epcs, why.task, why.mistake)
        self.acts.append(told)
