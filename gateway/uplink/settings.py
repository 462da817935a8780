"""The [mqtt] section."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gateway.ports import PluginSettings

PORT_PLAIN = 1883
PORT_TLS = 8883

Secret = Annotated[str, StringConstraints(min_length=1)]
"""The name of a systemd credential, or an absolute path of a file; never the secret itself."""


class TlsSettings(PluginSettings):
    """`[mqtt.tls]`: which CA to trust and which certificate to show. PEM files."""

    ca: Secret | None = None
    certificate: Secret | None = None
    key: Secret | None = None


class MqttSettings(PluginSettings):
    """`[mqtt]`: the broker, and the pace of delivery to the core.

    `version` auto tries MQTT 5 and falls back to 3.1.1 where the broker refuses 5. `settle` says
    whose word settles a record: `core` waits for the core's ack; `broker` takes the broker's
    PUBACK, for cores that cannot ack, and gives up the proof that a core has the record.
    """

    host: Annotated[str, StringConstraints(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    tls: TlsSettings | None = None
    username: str | None = None
    password: Secret | None = None
    client_id: str | None = None
    version: Literal["5", "3.1.1", "auto"] = "auto"
    prefix: Annotated[str, StringConstraints(pattern=r"^[^/+#\s]+(/[^/+#\s]+)*$")] = "shelfgate/v1"
    keepalive_s: Annotated[int, Field(ge=5, le=15)] = 10
    window: Annotated[int, Field(ge=20, le=100)] = 64
    settle: Literal["core", "broker"] = "core"
    ack_timeout_s: Annotated[float, Field(gt=0, le=300)] = 5.0
    session_expiry_s: Annotated[int, Field(ge=0, le=604_800)] = 3600
    packet_max_bytes: Annotated[int, Field(ge=4096, le=262_144)] = 262_144

    @property
    def broker_port(self) -> int:
        """The port asked for, else the customary one."""
        return self.port or (PORT_PLAIN if self.tls is None else PORT_TLS)
