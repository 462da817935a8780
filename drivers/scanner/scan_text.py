"""From a frame to the text of a scan: the marks taken off, what is no text refused."""

from __future__ import annotations

import re

from drivers.scanner.frames import Garbled
from drivers.scanner.settings import ScannerSettings

NO_TEXT = re.compile(r"[^\x04\t\n\r\x1c-\x1f\x20-\x7e\u00a0-\U0010ffff]|[\ud800-\udfff\ufffd]")
"""Control characters but those that codes hold: tabs and lines, and the separators and the end of
ISO/IEC 15434."""

SHOWN_MAX = 40
"""Characters of a bad scan that a person is shown."""


class ScanTexts:
    """Reads frames by the settings of one scanner."""

    def __init__(self, settings: ScannerSettings) -> None:
        self._settings = settings

    def decode(self, frame: bytes) -> str | Garbled:
        """The characters of a frame."""
        try:
            return frame.decode(self._settings.encoding)
        except UnicodeDecodeError:
            return Garbled(f"not {self._settings.encoding}: {_shown(repr(frame)[2:-1])}")

    def read(self, text: str) -> str | Garbled:
        """The text of a scan; "" if the scanner says that it could read nothing."""
        settings = self._settings
        marked = text.startswith(settings.prefix) and text.endswith(settings.suffix)
        if not marked or len(text) < len(settings.prefix) + len(settings.suffix):
            return Garbled(f"without its prefix or suffix: {_shown(ascii(text)[1:-1])}")
        bare = text[len(settings.prefix) : len(text) - len(settings.suffix)]
        if bare in settings.no_read:
            return ""
        if not bare or NO_TEXT.search(bare):
            return Garbled(f"no text: {_shown(ascii(bare)[1:-1])}")
        return bare


def _shown(text: str) -> str:
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}..."
