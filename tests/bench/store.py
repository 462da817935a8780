"""Bench `store`: movements booked per second, and bytes written for each.

Each movement is one turn: a record of at least 900 bytes, two rows of rule state (one of 64 cells,
one of 1,000 tags) and an evidence row of about 500 bytes; a tenth of the way in all of them exist.
File bytes are what the process handed to write(2) (`wchar` of /proc/self/io), checkpoints included;
device bytes are the pages that these dirtied (`write_bytes`).

`real` are turns of the default rules at simulated shelves with both senses (`real_turns`): several
a movement, since its tags, its naming and what waits for them are turns of their own. The batch
counts turns there, too.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from gateway.clock import BootClock, WallClock, boot_id
from gateway.model import Evidence, Movement, OrderReference
from gateway.outcome import EvidenceRow, Outcome
from gateway.ports import Row
from gateway.store import Clocks, Identity, Result, Store
from gateway.store.database import Opening
from tests.bench.real_turns import movements_in, real_turns
from tests.bench.report import finish, metric

BODY_MIN_BYTES = 900
MOVEMENTS_BATCHED = 3_000
MOVEMENTS_NATURAL = 15_000
NATURAL_RUNS = 3
"""The fastest counts: whatever else the machine does only makes it slower."""

KEPT_WHEN_SETTLING = 1_000


@dataclass(frozen=True)
class Plan:
    """How to book: so many a commit, each waiting for the last, or with None all at once.

    With `settles` the core then acknowledges each, with its document number, and old ones go.
    """

    batch: int | None
    settles: bool = False


@dataclass(frozen=True)
class Run:
    """What one run came to."""

    movements_per_s: float
    cpu_us: float
    file_bytes: float
    device_bytes: float


def turns(random: Random) -> Iterator[Outcome]:
    """Turns without end, as a busy site makes them."""
    clock = BootClock()
    number = 0
    while True:
        number += 1
        at = clock.now()
        epc = f"3034257bf7194e40{random.randrange(1000):08x}"
        movement = Movement(
            movement_id=f"6f1d3a52-2f0f-5a0e-9a55-{number:012x}",
            kind="issue",
            reason="pick",
            item=f"ITEM-{number % 200:05d}",
            quantity=1 + number % 7,
            uom="pcs",
            from_location=f"hall-2/rack-{number % 40:02d}/shelf-{number % 16:02d}",
            to_location="hall-2/assembly/station-07",
            at_event=at - 2_000_000_000,
            at_decided=at - 1_000_000,
            confidence_permille=987,
            evidence=Evidence(
                reads=46,
                antennas=("dock-reader-01:1", "dock-reader-01:2"),
                rssi_cdbm=-5_420,
                weight_before_mg=5_310_000,
                weight_after_mg=5_270_000,
                sd_mg=900,
            ),
            epcs=(epc, f"{epc[:-2]}fe", f"{epc[:-2]}ff"),
            lot="LOT-2026-114",
            order=OrderReference("erp", "production", f"47{number:08d}", "10"),
            actor="badge-0017",
        )
        yield Outcome(
            at,
            (movement,),
            puts=(
                ("weight", 1, Row(f"shelf-{number % 64}", _cell(random))),
                ("presence", 1, Row(epc, _tag(random))),
            ),
            evidence=(EvidenceRow(0, {"reads": _reads(random)}),),
        )


def _cell(random: Random) -> dict[str, Any]:
    return {"baseline_g": random.random() * 9000, "sd_g": random.random(), "since": 1 << 40}


def _tag(random: Random) -> dict[str, Any]:
    zone = f"hall-2/rack-{random.randrange(40):02d}"
    return {"zone": zone, "since": random.randrange(1 << 48), "reads": random.randrange(99)}


def _reads(random: Random) -> list[list[int]]:
    return [[random.randrange(1 << 44), random.randrange(4), -5_500, 3] for _ in range(18)]


def written() -> tuple[int, int]:
    """Bytes given to write(2), and bytes of pages dirtied, by this process so far."""
    text = Path("/proc/self/io").read_text(encoding="ascii")
    fields = dict(line.split(": ") for line in text.splitlines())
    return int(fields["wchar"]), int(fields["write_bytes"])


async def measure(movements: int, plan: Plan, opening: Opening | None = None) -> Run:
    """Book that many, after a tenth more that is not measured; the closing checkpoint counts."""
    random = Random(7)
    source = turns(random)
    with tempfile.TemporaryDirectory(prefix="shelfgate-bench-") as folder:
        identity = Identity("bench-gateway-1", "bench", boot_id())
        clocks = Clocks(BootClock(), WallClock())
        store = await Store.open(Path(folder) / "store.db", identity, clocks, opening)
        await _book(store, list(islice(source, movements // 10)), plan)
        made = list(islice(source, movements))
        before, at, cpu = written(), time.perf_counter(), time.process_time()
        await _book(store, made, plan)
        elapsed, cpu = time.perf_counter() - at, time.process_time() - cpu
        body = (await store.records_after(store.last_seq - 1, 1))[0].body
        assert len(body) >= BODY_MIN_BYTES, len(body)
        await store.close()
        after = written()
    return Run(
        movements / elapsed,
        cpu / movements * 1e6,
        (after[0] - before[0]) / movements,
        (after[1] - before[1]) / movements,
    )


async def measure_real(batch: int) -> float:
    """File bytes for each movement of real turns, so many turns a commit."""
    before, turns = real_turns()
    with tempfile.TemporaryDirectory(prefix="shelfgate-bench-") as folder:
        identity = Identity("bench-gateway-1", "bench", boot_id())
        store = await Store.open(
            Path(folder) / "store.db", identity, Clocks(BootClock(), WallClock()), None
        )
        await _book(store, before, Plan(10))
        at = written()[0]
        await _book(store, turns, Plan(batch))
        await store.close()
        return (written()[0] - at) / movements_in(turns)


async def _book(store: Store, made: Sequence[Outcome], plan: Plan) -> None:
    if plan.batch is None:
        futures = [await store.submit((turn,)) for turn in made]
        await asyncio.gather(*futures)
        return
    for start in range(0, len(made), plan.batch):
        done = await (await store.submit(made[start : start + plan.batch]))
        if plan.settles:
            numbers = range(done.first_seq, done.last_seq + 1)
            results = [Result(seq, "accepted", f"MAT-{seq:08d}") for seq in numbers]
            await store.acknowledge(store.epoch.uuid, done.last_seq, results)
            await store.prune(0, KEPT_WHEN_SETTLING)


async def bench() -> dict[str, dict[str, Any]]:
    """All runs; bytes are the same in each, times are those of the fastest."""
    runs = [await measure(MOVEMENTS_NATURAL, Plan(None)) for _ in range(NATURAL_RUNS)]
    natural = max(runs, key=lambda run: run.movements_per_s)
    one = await measure(MOVEMENTS_BATCHED, Plan(1))
    ten = await measure(MOVEMENTS_BATCHED, Plan(10))
    settled = await measure(MOVEMENTS_BATCHED, Plan(10, settles=True))
    real_one, real_ten = await measure_real(1), await measure_real(10)
    return {
        "movements_per_s": metric(natural.movements_per_s, "1/s", at_least=5_000),
        "cpu_per_movement": metric(natural.cpu_us, "us"),
        "commits_per_s_batch_1": metric(one.movements_per_s, "1/s"),
        "file_bytes_per_movement_batch_1": metric(one.file_bytes, "B", must=16_000, aim=10_000),
        "file_bytes_per_movement_batch_10": metric(ten.file_bytes, "B", must=6_000, aim=4_000),
        "file_bytes_per_movement_batch_10_settled_and_pruned": metric(settled.file_bytes, "B"),
        "real_file_bytes_per_movement_batch_1": metric(real_one, "B", must=16_000, aim=10_000),
        "real_file_bytes_per_movement_batch_10": metric(real_ten, "B", must=6_000, aim=4_000),
        "device_bytes_per_movement_batch_1": metric(one.device_bytes, "B"),
        "device_bytes_per_movement_batch_10": metric(ten.device_bytes, "B"),
    }


if __name__ == "__main__":
    finish("store", asyncio.run(bench()))
