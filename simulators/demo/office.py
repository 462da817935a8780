"""The office: it has the core put orders, for what its own book says is there and not promised."""

from __future__ import annotations

from random import Random
from typing import Any, Literal, NamedTuple, TypeAlias

from simulators.core.orders import OrderRefusedError
from simulators.demo.chain import Chain
from simulators.demo.site_files import DOCK_GATEWAY, GATEWAY
from simulators.demo.truth import TrueLine
from simulators.world.layout import CARTON, DOCK, HALL, Spot, Worker

Kind: TypeAlias = Literal["issue", "put_away"]

TIMEOUT_S = 15
"""A line is over so long after the last that was done for it: people here have little time."""

FEW_PIECES, QUANTITY_FEW, QUANTITY = 12, 2, 4
"""Of what lies there by the dozen, a line asks a few only."""

STOCK_LOW = 0.5
"""A cell below this share of its first stock is filled up."""

FIRST_NUMBER = 1001

WAYS = {"from": "out of", "to": "into"}

ORDER_TYPES = {
    "MO": "production",
    "PA": "put away",
    "PO": "purchase",
    "SO": "sales",
    "TO": "transfer",
}


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

    async def ask(self, worker: Worker, spots: list[Spot], last_least: int = 1) -> list[Line]:
        """Order one line for each of these cells; those that the book allows. The last asks so many
        pieces at least; if that is more than one, they are to be taken.
        """
        stock = await self._chain.core.stock()
        low = {
            spot.location
            for spot in spots
            if stock.get((spot.location, spot.ware.code), 0) < STOCK_LOW * spot.pieces
        }
        fill_up = spots[-1].location in low and last_least == 1
        kind: Kind = "put_away" if fill_up else "issue"
        fitting = [spot for spot in spots if (spot.location in low) == (kind == "put_away")]
        number = self._next("MO" if kind == "issue" else "PA")
        lines: list[Line] = []
        for spot in fitting:
            most = QUANTITY_FEW if spot.pieces <= FEW_PIECES else QUANTITY
            least = last_least if spot is fitting[-1] else 1
            line = Line(f"{number}-{len(lines) + 1}", kind, spot, self._random.randint(least, most))
            if await self._put(worker, _task(line, number, len(lines) + 1)):
                lines.append(line)
                self._open[line.task] = spot.location
        goods = ", ".join(f"{line.quantity} {line.spot.ware.code}" for line in lines)
        if lines:
            to = WAYS["from" if kind == "issue" else "to"]
            cells = ", ".join(line.spot.location for line in lines)
            self._chain.feed.say("core", f"order {number} for {worker.name}: {goods} {to} {cells}")
        return lines

    async def ask_carton(self, worker: Worker, *, inward: bool) -> list[str]:
        """Order a carton into the hall, or out of it and, if there is another gateway, on to the
        dock; its tasks, none if the book does not allow it.
        """
        dock = not inward and self._chain.dock_config is not None
        number = self._next("PO" if inward else "TO" if dock else "SO")
        ends = [("to" if inward else "from", HALL, GATEWAY)]
        ends += [("to", DOCK, DOCK_GATEWAY)] * dock
        tasks = []
        for place, (end, location, gateway) in enumerate(ends, 1):
            body = {
                "task_id": f"{number}-{place}",
                "type": "receipt" if end == "to" else "issue",
                "order": _order(number, place),
                "item": CARTON.code,
                "quantity": 1,
                end: {"location": location},
                "timeout_s": TIMEOUT_S,
            }
            if not await self._put(worker, body, gateway):
                return []
            tasks.append(f"{number}-{place}")
        ways = " and ".join(f"{WAYS[end]} {location}" for end, location, _ in ends)
        text = f"order {number} for {worker.name}: 1 {CARTON.code} {ways}"
        self._chain.feed.say("core", text)
        return tasks

    def _next(self, kind: str) -> str:
        number, self._number = f"{kind}-{self._number}", self._number + 1
        return number

    async def _put(self, worker: Worker, body: dict[str, Any], gateway: str = GATEWAY) -> bool:
        try:
            await self._chain.core.order(body, gateway)
        except OrderRefusedError:
            return False
        line = TrueLine(body["task_id"], body["item"], body["quantity"], worker.name)
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
    return {"system": "erp", "type": ORDER_TYPES[number[:2]], "number": number, "line": str(place)}
