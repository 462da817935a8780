"""`shelfgate check`: the whole configuration, with the files and plugins that it names."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from gateway.cli.configured import DEFAULT_CONFIG, AsJson, ConfigPath, say, say_json, start
from gateway.cli.doctor import say_findings
from gateway.cli.exits import CONFIG, OK, PROBLEM
from gateway.doctor import Finding, connect, examine_files
from gateway.ports import ConfigError
from gateway.settings import load_configuration

app = typer.Typer(add_completion=False)

Connect = Annotated[bool, typer.Option("--connect", help="Contact every device and the broker.")]


def main(arguments: Sequence[str]) -> None:
    """The command."""
    start(app, "check", arguments)


@app.command()
def check(
    config: ConfigPath = DEFAULT_CONFIG,
    contact: Connect = False,
    as_json: AsJson = False,
) -> None:
    """Check the configuration, the files it names and the devices' settings; starts nothing.

    Exit 78 if something is wrong with them, 1 if a device or the broker does not answer.
    """
    problems: list[str] = []
    findings: list[Finding] = []
    code = OK
    try:
        configuration = load_configuration(config)
        findings += examine_files(configuration)
        problems += [f"{each.text}; {each.fix}" for each in findings if each.verdict == "fail"]
    except ConfigError as error:
        problems += str(error).splitlines()
    else:
        if contact and not problems:
            outside = asyncio.run(connect(configuration))
            findings += outside
            code = PROBLEM if any(each.verdict == "fail" for each in outside) else OK
    if problems:
        code = CONFIG
    if as_json:
        told = {"ok": code == OK, "config": str(config), "problems": problems}
        say_json(told | {"findings": [asdict(finding) for finding in findings]})
    else:
        _say(config, problems, findings)
    raise typer.Exit(code)


def _say(config: ConfigPath, problems: Sequence[str], findings: Sequence[Finding]) -> None:
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    if problems:
        return
    say_findings(findings)
    say(f"{config}: well" if all(f.verdict != "fail" for f in findings) else f"{config}: see above")
