"""The days of a run, compressed: a shift by order, a night with a thief, a morning after it."""

from __future__ import annotations

import asyncio
from random import Random

from simulators.demo.chain import Chain
from simulators.demo.eyes import Eyes
from simulators.demo.office import Office
from simulators.demo.shift import Shift, Work
from simulators.scanner import gs1_128
from simulators.world.hands import Hands
from simulators.world.layout import STAFF, Worker

DAY_S, NIGHT_S, MORNING_S = 180.0, 6.0, 6.0
"""How long a day is at most, and what of it remains after the theft and after the return."""

SHORTEST_DAY_S = 45.0
"""In less time there is no night."""

AFTER_HOURS_S = 30.0
"""What a night and a morning take together."""

BOOKED_WITHIN_S, SETTLED_S = 15.0, 8.0
"""Until an act is booked, and until a gateway that has come back sees what lies there."""

GSRN = "8018"


class Days:
    """All people of a run. Of the orders the share `wrong` goes wrong; with `kill` the gateway is
    killed once in the middle of one.
    """

    def __init__(self, chain: Chain, seed: int, *, wrong: float, kill: bool) -> None:
        self._chain = chain
        self._wrong = wrong
        self._kill = kill
        random = Random(f"people {seed}")
        hands = Hands(chain.world, random, chain.watch_act, self._scan)
        work = Work(Office(chain, random), chain.truth, Eyes(chain))
        self._shift = Shift(hands, work, random)

    async def work(self, seconds: float) -> None:
        """Work day after day for so long, then finish what is in hand."""
        await self._hand_out_badges()
        days = max(1, round(seconds / DAY_S))
        now, feed = self._chain.world.now, self._chain.feed
        begin_s = now()
        for day in range(1, days + 1):
            end_s = begin_s + seconds * day / days
            long_enough = seconds / days >= SHORTEST_DAY_S and self._wrong > 0
            closing_s = end_s - AFTER_HOURS_S * long_enough
            if self._kill and day == 1:
                await self._shift.work((begin_s + closing_s) / 2, self._wrong)
                await self._shift.interrupted(self._cut_power)
            await self._shift.work(closing_s, self._wrong)
            if long_enough:
                feed.say("demo", "night: everybody has gone home")
                await self._shift.theft()
                await asyncio.sleep(NIGHT_S)
                feed.say("demo", "next morning")
                await self._shift.bring_back()
                await asyncio.sleep(max(0.0, min(MORNING_S, end_s - now())))

    async def _hand_out_badges(self) -> None:
        for worker in STAFF:
            told = {"epc": worker.epc} if worker.epc else {"scan": f"({GSRN}){worker.scan}"}
            badge = {"code": worker.badge, "actor": worker.name, **told}
            await self._chain.core.put("badge", worker.badge, badge)

    async def _cut_power(self) -> None:
        booked = len(self._chain.booked)
        await self._chain.wait_until(lambda: len(self._chain.booked) > booked, BOOKED_WITHIN_S)
        self._chain.feed.say("demo", "kill -9 of the gateway, in the middle of the order")
        await self._chain.kill_daemon()
        self._chain.feed.say("demo", "the gateway is back")
        await asyncio.sleep(SETTLED_S)

    async def _scan(self, worker: Worker, shelf: str) -> None:
        self._chain.feed.say("world", f"{worker.name} scans the badge at shelf {shelf}")
        await self._chain.plant.scanners[shelf].scan(gs1_128((GSRN, worker.scan)))
