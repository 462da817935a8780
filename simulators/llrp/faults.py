"""What can go wrong between a reader and its client, each with a chance per report."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from random import Random

from simulators.llrp.wire import HEADER, frame

UNKNOWN_MESSAGE_TYPE = 999
"""A message type that no version of the protocol defines."""


class Damage(Enum):
    """What becomes of one frame on its way out."""

    NONE = auto()
    CUT = auto()
    CORRUPT = auto()
    TRUNCATE = auto()
    UNKNOWN_FIRST = auto()
    SILENCE = auto()


@dataclass(slots=True)
class Faults:
    """Chances from 0 to 1, changeable at any time; nothing goes wrong by default.

    `cut`: half a report is sent, then the connection is reset. `corrupt`: one byte behind the
    header is wrong. `truncate`: the last bytes are missing and the length says so. `unknown`: an
    unknown message precedes the report. `silence`: from now on nothing is sent, the connection
    stays up. `drop` and `delay` (0 to `delay_max_s`, order kept) are drawn before a report is
    queued. `duplicate` is drawn for each of the last reports when a client reconnects, `refuse`
    for each connection.
    """

    cut: float = 0.0
    corrupt: float = 0.0
    truncate: float = 0.0
    unknown: float = 0.0
    silence: float = 0.0
    drop: float = 0.0
    delay: float = 0.0
    delay_max_s: float = 2.0
    duplicate: float = 0.0
    refuse: float = 0.0
    struck: dict[str, int] = field(default_factory=dict)

    def strikes(self, name: str, random: Random) -> bool:
        """Draw whether the fault of that name happens now, and count it."""
        chance: float = getattr(self, name)
        if chance <= 0.0 or random.random() >= chance:
            return False
        self.struck[name] = self.struck.get(name, 0) + 1
        return True

    def damage(self, random: Random) -> Damage:
        """Draw what becomes of one report frame."""
        for name, damage in _DAMAGES:
            if self.strikes(name, random):
                return damage
        return Damage.NONE


_DAMAGES = (
    ("silence", Damage.SILENCE),
    ("cut", Damage.CUT),
    ("corrupt", Damage.CORRUPT),
    ("truncate", Damage.TRUNCATE),
    ("unknown", Damage.UNKNOWN_FIRST),
)


def corrupted(whole: bytes, random: Random) -> bytes:
    """Return the frame with one byte behind its header changed."""
    if len(whole) <= HEADER.size:
        return whole
    place = random.randrange(HEADER.size, len(whole))
    wrong = whole[place] ^ random.randrange(1, 256)
    return whole[:place] + bytes([wrong]) + whole[place + 1 :]


def truncated(whole: bytes, random: Random) -> bytes:
    """Return the frame without its last bytes, its length field made to fit what is left."""
    if len(whole) <= HEADER.size + 1:
        return whole
    length = random.randrange(HEADER.size + 1, len(whole))
    first, _length, message_id = HEADER.unpack_from(whole)
    return HEADER.pack(first, length, message_id) + whole[HEADER.size : length]


def unknown_message(message_id: int) -> bytes:
    """Return a well-formed frame of a type that nobody knows."""
    return frame(UNKNOWN_MESSAGE_TYPE, message_id, b"\xde\xad\xbe\xef")
