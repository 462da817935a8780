"""The office: it has the core put orders, for what its own book says is there and not promised."""

from __future__ import annotations

from random import Random
from typing import Any, Literal, NamedTuple, TypeAlias

from simulators.core.orders import OrderRefusedError
from simulators.demo.chain import Chain
from simulators.demo.truth import TrueLine
from simulators.world.layout import CARTON, HALL, Spot, Worker

Kind: TypeAlias = Literal["issue", "put_away"]

TIMEOUT_S = 15
"""A line is over so long after the last that was done for it: people here have little time."""

FEW_PIECES, QUANTITY_FEW, QUANTITY = 12, 2, 4
"""Of what lies there by the dozen, a line asks a few only."""

STOCK_LOW = 0.5
"""A cell below this share of its first stock is filled up."""

FIRST_NUMBER = 1001


class Line(NamedTuple):
    """One line of an order, for somebody at a shelf."""

    task: str
    kind: Kind
    spot: Spot
    quantity: int


class Office:
    """Puts orders; knows which of their lines are still open."""

    def __init__(self, chain: Chain, random: Random) -> None:
        self._chain = chain
        self._random = random
        self._number = FIRST_NUMBER
        self._open: dict[str, str] = {}

    def busy(self, location: str) -> bool:
        """Whether a line is open for that location."""
        for task in [task for task in self._open if task in self._chain.confirmed]:
            del self._open[task]
        return location in self._open.values()

    async def ask(self, worker: Worker, spots: list[Spot], mistake: str) -> list[Line]:
        """Order one line for each of these cells; those that the book allows. The last is the one
        that will go wrong, and asks two pieces at least.
        """
        stock = await self._chain.core.stock()
        low = {
            spot.location
            for spot in spots
            if stock.get((spot.location, spot.ware.code), 0) < STOCK_LOW * spot.pieces
        }
        kind: Kind = "put_away" if spots[-1].location in low and not mistake else "issue"
        fitting = [spot for spot in spots if (spot.location in low) == (kind == "put_away")]
        number = self._next("MO" if kind == "issue" else "PA")
        lines: list[Line] = []
        for spot in fitting:
            most = QUANTITY_FEW if spot.pieces <= FEW_PIECES else QUANTITY
            least = 2 if mistake and spot is fitting[-1] else 1
            line = Line(f"{number}-{len(lines) + 1}", kind, spot, self._random.randint(least, most))
            if await self._put(worker, _task(line, number, len(lines) + 1), mistake):
                lines.append(line)
                self._open[line.task] = spot.location
        goods = ", ".join(f"{line.quantity} {line.spot.ware.code}" for line in lines)
        if lines:
            to = "out of" if kind == "issue" else "into"
            cells = ", ".join(line.spot.location for line in lines)
            self._chain.feed.say("core", f"order {number} for {worker.name}: {goods} {to} {cells}")
        return lines

    async def ask_carton(self, worker: Worker, *, inward: bool) -> str:
        """Order a carton into the hall or out of it; its task, "" if the book does not allow it."""
        number = self._next("PO" if inward else "SO")
        task = f"{number}-1"
        end = "to" if inward else "from"
        body = {
            "task_id": task,
            "type": "receipt" if inward else "issue",
            "order": _order(number, 1),
            "item": CARTON.code,
            "quantity": 1,
            end: {"location": HALL},
            "timeout_s": TIMEOUT_S,
        }
        if not await self._put(worker, body, ""):
            return ""
        way = "into" if inward else "out of"
        text = f"order {number} for {worker.name}: 1 {CARTON.code} {way} {HALL}"
        self._chain.feed.say("core", text)
        return task

    def _next(self, kind: str) -> str:
        number, self._number = f"{kind}-{self._number}", self._number + 1
        return number

    async def _put(self, worker: Worker, body: dict[str, Any], mistake: str) -> bool:
        try:
            await self._chain.core.order(body)
        except OrderRefusedError:
            return False
        line = TrueLine(body["task_id"], body["item"], body["quantity"], worker.name, mistake)
        self._chain.truth.lines[line.task] = line
        return True


def _task(line: Line, number: str, place: int) -> dict[str, Any]:
    end = "from" if line.kind == "issue" else "to"
    return {
        "task_id": line.task,
        "type": line.kind,
        "order": _order(number, place),
        "item": line.spot.ware.code,
        "quantity": line.quantity,
        end: {"location": line.spot.location},
        "timeout_s": TIMEOUT_S,
    }


def _order(number: str, place: int) -> dict[str, str]:
    kinds = {"MO": "production", "PA": "put away", "PO": "purchase", "SO": "sales"}
    return {"system": "erp", "type": kinds[number[:2]], "number": number, "line": str(place)}
