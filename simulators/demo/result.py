"""The figures of one run: the world's acts against the core's stock and movements."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

from simulators.demo.chain import Chain
from simulators.world.layout import CARTON, HALL
from simulators.world.score import judge, percentile

WRONG_MAX_SHARE = 0.05
UNRESOLVED_MAX_SHARE = 0.05
"""What a run may miss, get wrong, or leave open, of the true acts."""


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


async def summarise(chain: Chain, seed: int, seconds: float, broker: str) -> dict[str, Any]:
    """The result object of a finished run."""
    score = judge(chain.acts_watched, chain.booked)
    decided = decided_movements(chain.folder)
    accepted = Counter(accepted_movements(chain.folder))
    lost = [identity for identity in decided.values() if identity not in accepted]
    duplicated = sum(count - 1 for count in accepted.values())
    latencies = score.latencies_s
    p50, p99 = percentile(latencies, 0.5), percentile(latencies, 0.99)
    return {
        "seed": seed,
        "seconds": seconds,
        "broker": broker,
        "mqtt": chain.version,
        "true_movements": len(chain.acts_watched),
        "published": len(chain.booked),
        "settled": sum(accepted.values()),
        "missed": len(score.missed),
        "wrong": len(score.wrong),
        "unresolved": chain.unresolved,
        "lost": len(lost),
        "duplicated": duplicated,
        "redelivered": chain.statuses["duplicate"],
        "stock_error": await stock_error(chain),
        "latency_ms": {
            "p50": None if p50 is None else round(p50 * 1000),
            "p99": None if p99 is None else round(p99 * 1000),
        },
    }


async def stock_error(chain: Chain) -> int:
    """Sum of |core - truth| over cells and items, and of the change in the hall."""
    stock = await chain.core.stock()
    error = 0
    for location, spot in chain.world.spots.items():
        true = len(chain.world.stock(location))
        error += abs(_quantity(stock, location, spot.ware.code) - true)
    moved = sum(
        act.quantity * (1 if act.target == HALL else -1)
        for act in chain.world.acts
        if CARTON.code == act.item
    )
    return error + abs(_quantity(stock, HALL, CARTON.code) - moved)


def _quantity(stock: Any, location: str, item: str) -> int:
    return int(stock.get((location, item), 0))


def passed(result: dict[str, Any]) -> bool:
    """Whether the run is good enough to exit with 0."""
    acts = result["true_movements"]
    return bool(
        result["lost"] == 0
        and result["duplicated"] == 0
        and acts > 0
        and result["missed"] + result["wrong"] <= WRONG_MAX_SHARE * acts
        and result["unresolved"] <= UNRESOLVED_MAX_SHARE * acts
    )
