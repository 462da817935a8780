"""The bodies of READER_EVENT_NOTIFICATION (LLRP 1.0.1 section 13.2.6)."""

from __future__ import annotations

import struct

from simulators.llrp.wire import ParameterType, tlv

CONNECTED = 0
REFUSED_CLIENT_EXISTS = 2
REFUSED_OTHER = 3
ANOTHER_ATTEMPTED = 4
"""Values of the ConnectionAttemptEvent's status."""

STARTED, ENDED = 0, 1
"""Values of a ROSpecEvent's type."""


def notification(timestamp: bytes, event: bytes) -> bytes:
    """Return the body of a READER_EVENT_NOTIFICATION with one event."""
    return tlv(ParameterType.READER_EVENT_NOTIFICATION_DATA, timestamp + event)


def connection_attempt(status: int) -> bytes:
    """Tell a client what became of its, or another's, attempt to connect."""
    return tlv(ParameterType.CONNECTION_ATTEMPT_EVENT, struct.pack("!H", status))


def connection_close() -> bytes:
    """Say that the reader is about to close the connection."""
    return tlv(ParameterType.CONNECTION_CLOSE_EVENT)


def hopping(hop_table: int, channel: int) -> bytes:
    """Say that the reader moves to another channel."""
    return tlv(ParameterType.HOPPING_EVENT, struct.pack("!HH", hop_table, channel))


def gpi(port: int, level: bool) -> bytes:
    """Say that an input changed its level."""
    return tlv(ParameterType.GPI_EVENT, struct.pack("!HB", port, 0x80 * level))


def rospec(kind: int, number: int) -> bytes:
    """Say that a ROSpec started or ended."""
    return tlv(ParameterType.ROSPEC_EVENT, struct.pack("!BII", kind, number, 0))


def ai_spec_end(rospec_number: int, spec_index: int) -> bytes:
    """Say that an AISpec ended; specs are counted from 1."""
    end_of_ai_spec = 0
    body = struct.pack("!BIH", end_of_ai_spec, rospec_number, spec_index)
    return tlv(ParameterType.AI_SPEC_EVENT, body)


def buffer_level(percent: int) -> bytes:
    """Warn that the report buffer fills up."""
    return tlv(ParameterType.REPORT_BUFFER_LEVEL_WARNING_EVENT, bytes([percent]))


def buffer_overflow() -> bytes:
    """Say that reports were lost because the buffer was full."""
    return tlv(ParameterType.REPORT_BUFFER_OVERFLOW_ERROR_EVENT)


def reader_exception(text: str, antenna: int = 0) -> bytes:
    """Report a trouble of the reader itself, at one antenna or (0) in general."""
    words = text.encode()
    body = struct.pack("!H", len(words)) + words
    if antenna:
        body += struct.pack("!BH", 0x80 | 1, antenna)
    return tlv(ParameterType.READER_EXCEPTION_EVENT, body)


def antenna(number: int, connected: bool) -> bytes:
    """Say that an antenna was connected or lost."""
    return tlv(ParameterType.ANTENNA_EVENT, struct.pack("!BH", connected, number))
