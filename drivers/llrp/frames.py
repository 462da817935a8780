"""LLRP frames: bytes in, whole messages out (LLRP 1.1 section 16.2: the message header).

A message is a 10-byte header (version and type, total length, message id) and a body. It is cut
out of the stream before anything in it is looked at, so that one bad message costs one message.
"""

import struct
from collections.abc import Iterable, Iterator

from gateway.ports import ProtocolError

HEADER_BYTES = 10

FRAME_MAX_BYTES = 4 * 1024 * 1024
"""Default cap. The standard sets none; the largest message known is 1.42 MB (32,705 tags)."""

SHOWN_BYTES = 64
"""How much of a bad frame is kept for the log: its header and the first parameters."""

VERSION = 1

_length_at_2 = struct.Struct("!I").unpack_from
_header = struct.Struct("!HII")


def frame_of(message_type: int, body: bytes, message_id: int) -> bytes:
    """Pack a message of LLRP version 1."""
    return _header.pack(VERSION << 10 | message_type, HEADER_BYTES + len(body), message_id) + body


def type_of(frame: bytes) -> int:
    """Message type of a whole frame."""
    return (frame[0] & 0x03) << 8 | frame[1]


def id_of(frame: bytes) -> int:
    """Message id of a whole frame."""
    return int.from_bytes(frame[6:10])


def shown(frame: bytes) -> str:
    """The start of a frame in hex, short enough for a log line."""
    return frame[:SHOWN_BYTES].hex() + ("..." if len(frame) > SHOWN_BYTES else "")


class FrameCutter:
    """Cuts a byte stream into whole frames. Holds at most one frame of `max_bytes` and a chunk."""

    def __init__(self, max_bytes: int = FRAME_MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._pending = bytearray()
        self._wanted = HEADER_BYTES

    def feed(self, data: bytes) -> Iterable[bytes]:
        """Return the frames that `data` completes, to be taken to their end.

        Raises ProtocolError, after the good frames before it, at a length that cannot be: the
        boundary of frames is lost then, and the connection with it.
        """
        if not self._pending and len(data) >= HEADER_BYTES:
            length: int = _length_at_2(data, 2)[0]
            if length == len(data) <= self._max_bytes:
                return (data,)
        return self._cut(data)

    def _cut(self, data: bytes) -> Iterator[bytes]:
        if self._pending:
            self._pending += data
            if len(self._pending) < self._wanted:
                return
            data = bytes(self._pending)
            self._pending = bytearray()
        position, size = 0, len(data)
        wanted = HEADER_BYTES
        while size - position >= HEADER_BYTES:
            length: int = _length_at_2(data, position + 2)[0]
            if not HEADER_BYTES <= length <= self._max_bytes:
                raise ProtocolError(
                    f"a frame says it is {length} bytes long (10 to {self._max_bytes} allowed): "
                    + shown(data[position : position + SHOWN_BYTES])
                )
            if position + length > size:
                wanted = length
                break
            yield data[position : position + length]
            position += length
        self._wanted = wanted
        if position < size:
            self._pending += data[position:]
