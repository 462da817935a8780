"""`shelfgate why`: from a record back to what was seen, and forward to the core's document."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Annotated, Any

import typer

from gateway.cli.configured import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigPath,
    configured,
    give_up,
    order_text,
    say,
    say_json,
    start,
    wrapped,
)
from gateway.cli.ledger import reading
from gateway.finding import NotFoundError
from gateway.why import why as all_that_is_known

app = typer.Typer(add_completion=False, no_args_is_help=True)

WIDTH_MAX = 100
"""Longer lines are hard to read, however wide the window is."""

LABEL = 12
"""Columns of what stands before each line."""

BARS = "▁▂▃▄▅▆▇█"

Told = Mapping[str, Any]


def main(arguments: Sequence[str]) -> None:
    """The command."""
    start(app, "why", arguments)


@app.command()
def why(
    record: Annotated[
        str, typer.Argument(help="Its number, document number (its own or the core's), id or key.")
    ],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Why a record says what it says: the readings, the rule and its thresholds, the task, the
    person, and the core's document. Of a movement, an unresolved act, an alert or a confirmation.
    """
    with reading(configured(config)) as reader:
        try:
            told = all_that_is_known(reader, record)
        except NotFoundError as error:
            give_up(error)
    if as_json:
        say_json(told)
        return
    width = min(WIDTH_MAX, shutil.get_terminal_size().columns)
    for line in _page(told):
        label, _, text = line.partition("\t")
        for each in _wrapped(label, text, width):
            say(each)


def _wrapped(label: str, text: str, width: int) -> list[str]:
    if not text:
        return [label]
    head = f"{label:<{LABEL}}  " if len(label) <= LABEL else f"{label}  "
    return wrapped(head, text, width, LABEL + 2)


def _page(told: Told) -> Iterator[str]:
    """Lines, each a label, a tab and a text that is wrapped under itself."""
    yield from _head(told)
    yield ""
    yield "what happened, in UTC"
    yield from _timeline(told["timeline"])
    if told.get("thresholds"):
        yield ""
        yield "thresholds then in force"
        for rule, settings in told["thresholds"].items():
            yield f"{rule}\t{_settings(settings)}"


def _head(told: Told) -> Iterator[str]:
    body = told["record"]
    day = body["at_recorded"].partition("T")[0]
    doubt = "" if body["clock"] == "synced" else f", clock {body['clock']}"
    yield f"record\t{body['seq']} of {day} {_clock(body['at_recorded'])}{doubt}"
    if "document_no" in body:
        yield f"document\t{body['document_no']}"
    yield f"what\t{_what(body)}"
    if "reason" in body:
        sure = body.get("confidence_permille")
        how = "" if sure is None else f", {sure / 10:.1f} % sure"
        yield f"because\t{body['reason']}, told by the rule {told['rule']}{how}"
    else:
        yield f"told by\tthe rule {told['rule']}"
    yield from _evidence(told)
    if body.get("lot"):
        yield f"lot\t{body['lot']}"
    if body.get("epcs"):
        yield f"tags\t{' '.join(body['epcs'])}"
    yield from _who(told)
    core = told["core"]
    yield "core\t" + ", ".join(
        filter(None, (core.get("core_document_no"), core["status"], core.get("reason")))
    )


def _evidence(told: Told) -> Iterator[str]:
    """What it rests on, and what watches there."""
    body = told["record"]
    evidence = body.get("evidence", {})
    if "weight_before_mg" in evidence and "weight_after_mg" in evidence:
        before, after = evidence["weight_before_mg"], evidence["weight_after_mg"]
        change = (
            f"{before / 1000:,.1f} g, then {after / 1000:,.1f} g: {(after - before) / 1000:+,.1f} g"
        )
        pieces = body.get("quantity") or 1
        each = f", {abs(after - before) / 1000 / pieces:,.1f} g a piece" if pieces > 1 else ""
        yield f"weight\t{change}{each}"
    if "reads" in evidence:
        level = evidence.get("rssi_cdbm")
        at = "" if level is None else f", {level / 100:.1f} dBm"
        yield f"reads\t{evidence['reads']}{at}"
    watched = ", ".join(_watch(each) for each in told.get("wiring", ()))
    if watched:
        yield f"watched by\t{watched}"


def _watch(wired: Told) -> str:
    """A cell, zone or gate."""
    if "cell" in wired:
        return f"cell {wired['cell']}"
    if "portal" in wired:
        return f"gate {wired['portal']} ({' '.join((*wired['outer'], *wired['inner']))})"
    return f"zone {wired['location']} ({' '.join(wired['antennas'])})"


