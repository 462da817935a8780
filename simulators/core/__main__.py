"""Run the reference core: `python -m simulators.core --broker mqtt://127.0.0.1:1883 --db FILE`.

`python -m simulators.core order --db FILE put|withdraw|ls` takes orders into the book of a core,
which issues them if it runs (simulators.core.order); `python -m simulators.core proposal --db FILE
ls|approve|refuse` decides on what gateways propose (simulators.core.proposal); `python -m
simulators.core transfers --db FILE` lists what two gateways saw the halves of.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

from simulators.core import order, proposal, transfers
from simulators.core.book import Book
from simulators.core.contract import DEFAULT_PREFIX, load_contract
from simulators.core.desk import Desk, Report
from simulators.core.feed import json_line, text_line
from simulators.core.record import Rules
from simulators.core.service import Connection, Core

VERSIONS = {"5": 5, "3.1.1": 4}
STOP_PAUSE_S = 1.0


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m simulators.core", description=__doc__)
    add = parser.add_argument
    add("--broker", default="mqtt://127.0.0.1:1883", help="mqtt://HOST:PORT")
    add("--mqtt", choices=VERSIONS, default="5", help="protocol version")
    add("--db", type=Path, required=True, help="SQLite file; made when it is absent")
    add("--prefix", default=DEFAULT_PREFIX, help="topic prefix")
    add("--site", required=True, help="name of the site")
    add("--gateway", action="append", default=[], help="serve it before it was heard (repeatable)")
    add("--reference", type=Path, help='JSON to issue: {"item": [...], "task": [...], ...}')
    add("--strict", action="store_true", help="reject items and locations that were not issued")
    add("--books", action="store_true", help="issue the book of a location as it changes")
    add("--reject", action="append", default=[], metavar="ITEM", help="reject its movements")
    add("--lose", type=int, default=0, metavar="N", help="first forget the last N records")
    add("--seed", type=int, default=os.getpid(), help="for request ids and back-off")
    add("--json", action="store_true", help="one JSON object a line")
    return parser.parse_args(words)


def rules(options: argparse.Namespace) -> Rules:
    """What the options ask to reject."""

    def reject(data: Mapping[str, Any]) -> str | None:
        blocked = data["event"] == "movement" and data["item"] in options.reject
        return f"item is blocked: {data['item']}" if blocked else None

    return Rules(options.strict, reject)


async def serve(options: argparse.Namespace, book: Book) -> None:
    """Serve until told to stop."""
    random = Random(options.seed)
    line = json_line if options.json else text_line
    contract = load_contract(options.prefix)
    desk = Desk(book, contract, options.site, random, options.gateway)
    desk.tells_books = options.books
    if options.reference:
        for kind, bodies in json.loads(options.reference.read_text("utf-8")).items():
            for body in bodies:
                desk.put(kind, body.get("code", body.get("task_id")), body)
    broker = urlsplit(options.broker)
    connection = Connection(
        broker.hostname or "127.0.0.1",
        broker.port or 1883,
        VERSIONS[options.mqtt],
        f"shelfgate-core-{options.site}",
    )

    def tell(report: Report) -> None:
        sys.stdout.write(line(report) + "\n")
        sys.stdout.flush()

    core = Core(desk, connection, random, tell)
    serving = asyncio.ensure_future(core.run())
    stopped = asyncio.Event()
    for stop in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(stop, stopped.set)
    stopping = asyncio.ensure_future(stopped.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    while not serving.done():
        serving.cancel()  # again if need be: wait_for, in aiomqtt, can swallow one
        await asyncio.wait({serving}, timeout=STOP_PAUSE_S)
    if not serving.cancelled():
        serving.result()


def main() -> None:
    """Entry point."""
    if sys.argv[1:2] == ["order"]:
        sys.exit(order.main(sys.argv[2:]))
    if sys.argv[1:2] == ["proposal"]:
        sys.exit(proposal.main(sys.argv[2:]))
    if sys.argv[1:2] == ["transfers"]:
        sys.exit(transfers.main(sys.argv[2:]))
    options = arguments()
    with contextlib.closing(Book(options.db, rules(options))) as book:
        if options.lose:
            book.lose(options.lose)
        asyncio.run(serve(options, book))


if __name__ == "__main__":
    main()
