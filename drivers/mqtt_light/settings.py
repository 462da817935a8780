"""What the installer writes about lights behind one MQTT broker."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway.model import LightPattern
from gateway.ports import PluginSettings

PORT, TLS_PORT = 1883, 8883

Topic = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^#+\x00]+$")]


class LightSettings(PluginSettings):
    """One light. Of a `wled` it is the segment `segment`, and `topic` is that of the device; of any
    other (`json`) `topic` is where it takes commands, and `effects` names what it calls a pattern.

    `number_topic` is a display that takes a number as text, "" for none. At `status_topic` the
    device says `online` or `offline`; a WLED does so by itself.
    """

    light: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-]{1,32}$")]
    form: Literal["wled", "json"]
    topic: Topic
    segment: Annotated[int, Field(ge=0, le=31)] = 0
    brightness: Annotated[int, Field(ge=1, le=255)] = 255
    effects: dict[LightPattern, str] = Field(default={})
    number_topic: Topic | None = None
    status_topic: Topic | None = None

    @property
    def says(self) -> str | None:
        """Where its device says that it is there."""
        return f"{self.topic}/status" if self.form == "wled" else self.status_topic

    @model_validator(mode="after")
    def _effects_of_json(self) -> Self:
        if self.effects and self.form == "wled":
            raise ValueError("effects: those of a wled are known; leave them out")
        if self.effects and not {"slow", "fast", "double"} <= set(self.effects):
            raise ValueError("effects: name those for slow, fast and double, or none")
        return self


class MqttLightSettings(PluginSettings):
    """One broker with all lights behind it. The password is in a file, or a systemd credential."""

    host: str
    port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    username: str | None = None
    password_file: str | None = None
    ca_file: str | None = None
    keepalive_s: Annotated[int, Field(ge=2, le=300)] = 10
    answer_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    lights: Annotated[tuple[LightSettings, ...], Field(min_length=1)]

    @property
    def tcp_port(self) -> int:
        """The port to dial: 1883, or 8883 with TLS, unless one is set."""
        return self.port or (TLS_PORT if self.ca_file else PORT)

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        if len({each.light for each in self.lights}) < len(self.lights):
            raise ValueError("lights: each name may stand once")
        return self
