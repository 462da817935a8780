"""Verdicts in a file, one JSON line each as it comes: a run that breaks off is not lost.

A line counts for the code that wrote it alone: it carries a digest of all sources that decide
what a world is, what the methods make of it and how they are scored.
"""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.bench.judging.run import Verdict, World
from tests.bench.judging.score import Tally

ROOT = Path(__file__).resolve().parents[3]

SOURCES = (
    "gateway/**/*.py",
    "rules/**/*.py",
    "drivers/llrp/reader_time.py",
    "simulators/world/**/*.py",
    "tests/bench/baselines/*.py",
    *(
        f"tests/bench/judging/{name}.py"
        for name in (
            "causes",
            "claims",
            "methods",
            "ours",
            "questions",
            "reader_clock",
            "run",
            "score",
        )
    ),
)


@cache
def version() -> str:
    """Digest of the sources, the Python and the machine that a verdict depends on."""
    digest = sha256(f"{platform.machine()} {platform.python_version()}".encode())
    sources = {path for pattern in SOURCES for path in ROOT.glob(pattern)}
    for path in sorted(path for path in sources if not path.name.startswith("test_")):
        digest.update(f"\n{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def write(path: Path, verdict: Verdict) -> None:
    """Append one verdict; what was cut off before it stays a line of its own."""
    world = verdict.world
    told = {
        "version": version(),
        "world": [world.family, world.level, world.seed, world.length_s],
        "methods": world.methods,
        "seconds": verdict.seconds,
        "made_s": verdict.made_s,
        "site": verdict.site,
        "tallies": {name: _told(tally) for name, tally in verdict.tallies.items()},
    }
    with path.open("a+b") as file:
        cut_off = file.tell() > 0 and file.seek(-1, 2) >= 0 and file.read(1) != b"\n"
        file.write(b"\n" * cut_off + json.dumps(told).encode() + b"\n")


def read(path: Path, worlds: Iterable[World]) -> Iterator[Verdict]:
    """Those of the worlds that the file knows by this code, with all that is asked of them."""
    known: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for line in path.read_bytes().splitlines() if path.exists() else ():
        told = _line(line)
        if told.get("version") == version():
            known.setdefault(tuple(told["world"]), []).append(told)
    for world in worlds:
        for told in known.get((world.family, world.level, world.seed, world.length_s), ()):
            if {*world.methods} <= {*told["methods"]}:
                yield _verdict(world, told)
                break


def _line(line: bytes) -> dict[str, Any]:
    """A line's object; empty if it was cut off."""
    try:
        told: dict[str, Any] = json.loads(line)
    except ValueError:
        return {}
    return told


def _verdict(world: World, told: dict[str, Any]) -> Verdict:
    names = [name for name in world.methods if name in told["tallies"]]
    tallies = {name: _tally(told["tallies"][name]) for name in names}
    seconds = {name: told["seconds"][name] for name in names}
    return Verdict(world, tallies, told["site"], seconds, told["made_s"])


def _told(tally: Tally) -> dict[str, Any]:
    return {
        "counts": tally.counts,
        "delays_in_s": tally.delays_in_s,
        "delays_out_s": tally.delays_out_s,
        "trust": tally.trust,
    }


def _tally(told: dict[str, Any]) -> Tally:
    trust = [(permille, right) for permille, right in told["trust"]]
    return Tally(Counter(told["counts"]), told["delays_in_s"], told["delays_out_s"], trust)
