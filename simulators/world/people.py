"""People at work: they pick, lay down, fidget, and carry cartons through the gate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from simulators.world.layout import CARTON, HALL, Spot
from simulators.world.world import Act, World

PEOPLE = ("Ana", "Ben", "Chen")

SPOT_REST_S = 6.0
"""The same cell is not used again sooner: two people do not reach into one bin at once."""

GATE_REST_S = 9.0
"""Between two transports at the gate, the run itself included."""

STOCK_LOW, STOCK_HIGH = 0.4, 1.6
"""A cell below this share of its first stock is filled up, one above it is picked from."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How a crew works: the pause between two acts (some 24 a minute and more), and the share
    of acts that are transports through the gate.
    """

    pause_s: tuple[float, float] = (0.6, 3.2)
    gate_share: float = 0.3


class Crew:
    """The people of one site. `watch` is told of every act as it happens."""

    def __init__(
        self,
        world: World,
        random: Random,
        watch: Callable[[Act], None],
        habits: Habits | None = None,
    ) -> None:
        self._world = world
        self._random = random
        self._watch = watch
        self._habits = habits or Habits()
        self._free_at = dict.fromkeys(world.spots, 0.0)
        self._gate_free_at = 0.0

    async def work(self, until_s: float) -> None:
        """Act until that moment, then finish what is in hand."""
        async with asyncio.TaskGroup() as hands:
            while self._world.now() < until_s:
                self._begin(hands)
                await asyncio.sleep(self._random.uniform(*self._habits.pause_s))

    def _begin(self, hands: asyncio.TaskGroup) -> None:
        person = self._random.choice(PEOPLE)
        now = self._world.now()
        if now >= self._gate_free_at and self._random.random() < self._habits.gate_share:
            self._gate_free_at = now + GATE_REST_S
            self._transport(person)
            return
        free = [name for name, at_s in self._free_at.items() if at_s <= now]
        if not free:
            return
        spot = self._world.spots[self._random.choice(free)]
        self._free_at[spot.location] = now + SPOT_REST_S
        hands.create_task(self._reach(person, spot), name=f"{person} at {spot.location}")

    async def _reach(self, person: str, spot: Spot) -> None:
        """Put a hand into the bin, take or lay pieces, and let go."""
        in_bin_s = self._random.uniform(0.4, 1.2)
        self._world.touch(spot, in_bin_s)
        await asyncio.sleep(in_bin_s * self._random.uniform(0.4, 0.9))
        stock = len(self._world.stock(spot.location))
        if self._random.random() < 0.08:
            return  # only looked: a hand on the shelf is no movement
        most = 1 if spot.pieces <= 12 else 4
        quantity = self._random.randint(1, most)
        share = stock / spot.pieces
        put = share < STOCK_LOW or (share < STOCK_HIGH and self._random.random() < 0.4)
        if put:
            self._watch(self._world.put(person, spot, quantity))
        elif stock >= quantity:
            self._watch(self._world.pick(person, spot, quantity))

    def _transport(self, person: str) -> None:
        inside = self._world.stock(HALL)
        speed_m_s = self._random.uniform(1.0, 1.6)
        inward = len(inside) < 3 or self._random.random() < 0.5
        pieces = [self._world.make(CARTON)] if inward else [inside[0]]
        self._watch(self._world.carry(person, pieces, inward=inward, speed_m_s=speed_m_s))
