"""`shelfgate check`: the whole configuration, with the files that it names."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from gateway.assembly import reference_files
from gateway.cli.configured import DEFAULT_CONFIG, AsJson, ConfigPath, configured, refuse, say
from gateway.ports import ConfigError

app = typer.Typer(add_completion=False)


def main(arguments: Sequence[str]) -> None:
    """The command."""
    app(list(arguments), prog_name="shelfgate check")


@app.command()
def check(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Check the configuration and the files that it names."""
    configuration = configured(config)
    try:
        references = reference_files(configuration)
    except ConfigError as error:
        refuse(error)
    del as_json
    say(
        f"{config}: well: {len(configuration.devices)} devices, "
        f"{len(configuration.rules)} rules, {len(references)} reference facts"
    )
