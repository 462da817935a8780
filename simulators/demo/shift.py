"""People work off the orders of the office, and some of it goes wrong.

as asked        piece by piece as the order says
put back        one too many, and back with it when that is noticed
over            one too many, and nobody notices
short           one forgotten
wrong item      from the cell beside it
two pickers     two people at one shelf: neither can be told from the other
brought back    as asked, and next morning some come back
theft           at night somebody takes what nobody ordered, and shows no badge
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from random import Random
from typing import NamedTuple

from simulators.demo.eyes import Eyes
from simulators.demo.office import TIMEOUT_S, Line, Office
from simulators.demo.truth import Slip, Truth
from simulators.world.hands import Hands
from simulators.world.layout import CARTON, DOCK_READER, HALL, SHELF_X_M, STAFF, Spot, Worker
from simulators.world.world import Act, Why

MISTAKES = ("put back", "wrong item", "two pickers", "short", "over")
"""What goes wrong by day."""

SCANNED_REST_S, WORN_REST_S = 9.0, 6.0
"""Nobody comes to a shelf sooner after somebody has left it: his badge is taken to be there."""

GATE_REST_S = 6.0
"""Between two transports at the gate, the next badge is not to be taken for the last."""

TRANSPORT_SHARE = 0.4

LOOKS_SHARE = 0.1
"""A hand on the shelf is no movement."""

STOLEN, ALONE_S = 2, 10.0
"""How many pieces the thief takes, and so much longer he waits until nobody can have been there."""

NOTICED_S = (7.0, 9.0)
"""How long somebody holds the piece too many."""

NEXT_LINE_S, LOOK_S = (0.5, 1.5), (0.4, 1.2)

PARTED = 2
"""Pieces of which one can be forgotten, or taken first."""

PAIR, CELLS_MAX = 2, 3
"""How many people are two pickers; and lines that one order has at most, each at its own cell."""


class Work(NamedTuple):
    """Where orders come from, what truly becomes of them, and who looks at the lights."""

    office: Office
    truth: Truth
    eyes: Eyes


class Shift:
    """One crew at work. Of its orders the share `wrong` goes wrong."""

    def __init__(self, hands: Hands, work: Work, random: Random) -> None:
        self._hands, self._random = hands, random
        self._office, self._truth, self._eyes = work
        self._world = hands.world
        self._free = list(STAFF)
        self._shelf_free_at = dict.fromkeys(SHELF_X_M, 0.0)
        self._gate_free_at, self._inward = 0.0, False
        self._mistakes = self._deck()
        self._taken: dict[str, tuple[Act, Line]] = {}  # the last from each cell, if as asked

    async def work(self, until_s: float, wrong: float) -> None:
        """Work off orders until that moment, then finish what is in hand."""
        async with asyncio.TaskGroup() as people:
            while self._world.now() < until_s:
                if self._free:
                    await self._begin(people, wrong)
                await asyncio.sleep(self._random.uniform(*LOOK_S))

    async def theft(self) -> None:
        """At night: somebody takes what nobody ordered."""
        shelf = self._quietest()
        await self._until(self._shelf_free_at[shelf] + ALONE_S)
        for spot in self._cells(shelf, "theft"):
            act = await self._hands.steal(spot, STOLEN, Why("", "theft"))
            self._slip("theft", "", act.at_s, spot)

    async def bring_back(self) -> None:
        """In the morning: somebody brings back one piece of what he took for an order."""
        shelf = self._quietest()
        taken = [at for at, (_, line) in self._taken.items() if line.spot.shelf == shelf]
        if not taken:
            return
        act, line = self._taken.pop(self._random.choice(taken))
        worker = next(each for each in STAFF if each.name == act.person)
        await self._until(self._shelf_free_at[shelf])
        await self._hands.come(worker, line.spot)
        back = await self._hands.put_back(worker, act, 1, Why(line.task, "brought back"))
        self._slip("brought back", line.task, back.at_s, line.spot)
        self._leave(worker, shelf)

    async def interrupted(self, between: Callable[[], Awaitable[None]]) -> None:
        """Somebody takes a part of what an order asks; that happens; then he takes the rest."""
        shelf = self._quietest()
        await self._until(self._shelf_free_at[shelf])
        worker = self._take(self._random.choice(self._free))
        for line in await self._office.ask(worker, self._cells(shelf, "interrupted"), PARTED):
            why, known = Why(line.task), self._truth.lines[line.task]
            await self._hands.come(worker, line.spot)
            self._eyes.work(line, line.quantity)
            await self._hands.take(worker, line.spot, 1, why)
            await between()
            self._eyes.work(line, line.quantity - 1)
            await self._hands.take(worker, line.spot, line.quantity - 1, why)
            known.done = line.quantity
            self._taken.pop(line.spot.location, None)
        self._leave(worker, shelf)

    async def _begin(self, people: asyncio.TaskGroup, wrong: float) -> None:
        now = self._world.now()
        tagged = [worker for worker in self._free if worker.epc]
        if tagged and now >= self._gate_free_at and self._random.random() < TRANSPORT_SHARE:
            self._gate_free_at = float("inf")
            people.create_task(self._transport(self._take(self._random.choice(tagged))))
            return
        shelves = [shelf for shelf, at_s in self._shelf_free_at.items() if at_s <= now]
        if not shelves:
            return
        shelf = self._random.choice(shelves)
        mistake = next(self._mistakes) if self._random.random() < wrong else ""
        cells, pair = self._cells(shelf, mistake), self._free[:PAIR]
        if not cells or (mistake == "two pickers" and min(len(cells), len(pair)) < PAIR):
            return
        self._shelf_free_at[shelf] = float("inf")
        if mistake == "two pickers":
            work = [(self._take(who), [cell]) for who, cell in zip(pair, cells, strict=False)]
        else:
            work = [(self._take(self._random.choice(self._free)), cells)]
        people.create_task(self._visits(shelf, work, mistake))

    async def _visits(
        self, shelf: str, work: list[tuple[Worker, list[Spot]]], mistake: str
    ) -> None:
        """Who works at the shelf at the same time."""
        async with asyncio.TaskGroup() as together:
            for worker, cells in work:
                together.create_task(self._visit(worker, shelf, cells, mistake))

    async def _visit(self, worker: Worker, shelf: str, cells: list[Spot], mistake: str) -> None:
        lines = await self._office.ask(worker, cells, PARTED if mistake else 1)
        if lines:
            await asyncio.sleep(self._random.uniform(*NEXT_LINE_S))
            await self._hands.come(worker, lines[0].spot)
        for line in lines:
            if line is not lines[0]:
                await asyncio.sleep(self._random.uniform(*NEXT_LINE_S))
            await self._line(worker, line, mistake if line is lines[-1] else "")
        self._leave(worker, shelf)

    async def _line(self, worker: Worker, line: Line, mistake: str) -> None:
        """Work off one line, and note what truly became of it."""
        hands, known = self._hands, self._truth.lines[line.task]
        if self._random.random() < LOOKS_SHARE:
            await hands.look(line.spot)
        known.mistake, known.done = mistake, line.quantity
        why = Why(line.task, mistake)
        self._taken.pop(line.spot.location, None)
        self._eyes.work(line, line.quantity)
        if line.kind == "put_away":
            await hands.lay(worker, line.spot, line.quantity, why)
        elif mistake == "wrong item":
            beside = self._beside(line.spot)
            act = await hands.take(worker, beside, line.quantity, why)
            known.done, known.exception = 0, "WRONG_SKU"
            self._eyes.took_astray(beside.location, line.task, line.quantity)
            self._slip(mistake, line.task, act.at_s, line.spot, beside)
        elif mistake == "short":
            act = await hands.take(worker, line.spot, line.quantity - 1, why)
            known.done, known.exception = line.quantity - 1, "SHORT"
            self._slip(mistake, line.task, act.at_s + TIMEOUT_S, line.spot)
        elif mistake in {"put back", "over"}:
            act = await hands.take(worker, line.spot, line.quantity + 1, why)
            self._slip(mistake, line.task, act.at_s, line.spot)
            if mistake == "over":
                known.done, known.exception = line.quantity + 1, "OVER"
            else:
                await asyncio.sleep(self._random.uniform(*NOTICED_S))
                self._eyes.excess(line, 1)
                await hands.put_back(worker, act, 1, why)
        else:
            act = await hands.take(worker, line.spot, line.quantity, why)
            if mistake:
                self._slip(mistake, line.task, act.at_s, line.spot)
            else:
                self._taken[line.spot.location] = act, line

    async def _transport(self, worker: Worker) -> None:
        """Carry a carton through the gate, and on to the dock if the office asks that."""
        self._inward = inward = not self._inward
        tasks = await self._office.ask_carton(worker, inward=inward)
        if not tasks:
            inward = True
            tasks = await self._office.ask_carton(worker, inward=True)
        await asyncio.sleep(self._random.uniform(*NEXT_LINE_S))
        piece = self._world.make(CARTON) if inward else self._world.stock(HALL)[0]
        await self._hands.carry(worker, piece, inward=inward, why=Why(tasks[0]))
        self._gate_free_at = self._world.now() + GATE_REST_S
        for task in tasks[1:]:
            why = Why(task)
            await self._hands.carry(worker, piece, inward=True, reader=DOCK_READER, why=why)
            self._truth.transfers += 1
        for task in tasks:
            self._truth.lines[task].done = 1
        self._free.append(worker)

    def _cells(self, shelf: str, mistake: str) -> list[Spot]:
        """Cells of the shelf with no open line, in any order: as many as an order has lines."""
        world, office = self._world, self._office
        here = [spot for spot in world.spots.values() if spot.shelf == shelf]
        free = [spot for spot in here if not office.busy(spot.location)]
        self._random.shuffle(free)
        if not mistake:
            return free[: self._random.randint(1, CELLS_MAX)]
        full = [spot for spot in free if len(world.stock(spot.location)) > spot.pieces // 2]
        if mistake == "wrong item":  # while nothing else is asked there that it might be for
            full = [spot for spot in full if len(free) == len(here) and self._beside(spot) in full]
        return full[: PAIR if mistake == "two pickers" else 1]

    def _beside(self, spot: Spot) -> Spot:
        step = 1 if spot.cell % 2 else -1
        return next(
            each
            for each in self._world.spots.values()
            if each.shelf == spot.shelf and each.cell == spot.cell + step
        )

    def _slip(self, mistake: str, task: str, at_s: float, *spots: Spot) -> None:
        places = (*(spot.location for spot in spots), f"SHELF-{spots[0].shelf}")
        self._truth.slips.append(Slip(at_s, mistake, task, places))

    def _take(self, worker: Worker) -> Worker:
        self._free.remove(worker)
        return worker

    def _leave(self, worker: Worker, shelf: str) -> None:
        self._hands.go(worker)
        rest_s = WORN_REST_S if worker.epc else SCANNED_REST_S
        self._shelf_free_at[shelf] = self._world.now() + rest_s
        if worker not in self._free:
            self._free.append(worker)

    def _quietest(self) -> str:
        return min(self._shelf_free_at, key=self._shelf_free_at.__getitem__)

    async def _until(self, at_s: float) -> None:
        await asyncio.sleep(max(0.0, at_s - self._world.now()))

    def _deck(self) -> Iterator[str]:
        """Each mistake once before any comes again."""
        while True:
            yield from self._random.sample(MISTAKES, len(MISTAKES))
