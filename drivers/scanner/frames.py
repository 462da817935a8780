"""Cuts the bytes of a scanner into scans, wherever the bytes were split on their way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

FRAME_MAX_BYTES = 8192
"""The largest code, a QR code of version 40, holds 7,089 digits or 2,953 bytes; with marks around
it, that fits."""

ENDS: dict[Literal["any", "cr", "lf", "crlf"], re.Pattern[bytes]] = {
    "any": re.compile(rb"[\r\n]"),
    "cr": re.compile(rb"\r"),
    "lf": re.compile(rb"\n"),
    "crlf": re.compile(rb"\r\n"),
}


@dataclass(frozen=True, slots=True)
class Garbled:
    """What came is no scan."""

    detail: str


class FrameCutter:
    """One connection's bytes. Of the two ends of CR LF the second makes an empty frame: none."""

    def __init__(self, end: Literal["any", "cr", "lf", "crlf"]) -> None:
        self._end = ENDS[end]
        self._kept = b""
        self._overlong = False

    @property
    def torn(self) -> bool:
        """Whether a scan has begun that has not ended."""
        return bool(self._kept) or self._overlong

    def feed(self, data: bytes) -> list[bytes | Garbled]:
        """The frames that end in these bytes, without their end."""
        *whole, kept = self._end.split(self._kept + data)
        frames = [frame for frame in map(self._frame, whole) if frame]
        self._overlong = self._overlong or len(kept) > FRAME_MAX_BYTES
        # The last byte of what is too long may be the first of an end.
        self._kept = kept[-1:] if self._overlong else kept
        return frames

    def _frame(self, frame: bytes) -> bytes | Garbled:
        overlong, self._overlong = self._overlong or len(frame) > FRAME_MAX_BYTES, False
        if overlong:
            return Garbled(f"a scan is longer than {FRAME_MAX_BYTES} bytes: is the end right?")
        return frame
