"""LLRP bytes packed by hand, from the standard, for tests only."""

import struct


def message(kind: int, body: bytes = b"", message_id: int = 0) -> bytes:
    return struct.pack("!HII", 0x400 | kind, 10 + len(body), message_id) + body


def tlv(kind: int, content: bytes) -> bytes:
    return struct.pack("!HH", kind, 4 + len(content)) + content


def custom(vendor: int, subtype: int, content: bytes) -> bytes:
    return tlv(1023, struct.pack("!II", vendor, subtype) + content)


def epc_data(bits: int, content: bytes) -> bytes:
    return tlv(241, struct.pack("!H", bits) + content)


def tag(  # one parameter each, as on the wire
    epc: bytes,
    *,
    antenna: int | None = None,
    rssi: int | None = None,
    seen: int | None = None,
    first: int | None = None,
    last: int | None = None,
    extra: bytes = b"",
) -> bytes:
    """TagReportData with an EPC-96."""
    parts = [b"\x8d" + epc]
    if antenna is not None:
        parts.append(b"\x81" + struct.pack("!H", antenna))
    if rssi is not None:
        parts.append(b"\x86" + struct.pack("!b", rssi))
    if first is not None:
        parts.append(b"\x82" + struct.pack("!Q", first))
    if last is not None:
        parts.append(b"\x84" + struct.pack("!Q", last))
    if seen is not None:
        parts.append(b"\x88" + struct.pack("!H", seen))
    return tlv(240, b"".join(parts) + extra)


def report(*parts: bytes) -> bytes:
    return message(61, b"".join(parts))


def status(code: int = 0, text: bytes = b"") -> bytes:
    return tlv(287, struct.pack("!HH", code, len(text)) + text)


def event(*parts: bytes, utc_us: int | None = 1_000_000, uptime_us: int | None = None) -> bytes:
    """READER_EVENT_NOTIFICATION."""
    stamp = b"" if utc_us is None else tlv(128, struct.pack("!Q", utc_us))
    if uptime_us is not None:
        stamp = tlv(129, struct.pack("!Q", uptime_us))
    return message(63, tlv(246, stamp + b"".join(parts)))


def attempt(code: int = 0) -> bytes:
    return tlv(256, struct.pack("!H", code))
