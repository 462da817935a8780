"""The figures of one run: the world's acts against the core's stock and movements.

What the gateway's own ledger says is one figure of these, and decides nothing.

    seed, seconds      which world, and how long people worked in it
    broker, mqtt       which broker, and the version of MQTT spoken with it
    true_movements     acts that changed stock, as the world knows them
    published          distinct movements that a listener at the broker saw the gateway publish
    settled            movements that the core holds, each counted as often as it booked it
    missed             acts without a movement booked within 30 s; see `simulators.world.score`
    wrong              movements that the core booked and that no act answers to
    unresolved         "something moved, not clear what" that the core was told
    alerts             how often alerts of each code were raised
    lost               records that the gateway announced at the broker and the core does not hold:
                       movements published and not accepted, and numbers up to the last announced
                       that are missing in its book
    ledger_lost        movements in the gateway's ledger that the core does not hold, for comparison
    duplicated         movements that the core booked more than once
    redelivered        records that came to the core again, and were booked once
    stock_error        pieces that the core's stock is off the world's, over places and items
    stock_unexplained  pieces of these that the acts missed and the movements wrong do not explain
    latency_ms         from an act to its booking in the core, median and 99 %
    transfers          from one gateway's sight to another's: those that truly were, and those that
                       the core paired out of the halves
    lights             looks at pick lights before a hand was in a cell, and how many of them showed
                       what was truly still to be taken, put or put back there, and how many
    work               orders, mistakes and people: see `simulators.demo.work`
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

from simulators.demo.chain import Chain
from simulators.demo.work import judge_work
from simulators.world.layout import BEHIND, CARTON
from simulators.world.score import Place, judge, percentile, unexplained
from simulators.world.world import OUTSIDE

WRONG_MAX_SHARE = 0.05
UNRESOLVED_MAX_SHARE = 0.05
"""What a run may miss, get wrong, or leave open, of the true acts."""

ARRIVE_WITHIN_S = 5.0
"""After the daemon has stopped: time for what is still at the broker to be booked."""


def decided_movements(folder: Path) -> dict[int, str]:
    """The movements that the gateway decided: seq to movement_id, from its ledger file."""
    ledger = sqlite3.connect(f"file:{folder}/state/shelfgate.db?mode=ro", uri=True)
    try:
        rows = ledger.execute(
            "SELECT json_extract(body, '$.seq'), json_extract(body, '$.movement_id') "
            "FROM ledger WHERE kind = 'movement'"
        )
        return dict(rows.fetchall())
    finally:
        ledger.close()


def accepted_movements(folder: Path) -> list[str]:
    """The movement_ids that the core booked, each as often as it did."""
    book = sqlite3.connect(f"file:{folder}/core.db?mode=ro", uri=True)
    try:
        rows = book.execute(
            "SELECT json_extract(body, '$.movement_id') FROM record "
            "WHERE status = 'accepted' AND json_extract(body, '$.event') = 'movement'"
        )
        return [row[0] for row in rows]
    finally:
        book.close()


def held_records(folder: Path) -> dict[tuple[str, int], str]:
    """The status of each record that the core has, by epoch and seq."""
    book = sqlite3.connect(f"file:{folder}/core.db?mode=ro", uri=True)
    try:
        rows = book.execute("SELECT epoch, seq, status FROM record WHERE status != 'gap'")
        return {(epoch, seq): status for epoch, seq, status in rows}
    finally:
        book.close()


async def lost_records(chain: Chain) -> set[tuple[str, int]]:
    """What was announced and is not in the core, when all that is under way has arrived."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + ARRIVE_WITHIN_S
    while lost := chain.listener.lost(held_records(chain.folder)):
        if loop.time() >= deadline:
            break
        await asyncio.sleep(0.1)
    return lost


async def summarise(chain: Chain, seed: int, seconds: float, broker: str) -> dict[str, Any]:
    """The result object of a finished run; see the module for what each figure means."""
    lost = await lost_records(chain)
    score = judge(chain.world.acts, chain.booked)
    accepted = Counter(accepted_movements(chain.folder))
    decided = [*decided_movements(chain.folder).values()]
    if chain.dock_config is not None:
        decided += decided_movements(chain.dock_config.parent).values()
    difference = await stock_difference(chain)
    latencies = score.latencies_s
    p50, p99 = percentile(latencies, 0.5), percentile(latencies, 0.99)
    return {
        "seed": seed,
        "seconds": seconds,
        "broker": broker,
        "mqtt": chain.version,
        "true_movements": len(chain.world.acts),
        "published": len(set(chain.listener.movements.values())),
        "settled": sum(accepted.values()),
        "missed": len(score.missed),
        "wrong": len(score.wrong),
        "unresolved": chain.unresolved,
        "alerts": {code: times for code, times in sorted(chain.raised.items()) if times},
        "lost": len(lost),
        "ledger_lost": sum(identity not in accepted for identity in decided),
        "duplicated": sum(count - 1 for count in accepted.values()),
        "redelivered": chain.statuses["duplicate"],
        "stock_error": sum(map(abs, difference.values())),
        "stock_unexplained": unexplained(difference, score),
        "latency_ms": {
            "p50": None if p50 is None else round(p50 * 1000),
            "p99": None if p99 is None else round(p99 * 1000),
        },
        "transfers": {"true": chain.truth.transfers, "paired": chain.transfers},
        "lights": {
            "looks": len(chain.truth.looks),
            "right": sum(look.right for look in chain.truth.looks),
        },
        "work": judge_work(chain.truth, chain.confirmed, chain.told, score),
    }


async def stock_error(chain: Chain) -> int:
    """Pieces that the core's stock is off the world's, over all places and items."""
    return sum(map(abs, (await stock_difference(chain)).values()))


async def stock_difference(chain: Chain) -> dict[Place, int]:
    """Core less truth, where they differ; behind gates, which have no first count, the change."""
    true: Counter[Place] = Counter()
    for location, spot in chain.world.spots.items():
        true[location, spot.ware.code] = len(chain.world.stock(location))
    for act in chain.world.acts:
        for behind in BEHIND.values() if act.item == CARTON.code else ():
            true[behind, act.item] += act.quantity * (act.target == behind)
            true[behind, act.item] -= act.quantity * (act.source == behind)
    stock = await chain.core.stock()
    told = {place: int(quantity) for place, quantity in stock.items() if place[0] != OUTSIDE}
    places = true.keys() | told.keys()
    difference = {place: told.get(place, 0) - true[place] for place in places}
    return {place: pieces for place, pieces in difference.items() if pieces}


def passed(result: dict[str, Any]) -> bool:
    """Whether the run is good enough to exit with 0."""
    acts, work, lights = result["true_movements"], result["work"], result["lights"]
    return bool(
        result["lost"] == 0
        and result["duplicated"] == 0
        and result["stock_unexplained"] == 0
        and acts > 0
        and result["missed"] + result["wrong"] <= WRONG_MAX_SHARE * acts
        and result["unresolved"] <= UNRESOLVED_MAX_SHARE * acts
        and result["transfers"]["true"] == result["transfers"]["paired"]
        and lights["looks"] - lights["right"] <= WRONG_MAX_SHARE * lights["looks"]
        and work["acts_misnamed"] == 0
        and work["lines"] - work["lines_exact"] <= WRONG_MAX_SHARE * work["lines"]
        and work["mistakes"] == work["mistakes_told"]
    )
