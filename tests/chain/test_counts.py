"""A count in the running chain, through a kill of the daemon; and books that differ, and heal."""

import asyncio
import json
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulators.core.proposals import Proposal
from simulators.demo.chain import Chain
from simulators.demo.site_files import GATEWAY
from tests.chain.asking import device_is_up

PATIENCE_S = 60.0
PLACE = "A-4"
QUICK = """
[rules.stocktake]
window_s = 6.0
deep_s = 2
[schedule]
digest_s = 1
"""


async def shelfgate(chain: Chain, *words: str) -> str:
    """What the command line says."""
    command = str(Path(sys.executable).with_name("shelfgate"))
    process = await asyncio.create_subprocess_exec(
        *(command, *words, "--config", str(chain.config)), stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    assert process.returncode == 0
    return told.decode()


async def until(chain: Chain, asked: Callable[[], Any]) -> Any:
    """What the core's book says, once it says something; TimeoutError if it never does."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := await chain.core._work(asked)):
            await chain.wait_until(lambda: False, 0.1)
    return found


def proposed(chain: Chain, kind: str) -> Callable[[], list[Proposal]]:
    def asked() -> list[Proposal]:
        known = chain.core.desk.book.proposals.all()
        return [each for each in known if each.kind == kind and each.closed is None]

    return asked


def records(chain: Chain, event: str) -> list[Any]:
    rows = chain.core.desk.book._database.execute("SELECT body FROM record ORDER BY n").fetchall()
    return [body for (text,) in rows if (body := json.loads(text)).get("event") == event]


async def held(chain: Chain, item: str) -> int:
    told = await chain.core.command(GATEWAY, "stock", {"location": PLACE, "item": item})
    quantity: int = told["result"]["lines"][0]["quantity"]
    return quantity


def misstate(chain: Chain, item: str, by: int) -> None:
    """The book at the edge is off: as if a movement had been told that never happened."""
    with sqlite3.connect(chain.folder / "state" / "shelfgate.db") as file:
        place = ("stock", f"{PLACE}\t{item}")
        (value,) = file.execute("SELECT value FROM state WHERE rule=? AND key=?", place).fetchone()
        row = json.loads(value)
        row["quantity"] += by
        file.execute("UPDATE state SET value=? WHERE rule=? AND key=?", (json.dumps(row), *place))
    file.close()


@pytest.mark.server
@pytest.mark.timeout(280)
async def test_count_goes_on_after_a_kill_and_is_booked_when_it_is_approved(chain: Chain) -> None:
    item = chain.world.spots[PLACE].ware.code
    chain.config.write_text(chain.config.read_text() + QUICK)
    await chain.start_daemon()
    await chain.ready()
    await chain.wait_until(lambda: False, 5.0)
    there = await held(chain, item)
    await chain.stop_daemon()
    misstate(chain, item, 2)
    await chain.start_daemon()
    assert await chain.wait_until(lambda: device_is_up(chain, "shelf-a"), PATIENCE_S)
    begun = json.loads(await shelfgate(chain, "count", "start", PLACE, "--actor", "eva", "--json"))
    await chain.wait_until(lambda: False, 2.0)
    await chain.stop_daemon(signal.SIGKILL)
    await chain.start_daemon()
    (proposal,) = await until(chain, proposed(chain, "stocktake"))
    (report,) = await chain.core._work(lambda: records(chain, "count_report"))
    assert (report["count_id"], report["remaining"]) == (begun["count"], 0)
    (line,) = [each for each in report["lines"] if "reason" in each]
    assert (line["expected"], line["counted"], line["reason"]) == (there + 2, there, "missing")
    assert await held(chain, item) == there + 2
    await chain.core.answer(proposal.id, approved=True, actor="max")

    def closed() -> bool:
        known = chain.core.desk.book.proposals.all()
        return any(each.id == proposal.id and each.closed == "approved" for each in known)

    await until(chain, closed)
    assert await held(chain, item) == there
    movements = await chain.core._work(lambda: records(chain, "movement"))
    (booked,) = [each for each in movements if each.get("supersedes") == proposal.id]
    assert (booked["kind"], booked["reason"], booked["quantity"]) == ("adjustment", "missing", 2)
    assert booked["actor"] == "max"
    told = json.loads(await shelfgate(chain, "count", "status", "--json"))
    assert (told["state"], told["proposals"]) == ("done", [])
    await heals(chain, item, there)


async def heals(chain: Chain, item: str, there: int) -> None:
    """The core never had the two too many, so its book lacks them now: a digest tells."""

    def differs() -> list[Proposal]:
        open_ones = proposed(chain, "reconcile")()
        return [each for each in open_ones if _line(each)[:2] == [there - 2, there]]

    (proposal,) = await until(chain, differs)
    await shelfgate(chain, "approve", proposal.id, "--actor", "eva")
    place = (PLACE, item)
    await until(chain, lambda: chain.core.desk.book.stock().get(place) == there)
    assert await held(chain, item) == there
    await until(chain, lambda: not chain.core.desk.book.digests.all())
    assert chain.statuses["rejected"] == 0


def _line(proposal: Proposal) -> list[int]:
    (line,) = json.loads(proposal.body)["lines"]
    return [line["expected"], line["found"]]
