"""`shelfgate status`: how the running gateway is."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import typer

from gateway.cli.configured import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigPath,
    ask_gateway,
    configured,
    movement_text,
    say,
    say_json,
    start,
    wrapped,
)

LABEL = 10
"""Columns of what a line is about; the rest of it stands behind."""

ARROW, ARROW_WHOLE = " -> ", "\N{NO-BREAK SPACE}->\N{NO-BREAK SPACE}"
"""From where to where is read in one line."""

app = typer.Typer(add_completion=False)


def main(arguments: Sequence[str]) -> None:
    """The command."""
    start(app, "status", arguments)


@app.command()
def status(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """How the running gateway is: devices, queues, uplink, alerts, last movements."""
    configuration = configured(config)
    told = ask_gateway(configuration, {"request": "status"})["status"]
    if as_json:
        say_json(told)
    else:
        for line in _text(told):
            for each in _fitting(line):
                say(each)


def is_terminal() -> bool:
    """Whether a person reads it."""
    return sys.stdout.isatty()


def _fitting(line: str) -> list[str]:
    """The line as the terminal has room for it; where none is, programs want one line a thing."""
    if not is_terminal():
        return [line]
    head, text = line[:LABEL], line[LABEL:]
    lines = wrapped(
        head, text.replace(ARROW, ARROW_WHOLE), shutil.get_terminal_size().columns, LABEL
    )
    return [each.replace(ARROW_WHOLE, ARROW) for each in lines]


def _text(told: Mapping[str, Any]) -> Iterator[str]:
    yield f"gateway   {told['gateway']} at {told['site']}, shelfgate {told['version']}"
    yield f"clock     {told['at']}, {told['clock']}"
    waiting = told["last"] - told["settled"]
    oldest = f", the oldest for {told['oldest_unsettled_ms'] / 1000:.1f} s" if waiting else ""
    yield f"ledger    seq {told['last']}, settled {told['settled']}, {waiting} waiting{oldest}"
    yield f"uplink    {_uplink(told.get('uplink'))}"
    latency = told["latency_us"]
    if latency:
        p50, p99 = (latency[f"commit_to_settled_{share}"] / 1000 for share in ("p50", "p99"))
        yield f"latency   commit to settled: median {p50:.0f} ms, 99 % {p99:.0f} ms"
    yield f"inbox     {told['queues']['inbox']} facts"
    for device in told["devices"]:
        reason = f": {device['reason']}" if device.get("reason") else ""
        blind = device.get("blind_antennas")
        yield f"device    {device['device']} {device['state']}{reason}" + (
            f", blind antennas {blind}" if blind else ""
        )
    for alert in told["alerts"]:
        seen = alert.get("acknowledged")
        by = f" (seen by {seen['actor']})" if seen else ""
        yield f"alert     {alert['severity']} {alert['code']}: {alert['text']}{by}"
    if told["proposals"]:
        yield f"proposals {told['proposals']} wait for an answer: shelfgate proposals"
    for movement in told["last_movements"]:
        yield f"movement  {movement_text(movement)}"


def _uplink(uplink: Mapping[str, Any] | None) -> str:
    if uplink is None:
        return "not started"
    if uplink["connected"]:
        return f"connected to {uplink['broker']} (MQTT {uplink['mqtt']}) for {uplink['since_s']} s"
    return f"not connected to {uplink['broker']} for {uplink['since_s']} s: {uplink['reason']}"
