"""The warehouse itself: which piece is where, what the sensors feel of it, and the truth log.

It stands behind the simulated readers (`TagField`) and transmitters (`LoadField`): both ask it
what they would feel at a moment. It knows nothing of gateways.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from simulators.llrp.field import Sighting
from simulators.world.beam import beam_db
from simulators.world.layout import (
    BADGE,
    BEHIND,
    CARTON,
    GATE,
    GATE_READER,
    HALL,
    MASTS,
    SHELF_READER,
    SHELF_WIDTH_M,
    SHELF_X_M,
    SPOTS,
    Mast,
    Spot,
    Ware,
)
from simulators.world.radio import Fading, Radio, Shadow
from simulators.world.strides import BODY_M, DESK_M, NEAR_M, RUN_M, Place, steps, walk

OUTSIDE = "unknown"
"""Where things are that the warehouse does not watch: in a hand, on a bench, on a lorry."""

CREEP_SHARE, CREEP_TAU_S = 0.0002, 480.0
"""Creep of a C3 load cell: 0.02 % of the load within half an hour (OIML R 60)."""

RING_S, RING_HZ = 0.12, 9.0
"""How a plate rings when a load changes."""


TAKEN_MAX = 1000
"""Acts whose pieces can be put back: nobody brings back what was taken so long ago."""


@dataclass(slots=True)
class Piece:
    """One piece of a ware. `place` is a spot's location, what lies behind a gate, or OUTSIDE.

    While it is carried, `gate` is the reader of the gate that it passes.
    """

    ware: Ware
    weight_g: float
    place: str
    epc: str = ""
    x_m: float = 0.0
    y_m: float = 0.0
    gate: str = ""
    carried_at: Place | None = None
    fading: dict[tuple[str, int], Fading] = field(default_factory=dict)
    shadows: dict[tuple[str, bool], Shadow] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Act:
    """One physical act, as it truly was. `at_s` is when the goods changed place.

    `task` is the order line that it was done for, `mistake` what was wrong with doing it so.
    """

    number: int
    at_s: float
    person: str
    item: str
    quantity: int
    source: str
    target: str
    epcs: tuple[str, ...] = ()
    task: str = ""
    mistake: str = ""


class Why(NamedTuple):
    """What somebody acts for: an order line, and what is wrong with doing it so."""

    task: str = ""
    mistake: str = ""


class Way(NamedTuple):
    """Through which gate (the one that this reader watches) somebody goes, and with what badge."""

    reader: str = GATE_READER
    badge: str = ""
    why: Why = Why()


NO_REASON, NO_WAY = Why(), Way()


@dataclass(slots=True)
class _Plate:
    """One cell: what lies on it, who leans on it, and how it still rings."""

    spot: Spot
    changed_s: float = 0.0
    change_g: float = 0.0
    creep_from_s: float = 0.0
    hand: tuple[float, float, float] = (0.0, 0.0, 0.0)


class World:
    """One site. `now` tells seconds on the clock that readers and transmitters use too."""

    def __init__(self, random: Random, now: Callable[[], float]) -> None:
        self.random = random
        self.radio = Radio.draw(random)
        self.acts: list[Act] = []
        self.now = now
        self.drift_g = random.uniform(-0.5, 0.5)
        self.vibration_g = random.uniform(0.0, 0.3)
        self.spots = {spot.location: spot for spot in SPOTS}
        self._serial = 0
        self._pieces: list[Piece] = []
        self._plates = {spot.name: _Plate(spot) for spot in SPOTS}
        self._at: dict[str, list[Piece]] = {spot.location: [] for spot in SPOTS}
        self._at |= {behind: [] for behind in BEHIND.values()}
        self._moving: list[Piece] = []
        self._taken: dict[int, list[Piece]] = {}
        self._badges: dict[str, Piece] = {}
        for spot in SPOTS:
            for _ in range(spot.pieces):
                self._lay(self.make(spot.ware), spot)
        for _ in range(6):
            carton = self.make(CARTON)
            carton.place = HALL
            self._at[HALL].append(carton)

    def make(self, ware: Ware) -> Piece:
        """A new piece, outside, with a weight and (if the ware is tagged) an EPC of its own."""
        weight = self.random.gauss(ware.unit_g, ware.unit_g * ware.spread)
        piece = Piece(ware, weight, OUTSIDE)
        if ware.serials:
            self._serial += 1
            piece.epc = f"{ware.serials}{self._serial:06x}"
        return piece

    def stock(self, location: str) -> list[Piece]:
        """The pieces at a location, the first laid down first."""
        return self._at[location]

    def touch(self, spot: Spot, for_s: float) -> None:
        """A hand rests on the cell for a while, with a force that wanders."""
        plate = self._plates[spot.name]
        force_g = self.random.uniform(200.0, 1500.0)
        plate.hand = (self.now(), self.now() + for_s, force_g)

    def stand(self, badge: str, spot: Spot) -> None:
        """Whoever wears the badge with that tag comes to stand before a cell."""
        piece = self._badges.setdefault(badge, Piece(BADGE, BADGE.unit_g, OUTSIDE, badge))
        piece.place = spot.shelf
        piece.fading.clear()
        x_m = SHELF_X_M[spot.shelf] + SHELF_WIDTH_M * (spot.cell - 0.5) / 4
        piece.x_m, piece.y_m = x_m, BODY_M
        piece.carried_at = steps(self.now(), x_m, NEAR_M, BODY_M)

    def leave(self, badge: str) -> None:
        """Whoever wears it goes away from the shelf."""
        piece = self._badges[badge]
        piece.y_m = DESK_M
        piece.carried_at = steps(self.now(), piece.x_m, BODY_M, DESK_M)

    def pick(self, person: str, spot: Spot, quantity: int, why: Why = NO_REASON) -> Act:
        """Take pieces off a cell, now."""
        pieces = [self._at[spot.location].pop() for _ in range(quantity)]
        for piece in pieces:
            piece.place = OUTSIDE
        self._changed(spot, -sum(piece.weight_g for piece in pieces))
        act = self._log(person, pieces, (spot.location, OUTSIDE), why)
        self._taken[act.number] = pieces
        while len(self._taken) > TAKEN_MAX:
            del self._taken[next(iter(self._taken))]
        return act

    def put(self, person: str, spot: Spot, quantity: int, why: Why = NO_REASON) -> Act:
        """Lay new pieces on a cell, now."""
        return self._put(person, spot, [self.make(spot.ware) for _ in range(quantity)], why)

    def put_back(self, person: str, act: Act, quantity: int, why: Why = NO_REASON) -> Act:
        """Lay so many of the pieces that were picked in that act where they were, now."""
        taken = self._taken[act.number]
        return self._put(
            person, self.spots[act.source], [taken.pop() for _ in range(quantity)], why
        )

    def _put(self, person: str, spot: Spot, pieces: Sequence[Piece], why: Why) -> Act:
        for piece in pieces:
            self._lay(piece, spot)
        self._changed(spot, sum(piece.weight_g for piece in pieces))
        return self._log(person, pieces, (OUTSIDE, spot.location), why)

    def carry(
        self,
        person: str,
        pieces: Sequence[Piece],
        *,
        inward: bool,
        speed_m_s: float,
        way: Way = NO_WAY,
    ) -> Act:
        """Carry pieces through a gate, from now on; the act's moment is at the gate."""
        begin, sign = self.now(), 1.0 if inward else -1.0
        worn = [Piece(BADGE, BADGE.unit_g, OUTSIDE, way.badge)] if way.badge else []
        for piece in (*pieces, *worn):
            dx, y = self.random.uniform(-0.3, 0.3), self.random.uniform(-0.4, 0.4)
            piece.carried_at = walk(begin, sign, speed_m_s, (dx, y))
            piece.gate = way.reader
            self._moving.append(piece)
        behind = BEHIND[way.reader]
        source, target = (OUTSIDE, behind) if inward else (behind, OUTSIDE)
        for piece in pieces:
            if inward:
                self._at[behind].append(piece)
            else:
                self._at[behind].remove(piece)
            piece.place = target
        at_s = begin + RUN_M / speed_m_s
        return self._log(person, pieces, (source, target), way.why, at_s)

    def gross_g(self, cell: str, at_s: float) -> float:
        """What the load cell feels (`LoadField`): goods, creep, ringing, hands, drift, floor."""
        plate = self._plates[cell]
        goods = sum(piece.weight_g for piece in self._at[plate.spot.location])
        since = at_s - plate.changed_s
        ring = plate.change_g * math.exp(-since / RING_S) * math.cos(2 * math.pi * RING_HZ * since)
        creep = goods * CREEP_SHARE * (1 - math.exp(-(at_s - plate.creep_from_s) / CREEP_TAU_S))
        begin, end, force = plate.hand
        hand = 0.0
        if begin <= at_s < end:
            hand = force * (1.0 + 0.25 * math.sin(7.0 * at_s) + self.random.gauss(0.0, 0.08))
        floor = self.vibration_g * self.random.gauss(0.0, 1.0)
        drift = self.drift_g * math.sin(2 * math.pi * at_s / 3600.0)
        return goods - ring + creep + hand + floor + drift

    def field(self, reader: str) -> ReaderField:
        """What that reader's antennas see (`TagField`)."""
        return ReaderField(self, reader)

    def tags_near(self, mast: Mast, at_s: float) -> list[tuple[Piece, float, float, float]]:
        """Pieces that an antenna may see, with place and extra loss in dB."""
        if mast.reader in BEHIND:
            at_gate = self._at_gate(at_s)
            return [(piece, *place, 0.0) for piece, place in at_gate if piece.gate == mast.reader]
        near: list[tuple[Piece, float, float, float]] = []
        shelf = "A" if mast.x_m < (SHELF_X_M["A"] + SHELF_X_M["B"] + SHELF_WIDTH_M) / 2 else "B"
        for spot in SPOTS:
            loss = 0.0 if spot.shelf == shelf else self.radio.other_shelf_loss_db
            near.extend((p, p.x_m, p.y_m, loss) for p in self._at[spot.location] if p.epc)
        for badge in self._badges.values():
            if badge.place == shelf:
                where = badge.carried_at(at_s) if badge.carried_at else (badge.x_m, badge.y_m)
                if where is None:
                    badge.carried_at, where = None, (badge.x_m, badge.y_m)
                if where[1] < DESK_M:
                    near.append((badge, *where, 0.0))
        return near

    def fading(self, piece: Piece, mast: Mast) -> Fading:
        """The fading between a piece's tag and an antenna, drawn once."""
        key = (mast.reader, mast.antenna)
        if key not in piece.fading:
            piece.fading[key] = Fading(self.radio, self.random)
        return piece.fading[key]

    def shadow(self, piece: Piece, mast: Mast) -> Shadow:
        """What stands between a piece's tag and the antennas on one side of it, drawn once: who
        walks beside a carton does not hide it from both sides of a gate.
        """
        key = (mast.reader, mast.y_m > 0)
        if key not in piece.shadows:
            piece.shadows[key] = Shadow(self.radio, self.random)
        return piece.shadows[key]

    def _at_gate(self, at_s: float) -> list[tuple[Piece, tuple[float, float]]]:
        seen: list[tuple[Piece, tuple[float, float]]] = []
        for piece in list(self._moving):
            place = piece.carried_at(at_s) if piece.carried_at else None
            if place is None:
                self._moving.remove(piece)
                piece.carried_at = None
            else:
                seen.append((piece, place))
        return seen

    def _lay(self, piece: Piece, spot: Spot) -> None:
        piece.place = spot.location
        piece.x_m = SHELF_X_M[spot.shelf] + SHELF_WIDTH_M * (spot.cell - 0.5) / 4
        piece.x_m += self.random.uniform(-0.1, 0.1)
        piece.y_m = self.random.uniform(0.0, 0.3)
        piece.fading.clear()
        self._at[spot.location].append(piece)

    def _changed(self, spot: Spot, change_g: float) -> None:
        plate = self._plates[spot.name]
        plate.changed_s = plate.creep_from_s = self.now()
        plate.change_g = change_g

    def _log(
        self,
        person: str,
        pieces: Sequence[Piece],
        ends: tuple[str, str],
        why: Why,
        at_s: float | None = None,
    ) -> Act:
        epcs = tuple(piece.epc for piece in pieces if piece.epc)
        at_s = self.now() if at_s is None else at_s
        what = (pieces[0].ware.code, len(pieces))
        act = Act(len(self.acts) + 1, at_s, person, *what, *ends, epcs, *why)
        self.acts.append(act)
        return act


