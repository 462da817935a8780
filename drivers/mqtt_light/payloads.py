"""What a light is told: WLED's JSON API and the JSON schema that ESPHome and others share.

Sources: kno.wled.ge/interfaces/json-api (on, seg: id, on, bri, col, fx, sx, ix) and
kno.wled.ge/interfaces/mqtt (topic/api, topic/status); home-assistant.io/integrations/light.mqtt,
"JSON schema" (state, brightness, color, effect), which ESPHome's MQTT lights take as it is.
"""

from __future__ import annotations

import json
from typing import Any, Final

from drivers.mqtt_light.settings import LightSettings
from gateway.model import LightColour, LightPattern, ShowLight

RGB: Final[dict[LightColour, tuple[int, int, int]]] = {
    "red": (255, 0, 0),
    "amber": (255, 120, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "white": (255, 255, 255),
}

WLED_EFFECTS: Final[dict[LightPattern, dict[str, int]]] = {
    "steady": {"fx": 0},
    "slow": {"fx": 1, "sx": 157, "ix": 128},
    "fast": {"fx": 1, "sx": 232, "ix": 128},
    "double": {"fx": 100, "sx": 64},
}
"""Solid; Blink, with a period of 20 ms times 255 - sx, lit for ix/255 of it; Heartbeat: two beats.
"""


def messages(settings: LightSettings, shown: ShowLight) -> list[tuple[str, bytes]]:
    """Topic and payload of all that a light is told, the number first."""
    told = []
    if settings.number_topic is not None:
        number = "" if shown.number is None else str(shown.number)
        told.append((settings.number_topic, number.encode()))
    if settings.form == "wled":
        told.append((f"{settings.topic}/api", _encoded(_wled(settings, shown))))
    else:
        told.append((settings.topic, _encoded(_json(settings, shown))))
    return told


def _wled(settings: LightSettings, shown: ShowLight) -> dict[str, Any]:
    """The device stays on: it is its segments that are lit or dark."""
    segment: dict[str, Any] = {"id": settings.segment, "on": shown.colour is not None}
    if shown.colour is not None:
        segment |= {"bri": settings.brightness, "col": [list(RGB[shown.colour])]}
        segment |= WLED_EFFECTS[shown.pattern]
    return {"on": True, "transition": 0, "seg": [segment]}


def _json(settings: LightSettings, shown: ShowLight) -> dict[str, Any]:
    if shown.colour is None:
        return {"state": "OFF"}
    red, green, blue = RGB[shown.colour]
    told: dict[str, Any] = {
        "state": "ON",
        "brightness": settings.brightness,
        "color": {"r": red, "g": green, "b": blue},
    }
    if settings.effects:
        told["effect"] = settings.effects.get(shown.pattern, "None")
    return told


def _encoded(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
