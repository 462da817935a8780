"""The command line: `shelfgate COMMAND`. Each command is a module of its own, imported when asked
for, so that the daemon's start pays for nothing that it does not use.
"""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Sequence

from gateway.cli.exits import OK, USAGE

COMMANDS = {
    "run": "run the gateway until it is stopped",
    "check": "check the configuration; --connect also asks the devices and the broker",
    "doctor": "look for what is wrong, and name the fix",
    "status": "how the running gateway is",
    "stock": "what locations hold, the core's book of it, and when it runs out",
    "command": "let the running gateway do something: tare, zero, snapshot, requeue, replay-from",
    "proposals": "what waits for an answer before it is booked",
    "approve": "answer a proposal: approve or refuse it",
    "alert": "what needs a person, and to say that one has seen it: ls, ack",
    "why": "why a record says what it says: readings, rule, thresholds, task, core's document",
    "wrong": "a movement did not happen as it was told: take it back, and remember it",
    "count": "have the stock counted: start, status, approve, difference",
    "task": "the open tasks, and to take one back: ls, show, cancel",
    "record": "record what the running gateway observes",
    "replay": "decide a recording again",
    "store": "look into the ledger: status, ls, show, requeue, verify",
    "epc": "what a tag says and whose it is: decode, quarantine",
    "drivers": "the installed drivers and rules, and what they can be told",
    "version": "the installed release",
}
"""What there is, and what it does in a line. The module has the name of the command."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; ends by SystemExit."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = given[0] if given else "--help"
    if name in {"--help", "-h", "help"}:
        sys.stdout.write(_overview())
        sys.exit(OK if given else USAGE)
    if name == "--version":
        name = "version"
    if name not in COMMANDS:
        close = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        sys.stderr.write(f"shelfgate: no command {name!r}{hint}\n\n{_overview()}")
        sys.exit(USAGE)
    if name == "run":
        _import_structlog_without_rich()
    importlib.import_module(f"gateway.cli.{name}").main(given[1:])


def _import_structlog_without_rich() -> None:
    """Spare the daemon 6 MB: structlog takes rich for its tracebacks where it can, unasked."""
    sys.modules["rich"] = None  # type: ignore[assignment] # None is how Python says "not to be had"
    try:
        importlib.import_module("structlog")
    finally:
        del sys.modules["rich"]


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {what}" for name, what in COMMANDS.items()]
    return "\n".join(
        [
            "usage: shelfgate COMMAND [--help]",
            "",
            *lines,
            "",
            "exit codes: 0 well, 1 a problem was found, 2 wrong usage, 70 a bug, 74 the disk,",
            "            78 the configuration",
            "",
        ]
    )
