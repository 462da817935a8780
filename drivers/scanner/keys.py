"""A USB keyboard's `input_event` records turned into text, as a scanner types it.

The kernel hands over records of two longs (the time), u16 type, u16 code, s32 value
(linux/input.h); the codes are those of linux/input-event-codes.h, the keys those of a US keyboard,
which is how scanners leave the factory.
"""

from __future__ import annotations

import struct

from drivers.scanner.frames import FRAME_MAX_BYTES, Garbled

RECORD = struct.Struct("@llHHi")

EV_SYN, EV_KEY = 0, 1
SYN_DROPPED = 3
RELEASED, PRESSED = 0, 1

SHIFTS = frozenset((42, 54))
CONTROLS = frozenset((29, 97))
CAPS_LOCK = 58
ENTERS = frozenset((28, 96))


def _row(first: int, plain: str, shifted: str) -> dict[int, tuple[str, str]]:
    return {first + place: pair for place, pair in enumerate(zip(plain, shifted, strict=True))}


KEYS: dict[int, tuple[str, str]] = {
    **_row(2, "1234567890-=", "!@#$%^&*()_+"),
    15: ("\t", "\t"),
    **_row(16, "qwertyuiop[]", "QWERTYUIOP{}"),
    **_row(30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    **_row(43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    55: ("*", "*"),
    57: (" ", " "),
    **_row(71, "789-456+1230.", "789-456+1230."),
    98: ("/", "/"),
    117: ("=", "="),
    121: (",", ","),
}
"""The key pad counts as with Num Lock: scanners type digits with it, and never its arrows."""


class KeyReader:
    """One connection's records."""

    def __init__(self) -> None:
        self._kept = b""
        self._text: list[str] = []
        self._held: set[int] = set()
        self._capitals = False
        self._lost = self._overlong = False

    @property
    def torn(self) -> bool:
        """Whether a scan has begun that has not ended."""
        return bool(self._text) or self._lost or self._overlong

    def feed(self, data: bytes) -> list[str | Garbled]:
        """The scans that end in these bytes, by the Enter key."""
        data = self._kept + data
        whole = len(data) - len(data) % RECORD.size
        self._kept = data[whole:]
        told = []
        for _s, _us, kind, code, value in RECORD.iter_unpack(data[:whole]):
            if kind == EV_SYN and code == SYN_DROPPED:
                self._lost = True
                self._held.clear()
            elif kind == EV_KEY and value in (RELEASED, PRESSED):
                scan = self._key(code, pressed=value == PRESSED)
                if scan is not None:
                    told.append(scan)
        return told

    def _key(self, code: int, *, pressed: bool) -> str | Garbled | None:
        if code in SHIFTS or code in CONTROLS:
            (self._held.add if pressed else self._held.discard)(code)
        elif pressed and code in ENTERS:
            return self._end()
        elif pressed and code == CAPS_LOCK:
            self._capitals = not self._capitals
        elif pressed and code in KEYS:
            self._type(KEYS[code])
        return None

    def _type(self, key: tuple[str, str]) -> None:
        if len(self._text) >= FRAME_MAX_BYTES:
            self._overlong = True
            return
        plain, shifted = key
        if self._held & CONTROLS:
            # Ctrl and a key is a control character: the separator of GS1 is typed as Ctrl and ].
            self._text.append(chr(ord(plain.upper()) & 0x1F))
            return
        shift = bool(self._held & SHIFTS) != (self._capitals and plain.isalpha())
        self._text.append(shifted if shift else plain)

    def _end(self) -> str | Garbled | None:
        text, self._text = "".join(self._text), []
        lost, self._lost = self._lost, False
        overlong, self._overlong = self._overlong, False
        if lost:
            return Garbled("keys were lost: the gateway did not read in time")
        if overlong:
            return Garbled(f"a scan is longer than {FRAME_MAX_BYTES} keys: does it end with Enter?")
        return text or None
