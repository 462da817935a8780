"""What two gateways saw the halves of: `python -m simulators.core transfers --db FILE`.

paired     one gateway saw it leave, another saw it come
waiting    the other half may still come: the newest half is not TRANSFER_WITHIN_S later
unpaired   nothing came of it, or it came out of nowhere: an issue or receipt like any other
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

from simulators.core.book import Book
from simulators.core.feed import transfer_text
from simulators.core.halves import TRANSFER_WITHIN_S, Half

STATES = ("paired", "waiting", "unpaired")


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.core transfers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--db", type=Path, required=True, help="the core's SQLite file")
    parser.add_argument("--state", choices=STATES, help="these alone")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """List them; the exit code is 1 if there is no such file."""
    options = arguments(words)
    if not options.db.is_file():
        sys.stderr.write(f"--db: no file {options.db}\n")
        return 1
    with contextlib.closing(Book(options.db)) as book:
        for state, text, told in listed(book):
            if options.state in {None, state}:
                line = json.dumps({"state": state} | told) if options.json else f"{state:<9} {text}"
                sys.stdout.write(line + "\n")
    return 0


def listed(book: Book) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The state of each transfer or half, how it reads, and its fields."""
    for transfer in book.halves.transfers():
        told = transfer._asdict()
        yield "paired", transfer_text(told), told
    newest_ms = book.halves.newest_ms()
    for _, halves in groupby(book.halves.unpaired(), key=lambda half: half.n):
        told = _told([*halves])
        late = newest_ms - told["at_ms"] > TRANSFER_WITHIN_S * 1000
        yield "unpaired" if late else "waiting", _text(told), told


def _told(halves: list[Half]) -> dict[str, Any]:
    """The halves of one movement, as one."""
    total = sum((Decimal(half.quantity) for half in halves), Decimal(0))
    told = halves[0]._asdict() | {"quantity": f"{total:f}"}
    told["epcs"] = [half.epc for half in halves if half.epc]
    return {name: told[name] for name in told if name not in {"n", "epc", "other"}}


def _text(told: dict[str, Any]) -> str:
    way = "out of" if told["way"] == "out" else "into"
    goods = f"{told['quantity']} {told['item']}"
    return f"{goods}  {way} {told['location']}  {told['at']}  past {told['gateway']}"
