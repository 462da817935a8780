"""The `[telemetry]` section."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from gateway.ports import PluginSettings
from gateway.telemetry.spool import SPOOL_POINTS_MAX


class TelemetrySettings(PluginSettings):
    """Where telemetry goes and how often. Without this section nothing is sent."""

    url: Annotated[str, Field(pattern=r"^https?://[^\s/]+", examples=["http://10.0.0.5:8086"])]
    org: str = ""
    bucket: Annotated[str, Field(min_length=1)] = "shelfgate"
    token: str | None = None
    """The name of a systemd credential, or an absolute path of a file; never the secret itself."""
    ca_file: Path | None = None
    interval_s: Annotated[float, Field(ge=1, le=3600)] = 10.0
    """How often every value is sent; changes of weight, count and status go within a second."""
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 10.0
    spool_points_max: Annotated[int, Field(ge=1000, le=1_000_000)] = SPOOL_POINTS_MAX
    weight_change_g: Annotated[float, Field(gt=0)] = 2.0
    """A cell whose gross weight moved by this much is sent at once."""
