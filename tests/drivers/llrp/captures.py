"""Frames recorded from readers and made by the LLRP Toolkit, with the Toolkit's own decode."""

import gzip
import struct
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

EDGEX_TYPES = {
    "GetReaderCapabilitiesResponse": 11,
    "GetReaderConfigResponse": 12,
    "ROAccessReport": 61,
    "ReaderEventNotification": 63,
}


def read(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def split(stream: bytes) -> list[bytes]:
    """Split whole frames, by nothing but their length field."""
    frames = []
    while stream:
        length = int.from_bytes(stream[2:6])
        frames.append(stream[:length])
        stream = stream[length:]
    return frames


def edgex_frame(path: Path) -> bytes:
    """Put the header in front of a message body."""
    kind = EDGEX_TYPES[path.name.split("_")[1].split("-")[0]]
    body = path.read_bytes()
    return struct.pack("!HII", 0x400 | kind, 10 + len(body), 7) + body


def xml_tags(path: Path) -> Iterator[dict[str, object]]:
    """The TagReportData of an XML twin, as far as this driver reads them."""
    for element in ET.fromstring(read(path)).iter():
        if _name(element) == "TagReportData":
            yield _tag(element)


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _tag(element: ET.Element) -> dict[str, object]:
    tag: dict[str, object] = {}
    for child in element:
        name = _name(child)
        if name in ("EPC_96", "EPCData"):
            epc = child[0]
            content = bytes.fromhex(epc.text or "")
            bits = int(epc.get("Count", len(content) * 8))
            value = (
                int.from_bytes(content) >> (len(content) * 8 - bits) << (len(content) * 8 - bits)
            )
            tag["epc"] = value.to_bytes(len(content))
        elif name == "AntennaID":
            tag["antenna"] = int(child[0].text or "")
        elif name == "PeakRSSI":
            tag["rssi"] = int(child[0].text or "")
        elif name == "TagSeenCount":
            tag["seen"] = int(child[0].text or "")
        elif name in ("FirstSeenTimestampUTC", "LastSeenTimestampUTC"):
            tag["first" if name.startswith("First") else "last"] = _microseconds(
                child[0].text or ""
            )
        elif name in ("FirstSeenTimestampUptime", "LastSeenTimestampUptime"):
            tag["first" if name.startswith("First") else "last"] = int(child[0].text or "")
    return tag


def _microseconds(text: str) -> int:
    since_1970 = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    return since_1970 // timedelta(microseconds=1)
