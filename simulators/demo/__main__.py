"""Show the main job live: `python -m simulators.demo` (scripts/demo sets up what it needs)."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import shutil
import sys
import tempfile
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from simulators.broker import demo_broker, find_mosquitto
from simulators.demo.chain import Chain, Mode, run_chain
from simulators.demo.days import Days
from simulators.demo.result import passed, summarise
from simulators.world.score import MATCH_WITHIN_S, judge

SETTLE_S = 2.0
"""After the last act is found: time for a wrong movement to show itself."""

LONGER_S = 60.0
"""So much longer than asked people may take to finish what is in hand."""


def parse(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="A simulated warehouse, the real gateway, a broker and a core, live.",
    )
    parser.add_argument("--seconds", type=float, default=90.0, help="how long people work")
    parser.add_argument(
        "--mistakes", type=float, default=0.4, help="share of orders that go wrong, 0 to 1"
    )
    parser.add_argument("--seed", type=int, default=7, help="one seed, one world")
    parser.add_argument(
        "--gateways",
        type=int,
        choices=(1, 2),
        default=1,
        help="with 2, another one watches the dock, where things go to",
    )
    parser.add_argument(
        "--kill", action="store_true", help="kill -9 the gateway in the middle of an order"
    )
    parser.add_argument("--json", action="store_true", help="no feed; one JSON object at the end")
    parser.add_argument("--broker", help="use this broker: mqtt://HOST:PORT, mqtt311:// for 3.1.1")
    parser.add_argument("--keep", type=Path, help="keep configuration, databases and log here")
    options = parser.parse_args(words)
    if not 1 <= options.seconds <= 86_400:
        parser.error("--seconds is 1 to 86400")
    if not 0 <= options.mistakes <= 1:
        parser.error("--mistakes is 0 to 1")
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
    await chain.start_dock()
    await chain.ready()
    say("demo", "the gateway has found the stock; people start to work")
    days = Days(chain, options.seed, wrong=options.mistakes, kill=options.kill)
    task = asyncio.create_task(days.work(options.seconds), name="people")
    await chain.wait_until(task.done, options.seconds + LONGER_S)
    await task
    say("demo", "people go home; waiting for what is under way")
    await chain.wait_until(lambda: _all_told(chain), MATCH_WITHIN_S)
    await chain.wait_until(lambda: False, SETTLE_S)
    await chain.stop_daemon()
    await chain.stop_dock()
    if options.keep is not None:
        chain.truth.write(chain.folder / "truth.jsonl", chain.world.acts)
    return await summarise(chain, options.seed, options.seconds, broker)


def _all_told(chain: Chain) -> bool:
    """Whether the core knows of every act, and what became of every line."""
    missed = judge(chain.world.acts, chain.booked).missed
    return not missed and chain.truth.lines.keys() <= chain.confirmed.keys()


async def run(options: argparse.Namespace) -> int:
    """Run the demo; return the exit code."""
    folder = options.keep or Path(tempfile.mkdtemp(prefix="shelfgate-demo-"))
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    mode = Mode(by_order=True, gateways=options.gateways)
    try:
        async with (
            _broker(options.broker) as (url, broker),
            run_chain(folder, options.seed, url, quiet=options.json, mode=mode) as chain,
        ):
            result = await work(chain, options, broker)
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    good = passed(result)
    text = json.dumps(result) if options.json else _table(result, good=good)
    if options.keep is not None and chain.document_no and not options.json:
        config = chain.config.relative_to(folder)
        text += f"\n\n  in {folder}:\n  shelfgate why {chain.document_no} --config {config}"
    sys.stdout.write(text + "\n")
    return 0 if good else 1


def _table(result: dict[str, Any], *, good: bool) -> str:
    found = result["true_movements"] - result["missed"]
    work, transfers, lights = result["work"], result["transfers"], result["lights"]
    rows = {
        "true acts": f"{result['true_movements']}, found {found}, missed {result['missed']}",
        "movements": f"{result['published']}, wrong {result['wrong']}, "
        f"unresolved {result['unresolved']}",
        "order lines": f"{work['lines']}, confirmed as they were {work['lines_exact']}",
        "pick lights": f"looked at {lights['looks']} times, right {lights['right']} times",
        "mistakes": f"{work['mistakes']}, told {work['mistakes_told']}, "
        f"median {work['told_ms']['p50']} ms after, false alerts {work['alerts_false']}",
        "people": f"{work['acts_named']} acts named, {work['acts_nameless']} left nameless, "
        f"{work['acts_misnamed']} misnamed",
        "transfers": f"{transfers['true']}, paired {transfers['paired']}",
        "alerts": ", ".join(f"{times} {code}" for code, times in result["alerts"].items())
        or "none",
        "in the core": f"{result['settled']}, lost {result['lost']}, "
        f"duplicated {result['duplicated']}, pieces off {result['stock_error']} "
        f"({result['stock_unexplained']} unexplained)",
        "act to booking": f"median {result['latency_ms']['p50']} ms, "
        f"99 % {result['latency_ms']['p99']} ms",
    }
    lines = [line for name, text in rows.items() for line in _row(name, text)]
    return "\n".join(["", *lines, "", "  passed" if good else "  FAILED"])


def _row(name: str, text: str) -> list[str]:
    """A row of the table, in lines that no terminal breaks."""
    first, *rest = textwrap.wrap(text, 62)
    return [f"  {name:<16}{first}", *(f"{18 * ' '}{line}" for line in rest)]


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
