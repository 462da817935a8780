"""Decide on proposals: `python -m simulators.core proposal --db FILE ls|approve|refuse`.

A core that runs on that book tells the gateway within a second; another one does when it starts.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from simulators.core.book import Book
from simulators.core.proposals import APPROVE, REFUSE, Proposal, ProposalRefusedError


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m simulators.core proposal", description=__doc__)
    parser.add_argument("--db", type=Path, required=True, help="the core's SQLite file")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    acts = parser.add_subparsers(dest="act", required=True)
    acts.add_parser("ls", help="all proposals")
    for act, does in ((APPROVE, "let the gateway book it"), (REFUSE, "let it book nothing")):
        answer = acts.add_parser(act, help=does)
        answer.add_argument("proposal", help="its id")
        answer.add_argument("--actor", default="", help="who decides")
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Carry out one act; the exit code is 1 if the book refuses it."""
    options = arguments(words)
    with contextlib.closing(Book(options.db)) as book:
        if options.act != "ls":
            try:
                approved = options.act == APPROVE
                book.answer(options.proposal, approved=approved, actor=options.actor)
            except ProposalRefusedError as error:
                sys.stderr.write(f"{error}\n")
                return 1
        for each in book.proposals.all():
            if options.act == "ls" or each.id == options.proposal:
                for line in _text(each, as_json=options.json):
                    sys.stdout.write(line + "\n")
    return 0


def _text(proposal: Proposal, *, as_json: bool) -> Iterator[str]:
    body = json.loads(proposal.body)
    if as_json:
        yield json.dumps(proposal._asdict() | {"body": body}, ensure_ascii=False)
        return
    answer = f", the core says {proposal.answer}" if proposal.answer else ""
    yield (
        f"{proposal.id}  {proposal.kind} at {proposal.location} of {proposal.gateway}:"
        f" {proposal.closed or 'open'}{answer}"
    )
    for line in body["lines"]:
        reason = line.get("reason", "")
        told = f"  {line['item']}  {line['expected']} expected, {line['found']} found  {reason}"
        yield told.rstrip()
