"""Take orders into the book of a core: `python -m simulators.core order --db FILE put|withdraw|ls`.

A core that runs on that book issues them within a second; another one does when it starts.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulators.core.book import Book
from simulators.core.contract import ContractError, load_contract
from simulators.core.orders import OrderLine, OrderRefusedError


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m simulators.core order", description=__doc__)
    parser.add_argument("--db", type=Path, required=True, help="the core's SQLite file")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    acts = parser.add_subparsers(dest="act", required=True)
    put = acts.add_parser("put", help="take an order, or amend it while it is not confirmed")
    add = put.add_argument
    add("task", help="id of its task")
    add("--type", default="issue", help="issue, receipt, transfer, return or put_away")
    add("--system", default="erp", help="of the order")
    add("--order-type", default="sales", help="of the order")
    add("--number", required=True, help="of the order")
    add("--line", help="of the order")
    add("--item", required=True)
    add("--quantity", required=True, help="a whole number or a decimal")
    add("--uom", help="unit of the quantity, if it is not that of the item")
    add("--from", dest="source", metavar="LOCATION")
    add("--to", dest="target", metavar="LOCATION")
    add("--lot")
    add("--serial", action="append", metavar="EPC", help="that it must be (repeatable)")
    add("--pieces", type=int, metavar="N", help="tolerance in pieces")
    add("--permille", type=int, metavar="N", help="tolerance in thousandths")
    add("--policy", help="flexible, warning or strict")
    add("--gateway", default="", help="the only one to tell: it sees the places (default: all)")
    add("--priority", type=int)
    add("--due", metavar="TIME", help="RFC 3339 in UTC")
    add("--timeout-s", type=int, metavar="S")
    withdraw = acts.add_parser("withdraw", help="take an order back that is not confirmed")
    withdraw.add_argument("task", help="id of its task")
    acts.add_parser("ls", help="all order lines")
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Carry out one act; the exit code is 1 if the book refuses it."""
    options = arguments(words)
    with contextlib.closing(Book(options.db)) as book:
        try:
            if options.act == "put":
                task = task_of(options)
                load_contract().validate("task", dict(task, version=1))
                book.order(task, options.gateway)
            elif options.act == "withdraw":
                book.withdraw(options.task)
        except (OrderRefusedError, ContractError) as error:
            sys.stderr.write(f"{error}\n")
            return 1
        for line in book.orders.lines():
            if options.act == "ls" or line.task == options.task:
                sys.stdout.write(_text(line, as_json=options.json) + "\n")
    return 0


def task_of(options: argparse.Namespace) -> dict[str, Any]:
    """The task that the options of `put` ask for, without its version."""
    order = {"system": options.system, "type": options.order_type, "number": options.number}
    tolerance = {"pieces": options.pieces, "permille": options.permille}
    task = {
        "task_id": options.task,
        "type": options.type,
        "order": order | ({"line": options.line} if options.line else {}),
        "item": options.item,
        "quantity": int(options.quantity) if options.quantity.isdecimal() else options.quantity,
        "uom": options.uom,
        "from": options.source and {"location": options.source},
        "to": options.target and {"location": options.target},
        "lot": options.lot,
        "serials": options.serial,
        "tolerance": {name: n for name, n in tolerance.items() if n is not None} or None,
        "policy": options.policy,
        "priority": options.priority,
        "due": options.due,
        "timeout_s": options.timeout_s,
    }
    return {name: value for name, value in task.items() if value is not None}


def _text(line: OrderLine, *, as_json: bool) -> str:
    if as_json:
        told = line._asdict()
        return json.dumps(told | {"body": json.loads(line.body)}, ensure_ascii=False)
    number = "/".join(filter(None, (line.number, line.line)))
    end = f"{line.done} done, {line.backorder} left {line.exception or ''}".rstrip()
    return (
        f"{line.task}  {line.system} {number}  {line.asked} {line.item} from {line.source}"
        f"  {line.state}: {end}"
    )
