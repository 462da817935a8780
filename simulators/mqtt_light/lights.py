"""What lights show of the messages that they get: a WLED of several segments, a JSON light."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

WLED_EFFECTS = {0: "Solid", 1: "Blink", 100: "Heartbeat"}
"""Those of WLED 0.14 that are of use here, by number."""


class Seen(NamedTuple):
    """What a person sees of a light: its colour (red, green, blue; None is dark) and effect."""

    rgb: tuple[int, int, int] | None = None
    effect: str = ""


class Light(Protocol):
    """A device behind a broker. At `topic` it takes what it is told; at `status_topic` it says that
    it is there, and the broker that it is not.
    """

    topic: str
    status_topic: str

    def take(self, payload: bytes) -> None:
        """Take a message; what makes no sense changes nothing, as with the real ones."""

    def power_cycle(self) -> None:
        """It forgets what it showed."""


@dataclass(slots=True, eq=False)
class Wled:
    """A WLED strip; `segments` is what each shows."""

    name: str
    on: bool = True
    segments: dict[int, Seen] = field(default_factory=dict)

    topic: str = field(init=False)
    status_topic: str = field(init=False)

    def __post_init__(self) -> None:
        self.topic = f"wled/{self.name}/api"
        self.status_topic = f"wled/{self.name}/status"

    def seen(self, segment: int) -> Seen:
        """What a person sees of one segment."""
        return self.segments.get(segment, Seen()) if self.on else Seen()

    def take(self, payload: bytes) -> None:
        """Take a message."""
        state = _object(payload)
        self.on = bool(state.get("on", self.on))
        told = state.get("seg", [])
        for segment in told if isinstance(told, list) else [told]:
            number = int(segment.get("id", 0))
            before = self.segments.get(number, Seen())
            if not segment.get("on", before.rgb is not None):
                self.segments[number] = Seen()
                continue
            red, green, blue = segment.get("col", [before.rgb or (255, 160, 0)])[0][:3]
            effect = WLED_EFFECTS.get(segment.get("fx", 0), "other")
            self.segments[number] = Seen((red, green, blue), effect)

    def power_cycle(self) -> None:
        """It forgets what it showed."""
        self.segments.clear()


@dataclass(slots=True, eq=False)
class JsonLight:
    """A light with the JSON schema, as ESPHome makes it; one without `effects` knows none."""

    name: str
    effects: tuple[str, ...] = ()
    seen: Seen = field(default_factory=Seen)

    topic: str = field(init=False)
    status_topic: str = field(init=False)

    def __post_init__(self) -> None:
        self.topic = f"{self.name}/light/command"
        self.status_topic = f"{self.name}/status"

    def take(self, payload: bytes) -> None:
        """Take a message."""
        state = _object(payload)
        if state.get("state") == "OFF":
            self.seen = Seen()
        elif state.get("state") == "ON":
            colour = state.get("color") or {"r": 255, "g": 255, "b": 255}
            effect = str(state.get("effect", "None"))
            known = effect if effect in self.effects else "None"
            self.seen = Seen((colour["r"], colour["g"], colour["b"]), known)

    def power_cycle(self) -> None:
        """It forgets what it showed."""
        self.seen = Seen()


@dataclass(slots=True, eq=False)
class Digits:
    """A display that takes a number as text."""

    name: str
    text: str = ""

    topic: str = field(init=False)
    status_topic: str = field(init=False)

    def __post_init__(self) -> None:
        self.topic = f"{self.name}/number"
        self.status_topic = f"{self.name}/number/status"

    def take(self, payload: bytes) -> None:
        """Take a message."""
        self.text = payload.decode()

    def power_cycle(self) -> None:
        """It forgets what it showed."""
        self.text = ""


def _object(payload: bytes) -> Mapping[str, Any]:
    try:
        state = json.loads(payload)
    except ValueError:
        return {}
    return state if isinstance(state, dict) else {}
