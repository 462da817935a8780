"""`shelfgate doctor`: look for what is wrong, and name the fix."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import asdict

import typer

from gateway.cli.configured import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigPath,
    configured,
    say,
    say_json,
    start,
)
from gateway.cli.exits import OK, PROBLEM
from gateway.doctor import Finding, examine

app = typer.Typer(add_completion=False)


def main(arguments: Sequence[str]) -> None:
    """The command."""
    start(app, "doctor", arguments)


@app.command()
def doctor(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Check configuration, disk, ledger, clock, devices, broker and core."""
    findings = asyncio.run(examine(configured(config)))
    code = PROBLEM if any(finding.verdict == "fail" for finding in findings) else OK
    if as_json:
        say_json({"ok": code == OK, "findings": [asdict(finding) for finding in findings]})
    else:
        say_findings(findings)
    raise typer.Exit(code)


def say_findings(findings: Iterable[Finding]) -> None:
    """Each finding in a line, and what mends it below."""
    for finding in findings:
        say(f"{finding.verdict:<4}  {finding.check}: {finding.text}")
        if finding.fix:
            say(f"      fix: {finding.fix}")