class ReaderField:
    """The tags in front of one reader's antennas."""

    def __init__(self, world: World, reader: str) -> None:
        self._world = world
        self._masts = {mast.antenna: mast for mast in MASTS if mast.reader == reader}

    def inventory(self, antenna: int, power_dbm: float, at_s: float) -> Sequence[Sighting]:
        """See `simulators.llrp.field.TagField`."""
        world, mast = self._world, self._masts.get(antenna)
        if mast is None:
            return []
        seen: list[Sighting] = []
        for piece, x_m, y_m, loss_db in world.tags_near(mast, at_s):
            dx_m, dy_m = x_m - mast.x_m, y_m - mast.y_m
            distance = math.hypot(dx_m, dy_m)
            carried = piece.carried_at is not None
            fading = world.fading(piece, mast).db(x_m, y_m, carried=carried)
            level = world.radio.level_dbm(distance, fading, world.random)
            level += power_dbm - 30.0 - loss_db
            if mast.facing_deg is not None:
                level += beam_db(mast.facing_deg, dx_m, dy_m)
            chance = world.radio.read_chance(level) * world.shadow(piece, mast).factor(at_s)
            if world.random.random() < chance:
                phase = int(distance / 0.1645 * 4096) % 4096
                seen.append(Sighting(bytes.fromhex(piece.epc), level, phase=phase))
        return seen


__all__ = ["GATE", "OUTSIDE", "SHELF_READER", "Act", "Piece", "ReaderField", "Way", "Why", "World"]
