"""`shelfgate drivers`: the installed drivers and rules, and what they can be told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import typer

from gateway import registry
from gateway.cli.configured import AsJson, say, say_json, start
from gateway.ports import ConfigError

app = typer.Typer(add_completion=False)


def main(arguments: Sequence[str]) -> None:
    """The command."""
    start(app, "drivers", arguments)


@app.command()
def drivers(as_json: AsJson = False) -> None:
    """All drivers and rules, with the keys of their settings."""
    told = {
        "drivers": [_plugin(registry.DRIVERS, name) for name in registry.plugins(registry.DRIVERS)],
        "rules": [_plugin(registry.RULES, name) for name in registry.plugins(registry.RULES)],
    }
    if as_json:
        say_json(told)
        return
    for kind, plugins in told.items():
        say(f"{kind}:")
        for plugin in plugins:
            for line in _text(plugin):
                say(f"  {line}")


def _plugin(group: str, name: str) -> dict[str, Any]:
    entry = registry.plugins(group)[name]
    told: dict[str, Any] = {"name": name, "from": entry.value}
    if entry.dist is not None:
        told["package"] = f"{entry.dist.name} {entry.dist.version}"
    try:
        settings = registry.load(group, name).Settings
    except ConfigError as error:
        return told | {"error": str(error)}
    return told | {"settings": settings.model_json_schema()}


def _text(plugin: Mapping[str, Any]) -> Iterator[str]:
    yield f"{plugin['name']}  ({plugin['from']}, {plugin.get('package', 'no package')})"
    if "error" in plugin:
        yield f"    {plugin['error']}"
        return
    schema = plugin["settings"]
    required = schema.get("required", ())
    for key, about in schema.get("properties", {}).items():
        value = "must be set" if key in required else f"default {_default(about.get('default'))}"
        yield f"    {key}: {_type(about)}, {value}"


def _type(about: Mapping[str, Any]) -> str:
    if "enum" in about:
        return " or ".join(map(str, about["enum"]))
    if "anyOf" in about:
        return " or ".join(_type(one) for one in about["anyOf"] if one.get("type") != "null")
    if "$ref" in about:
        return "table"
    return str(about.get("type", "value")).replace("object", "table").replace("array", "list")


def _default(value: Any) -> str:
    return "none" if value is None else json.dumps(value)
