"""Show the main job live: `python -m simulators.demo` (scripts/demo sets up what it needs)."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from simulators.broker import demo_broker, find_mosquitto
from simulators.demo.chain import Chain, run_chain
from simulators.demo.result import passed, summarise
from simulators.world.people import Crew
from simulators.world.score import MATCH_WITHIN_S, judge

SETTLE_S = 2.0
"""After the last act is found: time for a wrong movement to show itself."""


def parse(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="A simulated warehouse, the real gateway, a broker and a core, live.",
    )
    parser.add_argument("--seconds", type=float, default=90.0, help="how long people work")
    parser.add_argument("--seed", type=int, default=7, help="one seed, one world")
    parser.add_argument("--json", action="store_true", help="no feed; one JSON object at the end")
    parser.add_argument("--broker", help="use this broker: mqtt://HOST:PORT, mqtt311:// for 3.1.1")
    parser.add_argument("--keep", type=Path, help="keep configuration, databases and log here")
    options = parser.parse_args(words)
    if not 1 <= options.seconds <= 86_400:
        parser.error("--seconds is 1 to 86400")
    return options


@asynccontextmanager
async def _broker(url: str | None) -> AsyncIterator[tuple[str, str]]:
    """The broker's URL and what it is."""
    if url is not None:
        yield url, url
    elif find_mosquitto() is not None:
        async with demo_broker() as found:
            yield found, "mosquitto"
    else:
        async with demo_broker() as found:
            yield found.replace("mqtt://", "mqtt311://"), "embedded"


async def work(chain: Chain, options: argparse.Namespace, broker: str) -> dict[str, Any]:
    """Let people work, wait for what is under way, and judge."""
    say = chain.feed.say
    say("demo", f"seed {options.seed}, broker {broker} (MQTT {chain.version}), {chain.folder}")
    await chain.start_daemon()
    await chain.ready()
    say("demo", "the gateway has found the stock; people start to work")
    crew = Crew(chain.world, Random(f"people {options.seed}"), chain.watch_act)
    work_until_s = chain.world.now() + options.seconds
    task = asyncio.create_task(crew.work(work_until_s), name="people")
    await chain.wait_until(task.done, options.seconds + 30)
    await task
    say("demo", "people stop; waiting for what is under way")
    await chain.wait_until(lambda: not judge(chain.world.acts, chain.booked).missed, MATCH_WITHIN_S)
    await chain.wait_until(lambda: False, SETTLE_S)
    await chain.stop_daemon()
    return await summarise(chain, options.seed, options.seconds, broker)


async def run(options: argparse.Namespace) -> int:
    """Run the demo; return the exit code."""
    folder = options.keep or Path(tempfile.mkdtemp(prefix="shelfgate-demo-"))
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        async with (
            _broker(options.broker) as (url, broker),
            run_chain(folder, options.seed, url, quiet=options.json) as chain,
        ):
            result = await work(chain, options, broker)
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    good = passed(result)
    text = json.dumps(result) if options.json else _table(result, good=good)
    sys.stdout.write(text + "\n")
    return 0 if good else 1


def _table(result: dict[str, Any], *, good: bool) -> str:
    found = result["true_movements"] - result["missed"]
    rows = {
        "true acts": f"{result['true_movements']}, found {found}, missed {result['missed']}",
        "movements": f"{result['published']}, wrong {result['wrong']}, "
        f"unresolved {result['unresolved']}",
        "alerts": ", ".join(f"{times} {code}" for code, times in result["alerts"].items())
        or "none",
        "in the core": f"{result['settled']}, lost {result['lost']}, "
        f"duplicated {result['duplicated']}, pieces off {result['stock_error']} "
        f"({result['stock_unexplained']} unexplained)",
        "act to booking": f"median {result['latency_ms']['p50']} ms, "
        f"99 % {result['latency_ms']['p99']} ms",
    }
    lines = [f"  {name:<16}{text}" for name, text in rows.items()]
    return "\n".join(["", *lines, "", "  passed" if good else "  FAILED"])


def main() -> None:
    """Entry point."""
    logging.basicConfig(level=logging.ERROR)
    options = parse()
    try:
        code = asyncio.run(run(options))
    except KeyboardInterrupt:
        code = 130
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        code = 1
    sys.exit(code)


if __name__ == "__main__":
    main()
