"""Frames recorded from readers and made by the LLRP Toolkit, with the Toolkit's own decode."""

import gzip
import struct
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from drivers.llrp import control
from drivers.llrp.capabilities import Capabilities, capabilities_of

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


def r420(folder: Path) -> Capabilities:
    path = folder / "llrp" / "edgex_GetReaderCapabilitiesResponse-000.payload.bin"
    return capabilities_of(control.decode(edgex_frame(path)).fields)


def r220(folder: Path) -> Capabilities:
    path = folder / "llrp" / "sllurp_r220_get_reader_capabilities_response.bin"
    return capabilities_of(control.decode(path.read_bytes()).fields)


def pcap(frames: list[bytes]) -> bytes:
    """One TCP segment per frame, from a client to port 5084, as a capture of raw IP packets."""
    packets = [struct.pack("!IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101)]
    sequence = 1
    for frame in frames:
        tcp = struct.pack("!HHIIBBHHH", 40_000, 5084, sequence, 1, 0x50, 0x18, 8192, 0, 0) + frame
        ip = struct.pack(
            "!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0, b"\x7f\0\0\1", b"\x7f\0\0\2"
        )
        packets.append(struct.pack("!IIII", 0, 0, len(ip + tcp), len(ip + tcp)) + ip + tcp)
        sequence += len(frame)
    return b"".join(packets)


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
