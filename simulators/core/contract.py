"""The contract as the AsyncAPI document states it: which topic carries what, and is it valid?

Works on `docs/asyncapi.yaml` alone, so it also serves as an independent check of any message:

    load_contract().check(topic, payload, retain=retain)
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import yaml
from jsonschema import Draft7Validator
from jsonschema.exceptions import best_match

from simulators.core.document import compile_channels

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "asyncapi.yaml"
PAYLOAD_BYTES_MAX = 262_144
"""The bound that the document states."""
DEFAULT_PREFIX = "shelfgate/v1"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}")
_EPOCH = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SEQ = re.compile(r"[1-9][0-9]{0,15}")
_SEQ_MAX = 2**53 - 1


class ContractError(ValueError):
    """A topic or payload that the contract does not allow; the text says where and why."""


class Address(NamedTuple):
    """A topic taken apart. `keys` are the decoded keys that stand in it, by parameter name."""

    channel: str
    site: str
    gateway: str
    keys: Mapping[str, str]


class Position(NamedTuple):
    """The name of a record for ever."""

    gateway: str
    epoch: str
    seq: int


class Contract:
    """The document, compiled."""

    def __init__(self, document: Mapping[str, Any], prefix: str = DEFAULT_PREFIX) -> None:
        self.document = document
        self.prefix = prefix
        self.channels = {channel.name: channel for channel in compile_channels(document)}

    def address(self, topic: str) -> Address:
        """Take a topic apart; ContractError if no channel has such an address."""
        if not topic.startswith(self.prefix + "/"):
            raise ContractError(f"topic is not below {self.prefix}: {topic}")
        site, *rest = topic[len(self.prefix) + 1 :].split("/")
        gateway, *levels = rest or [""]
        if not (_NAME.fullmatch(site) and _NAME.fullmatch(gateway)):
            raise ContractError(f"site or gateway is not a name: {topic}")
        for channel in self.channels.values():
            keys = _keys(channel.levels, levels)
            if keys is not None:
                return Address(channel.name, site, gateway, keys)
        raise ContractError(f"no channel has this topic: {topic}")

    def topic(self, channel: str, site: str, gateway: str, *keys: str) -> str:
        """Build the topic of a channel, its keys percent-encoded."""
        waiting = iter(keys)
        levels = (
            quote(next(waiting), safe="") if level.startswith("{") else level
            for level in self.channels[channel].levels
        )
        return "/".join((self.prefix, site, gateway, *levels))

    def validate(self, channel: str, value: Any) -> None:
        """Check a decoded payload against the schemas of its channel, and them alone."""
        schemas = self.channels[channel].schemas
        kind = value.get("type") if isinstance(value, dict) else None
        if isinstance(kind, str) and kind in schemas:
            chosen: Sequence[Draft7Validator] = [schemas[kind]]
        elif channel == "event":
            raise ContractError(f"type is not known: {kind!r:.100}")
        else:
            chosen = list(schemas.values())
        if not any(schema.is_valid(value) for schema in chosen):
            raise ContractError(_complaint(chosen, value))

    def check(self, topic: str, payload: bytes, *, retain: bool | None = None) -> Any:
        """Check a message in full, what only prose of the document says included.

        Returns the decoded payload, None for one that clears. ContractError says what is wrong.
        """
        address = self.address(topic)
        channel = self.channels[address.channel]
        if retain is not None and retain != channel.retained:
            raise ContractError(f"retain must be {channel.retained}: {topic}")
        if not payload and channel.empty_clears:
            return None
        value = parse(payload)
        self.validate(address.channel, value)
        if address.channel == "event":
            check_envelope(address, value)
        for parameter, key in address.keys.items():
            if value[parameter] != key:
                raise ContractError(f"{parameter} is {key} in the topic, not so in the payload")
        return value


@cache
def load_contract(prefix: str = DEFAULT_PREFIX) -> Contract:
    """The contract of this checkout."""
    document = yaml.load(DOCUMENT.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return Contract(document, prefix)


def parse(payload: bytes) -> Any:
    """Decode JSON as the contract wants it: UTF-8, no fractions, no key twice, bounded."""
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise ContractError(f"payload has {len(payload)} bytes, at most {PAYLOAD_BYTES_MAX}")
    try:
        value = _DECODER.decode(payload.decode("utf-8"))
        if b"\\u" in payload:
            canonical(value)  # half a surrogate pair fails here
    except (ValueError, RecursionError) as error:
        raise ContractError(f"payload is not JSON as agreed: {error}") from None
    return value


def leaf_hash(value: Any) -> str:
    """SHA-256 of the RFC 6962 leaf over the canonical form, in hex."""
    return hashlib.sha256(b"\0" + canonical(value)).hexdigest()


def canonical(value: Any) -> bytes:
    """Keys sorted, no spaces, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")


def check_envelope(address: Address, envelope: Mapping[str, Any]) -> None:
    """Check what a schema cannot say of an event: envelope, data and topic tell the same story."""
    data = envelope["data"]
    claims = {
        "id": (envelope["id"], f"{data['gateway']}/{data['epoch']}/{data['seq']}"),
        "source": (envelope["source"], f"/{address.site}/{address.gateway}"),
        "time": (envelope["time"], data["at_recorded"]),
        "gateway": (data["gateway"], address.gateway),
        "leafhash": (envelope["leafhash"], leaf_hash(data)),
    }
    for name, (said, due) in claims.items():
        if said != due:
            raise ContractError(f"{name} is {said}, by the rest of the message it is {due}")


def position(address: Address, envelope: Any) -> Position | None:
    """Find out which record an event is meant to be, however wrong the rest of it may be."""
    if not isinstance(envelope, dict):
        return None
    data = envelope.get("data")
    if isinstance(data, dict):
        found = _position(address.gateway, data.get("epoch"), data.get("seq"))
        if found is not None:
            return found
    _, _, rest = str(envelope.get("id")).partition("/")
    epoch, _, seq = rest.partition("/")
    return _position(address.gateway, epoch, int(seq) if _SEQ.fullmatch(seq) else None)


def _position(gateway: str, epoch: Any, seq: Any) -> Position | None:
    if not (isinstance(epoch, str) and _EPOCH.fullmatch(epoch)):
        return None
    if not isinstance(seq, int) or isinstance(seq, bool) or not 1 <= seq <= _SEQ_MAX:
        return None
    return Position(gateway, epoch, seq)


def _refuse_number(text: str) -> Any:
    raise ValueError(f"number is not an integer: {text}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return result


_DECODER = json.JSONDecoder(
    parse_float=_refuse_number, parse_constant=_refuse_number, object_pairs_hook=_object
)


def _keys(template: Sequence[str], levels: Sequence[str]) -> dict[str, str] | None:
    if len(template) != len(levels):
        return None
    keys = {}
    for expected, level in zip(template, levels, strict=True):
        if expected.startswith("{"):
            key = unquote(level)
            if not key or quote(key, safe="") != level:
                return None
            keys[expected.strip("{}")] = key
        elif expected != level:
            return None
    return keys


def _complaint(schemas: Sequence[Draft7Validator], value: Any) -> str:
    errors = (error for schema in schemas for error in schema.iter_errors(value))
    error = best_match(errors)
    if error is None:
        return "payload is against the schema"
    place = "/".join(map(str, error.absolute_path)) or "payload"
    return f"{place}: {error.message}"[:1000]
