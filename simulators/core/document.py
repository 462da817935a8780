"""The AsyncAPI document, compiled: its channels, their addresses and their schemas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from jsonschema import Draft7Validator


class Channel(NamedTuple):
    """One channel of the document: the levels of its address below the gateway, its schemas.

    `schemas` goes by message name where a payload's `type` is that name, else by message key.
    """

    name: str
    levels: tuple[str, ...]
    schemas: Mapping[str, Draft7Validator]
    retained: bool
    from_gateway: bool
    empty_clears: bool


def compile_channels(document: Mapping[str, Any]) -> list[Channel]:
    """All channels of a document."""
    resolve = _resolver(document)
    operations = {
        operation["channel"]["$ref"].rsplit("/", 1)[1]: operation
        for operation in document["operations"].values()
    }
    channels = []
    for name, channel in document["channels"].items():
        schemas = {}
        for key, reference in channel["messages"].items():
            message = resolve(reference)
            schemas[message.get("name", key)] = Draft7Validator(message["payload"])
        levels = tuple(channel["address"].removeprefix("{prefix}/{site}/{gateway}/").split("/"))
        operation = operations[name]
        channels.append(
            Channel(
                name,
                levels,
                schemas,
                retained=operation["bindings"]["mqtt"]["retain"],
                from_gateway=operation["action"] == "send",
                empty_clears=channel.get("x-empty-clears", False),
            )
        )
    return channels


def _resolver(document: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Replace references by what they name: it has no cycles, and looking up costs time."""

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                target: Any = document
                for step in node["$ref"].removeprefix("#/").split("/"):
                    target = target[step]
                return resolve(target)
            return {key: resolve(value) for key, value in node.items()}
        if isinstance(node, list):
            return [resolve(value) for value in node]
        return node

    return resolve
