"""What the installer writes about one scanner."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gateway.ports import PluginSettings

Mark = Annotated[str, Field(max_length=16)]


class ScannerSettings(PluginSettings):
    """One scanner: where it is, and how its scans are told apart.

    A scan ends with `end` ("any": CR, LF or both). Every scan begins with `prefix` and ends with
    `suffix`, which are taken off; one without them is no scan. What stands in `no_read` is what
    the scanner sends when it could read nothing. With `grab` nobody else gets a keyboard's keys.
    """

    link: Literal["tcp", "serial", "keyboard"]
    host: str = ""
    port: Annotated[int, Field(ge=1, le=65535)] = 4001
    path: str = ""
    baud: Annotated[int, Field(ge=300, le=921600)] = 9600
    data_bits: Literal[7, 8] = 8
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    end: Literal["any", "cr", "lf", "crlf"] = "any"
    prefix: Mark = ""
    suffix: Mark = ""
    encoding: Literal["utf-8", "ascii", "latin-1"] = "utf-8"
    no_read: tuple[str, ...] = ()
    grab: bool = True

    @model_validator(mode="after")
    def _end_named(self) -> ScannerSettings:
        if self.link == "tcp" and not self.host:
            raise ValueError("host: a tcp link needs one")
        if self.link != "tcp" and not self.path:
            example = "/dev/ttyACM0" if self.link == "serial" else "/dev/input/by-id/...-event-kbd"
            raise ValueError(f"path: a {self.link} link needs one, for example {example}")
        return self