def _who(told: Told) -> Iterator[str]:
    """Whose it is."""
    body, task = told["record"], told.get("task")
    if "order" in body:
        order = body["order"]
        yield f"order\t{order['system']} {order_text(order)}"
    if task is not None:
        yield (
            f"task\t{task['task_id']}, {task['type']} {task['done']} of {task['asked']}"
            f" {task['item']}, {task['state']}"
        )
    if "actor" in body:
        yield f"actor\t{body['actor']}"
    for name, says in (("reverses", "takes back"), ("supersedes", "stands for")):
        if name in body:
            yield f"{says}\t{body[name]}"


def _what(body: Told) -> str:
    """A record in a line."""
    match body["event"]:
        case "movement":
            ends = f"{body['from']['location']} -> {body['to']['location']}"
            return f"{body['kind']} of {body['quantity']} {body['uom']} {body['item']}, {ends}"
        case "unresolved":
            may = " or ".join(body.get("candidates", ()))
            return f"unresolved at {body['location']}{': ' if may else ''}{may}"
        case "alert":
            how = "raised" if body["raised"] else "cleared"
            return f"alert {body['code']} {how} ({body['severity']}): {body['text']}"
        case "acknowledgement":
            note = f": {body['note']}" if "note" in body else ""
            return f"{body['actor']} sees to the alert {body['key']}{note}"
        case "task_confirmation":
            exception = f", {body['exception']}" if "exception" in body else ""
            return (
                f"task {body['task']} {body['state']}: {body['quantity_done']} of"
                f" {body['quantity_asked']} {body['uom']} {body['item']}{exception}"
            )
        case "dismissal":
            return f"{body['unresolved_id']} is closed: {body['reason']}"
        case "amendment":
            return f"known better: {body['reason']}"
        case other:
            return f"{other} {body.get('location', '')}".rstrip()


def _timeline(entries: Sequence[Told]) -> Iterator[str]:
    """Readings of one sense that follow each other are told together."""
    weights_mg = [entry["gross_mg"] for entry in entries if entry["what"] == "weighed"]
    for (what, *_), group in groupby(entries, key=_sense):
        told = list(group)
        text = _weighed(told, weights_mg) if what == "weighed" else _entry(what, told)
        yield f"{_clock(told[0]['at'])}\t{text}"


def _sense(entry: Told) -> tuple[str, ...]:
    if entry["what"] == "read":
        return ("read", entry["read_point"], entry["epc"])
    return (entry["what"],) if entry["what"] == "weighed" else (entry["what"], entry["at"])


def _entry(what: str, told: Sequence[Told]) -> str:
    first = told[0]
    match what:
        case "read":
            count = sum(entry["seen_count"] for entry in told)
            levels = [e["rssi_cdbm"] for e in told if e["rssi_cdbm"] is not None]
            level = f" at {max(levels) / 100:.1f} dBm" if levels else ""
            return f"tag {first['epc']} read {count} x by {first['read_point']}{level}"
        case "happened":
            return "it happened"
        case "decided":
            return f"the rule {first['rule']} decides"
        case "recorded":
            return f"recorded as {first['seq']}"
        case _:
            other = first["record"]
            return f"{_related(other)} (record {other['seq']})"


def _related(other: Told) -> str:
    if other.get("reason") == "told_wrong":
        return f"{other['actor']} says that it was wrong: {_what(other)}"
    if "reverses" in other:
        return f"taken back: {_what(other)}"
    return _what(other)


def _weighed(told: Sequence[Told], all_mg: Sequence[int]) -> str:
    """The weights as a line of bars between the first and the last, as high as among all."""
    weights_mg = [entry["gross_mg"] for entry in told]
    low, span = min(all_mg), max(1, max(all_mg) - min(all_mg))
    bars = "".join(BARS[(weight - low) * (len(BARS) - 1) // span] for weight in weights_mg)
    return f"{weights_mg[0] / 1000:,.1f} g {bars} {weights_mg[-1] / 1000:,.1f} g"


def _settings(settings: Told) -> str:
    told = [f"{name} {_plain(value)}" for name, value in settings.items() if value is not None]
    return ", ".join(told) or "none"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    return str(value)


def _clock(at: str) -> str:
    """The time of day, to the millisecond."""
    return at.partition("T")[2].rstrip("Z")[:12]
