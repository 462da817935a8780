"""What the reader reports of its reads: content selection, accumulation, RO_ACCESS_REPORT.

LLRP 1.0.1 sections 13.2 and 13.2.3: a report carries what the selector enabled; reads of one EPC
whose enabled key fields agree are one entry with a count, the highest RSSI and the first and the
last time.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import NamedTuple

from simulators.llrp.device import IMPINJ
from simulators.llrp.field import Sighting
from simulators.llrp.wire import (
    ParameterType,
    Status,
    bad_field,
    bad_parameter,
    custom,
    fields,
    parameters,
    tlv,
    unexpected,
)

ACCUMULATED_MAX = 65_536
"""Entries kept for one report: more are lost, as in a real reader's buffer."""

COUNT_MAX = 0xFFFF
NONE, END_OF_AISPEC, END_OF_ROSPEC = range(3)
"""Values of ROReportTrigger; the N of a report comes on top."""

CONTENT_SELECTOR = 50
ENABLE_PHASE, ENABLE_PEAK_RSSI, ENABLE_DOPPLER = 52, 53, 67
PHASE, PEAK_RSSI, DOPPLER = 56, 57, 68
"""Sub-types of the Impinj report parameters."""


class Content:
    """Bits of the TagReportContentSelector."""

    ROSPEC_ID = 0x8000
    SPEC_INDEX = 0x4000
    INVENTORY_PARAMETER_SPEC_ID = 0x2000
    ANTENNA_ID = 0x1000
    CHANNEL_INDEX = 0x0800
    PEAK_RSSI = 0x0400
    FIRST_SEEN = 0x0200
    LAST_SEEN = 0x0100
    SEEN_COUNT = 0x0080
    ACCESS_SPEC_ID = 0x0040


@dataclass(frozen=True, slots=True)
class ReportSpec:
    """When a report is due, and what it holds; `extras` are enabled Impinj sub-types."""

    trigger: int = END_OF_ROSPEC
    every: int = 1
    content: int = Content.ANTENNA_ID | Content.PEAK_RSSI | Content.FIRST_SEEN
    with_crc: bool = False
    with_pc: bool = False
    extras: frozenset[int] = frozenset()

    def encode(self) -> bytes:
        """Return the ROReportSpec parameter."""
        memory = 0x80 * self.with_crc | 0x40 * self.with_pc
        selector = struct.pack("!H", self.content)
        selector += tlv(ParameterType.C1G2_EPC_MEMORY_SELECTOR, bytes([memory]))
        body = struct.pack("!BH", self.trigger, self.every)
        body += tlv(ParameterType.TAG_REPORT_CONTENT_SELECTOR, selector)
        if self.extras:
            switches = b"".join(
                custom(IMPINJ, extra, struct.pack("!H", 1)) for extra in sorted(self.extras)
            )
            body += custom(IMPINJ, CONTENT_SELECTOR, switches)
        return tlv(ParameterType.RO_REPORT_SPEC, body)


def parse_report_spec(body: bytes, *, extensions: bool) -> ReportSpec:
    """Read a ROReportSpec; RequestError where it is wrong."""
    kind = ParameterType.RO_REPORT_SPEC
    trigger, every = fields("!BH", body, kind)
    if trigger > END_OF_ROSPEC:
        raise bad_field(kind, 0, "no such report trigger in 1.0.1")
    content: int | None = None
    memory = 0
    extras: frozenset[int] = frozenset()
    for part in parameters(body[3:], kind):
        if part.type == ParameterType.TAG_REPORT_CONTENT_SELECTOR:
            (content,) = fields("!H", part.body, part.type)
            memory |= _memory_selector(part.body[2:])
        elif part.type == ParameterType.CUSTOM:
            extras |= _extras(part.body, extensions=extensions)
        else:
            raise unexpected(part, kind)
    if content is None:
        missing = ParameterType.TAG_REPORT_CONTENT_SELECTOR
        raise bad_parameter(missing, Status.P_MISSING_PARAMETER)
    return ReportSpec(trigger, every, content, bool(memory & 0x80), bool(memory & 0x40), extras)


def _memory_selector(data: bytes) -> int:
    memory = 0
    for part in parameters(data, ParameterType.TAG_REPORT_CONTENT_SELECTOR):
        if part.type != ParameterType.C1G2_EPC_MEMORY_SELECTOR:
            raise unexpected(part, ParameterType.TAG_REPORT_CONTENT_SELECTOR)
        (bits,) = fields("!B", part.body, part.type)
        memory |= bits
    return memory


def _extras(body: bytes, *, extensions: bool) -> frozenset[int]:
    kind = ParameterType.CUSTOM
    vendor, subtype = fields("!II", body, kind)
    if vendor != IMPINJ or not extensions:
        raise bad_parameter(kind, Status.P_UNSUPPORTED_PARAMETER, "extensions are off")
    if subtype != CONTENT_SELECTOR:
        return frozenset()
    enabled = set()
    for part in parameters(body[8:], kind):
        _vendor, switch, on = fields("!IIH", part.body, part.type)
        if on:
            enabled.add(switch)
    return frozenset(enabled)


class Origin(NamedTuple):
    """Where in the ROSpec a read was made."""

    rospec: int
    spec_index: int
    inventory_spec: int
    antenna: int


@dataclass(slots=True)
class Entry:
    """Reads of one tag that are reported together; times in microseconds."""

    sighting: Sighting
    origin: Origin
    first_us: int
    last_us: int
    peak_dbm: float
    count: int = 1


class TagData:
    """Builds TagReportData parameters for one report specification."""

    def __init__(self, spec: ReportSpec, *, has_utc_clock: bool) -> None:
        self._spec = spec
        self._first_type = 2 if has_utc_clock else 3
        self._last_type = 4 if has_utc_clock else 5

    def encode(self, entry: Entry) -> bytes:
        """Return the TagReportData of one entry, its parts in the order of the standard."""
        sighting = entry.sighting
        body = _epc(sighting.epc) + self._selected(entry)
        if self._spec.with_pc:
            body += struct.pack("!BH", 0x80 | 12, sighting.pc)
        if self._spec.with_crc:
            body += struct.pack("!BH", 0x80 | 11, sighting.crc)
        if self._spec.content & Content.ACCESS_SPEC_ID:
            body += struct.pack("!BI", 0x80 | 16, 0)
        if self._spec.extras:
            body += self._vendor_parts(entry)
        return tlv(ParameterType.TAG_REPORT_DATA, body)

    def _selected(self, entry: Entry) -> bytes:
        content, origin = self._spec.content, entry.origin
        body = b""
        if content & Content.ROSPEC_ID:
            body += struct.pack("!BI", 0x80 | 9, origin.rospec)
        if content & Content.SPEC_INDEX:
            body += struct.pack("!BH", 0x80 | 14, origin.spec_index)
        if content & Content.INVENTORY_PARAMETER_SPEC_ID:
            body += struct.pack("!BH", 0x80 | 10, origin.inventory_spec)
        if content & Content.ANTENNA_ID:
            body += struct.pack("!BH", 0x80 | 1, origin.antenna)
        if content & Content.PEAK_RSSI:
            body += struct.pack("!Bb", 0x80 | 6, max(-128, min(127, round(entry.peak_dbm))))
        if content & Content.CHANNEL_INDEX:
            body += struct.pack("!BH", 0x80 | 7, entry.sighting.channel)
        if content & Content.FIRST_SEEN:
            body += struct.pack("!BQ", 0x80 | self._first_type, entry.first_us)
        if content & Content.LAST_SEEN:
            body += struct.pack("!BQ", 0x80 | self._last_type, entry.last_us)
        if content & Content.SEEN_COUNT:
            body += struct.pack("!BH", 0x80 | 8, min(entry.count, COUNT_MAX))
        return body

    def _vendor_parts(self, entry: Entry) -> bytes:
        extras, sighting = self._spec.extras, entry.sighting
        body = b""
        if ENABLE_PHASE in extras:
            body += custom(IMPINJ, PHASE, struct.pack("!H", sighting.phase % 4096))
        if ENABLE_PEAK_RSSI in extras:
            body += custom(IMPINJ, PEAK_RSSI, struct.pack("!h", round(entry.peak_dbm * 100)))
        if ENABLE_DOPPLER in extras:
            body += custom(IMPINJ, DOPPLER, struct.pack("!h", sighting.doppler))
        return body


def _epc(epc: bytes) -> bytes:
    if len(epc) == 12:
        return b"\x8d" + epc
    body = struct.pack("!H", len(epc) * 8) + epc
    return tlv(ParameterType.EPC_DATA, body)


@dataclass(slots=True)
class Accumulator:
    """Gathers reads until a report is due. `lost` counts reads that found no place."""

    spec: ReportSpec
    has_utc_clock: bool
    lost: int = 0
    _entries: dict[tuple[object, ...], Entry] = field(default_factory=dict)

    def add(self, sighting: Sighting, origin: Origin, at_us: int) -> bytes | None:
        """Take one read; return the body of a report when it completes one."""
        key = self._key(sighting, origin)
        entry = self._entries.get(key)
        if entry is not None:
            entry.count += 1
            entry.last_us = at_us
            entry.peak_dbm = max(entry.peak_dbm, sighting.rssi_dbm)
        elif len(self._entries) >= ACCUMULATED_MAX:
            self.lost += 1
        else:
            self._entries[key] = Entry(sighting, origin, at_us, at_us, sighting.rssi_dbm)
        every = self.spec.every
        due = self.spec.trigger != NONE and 0 < every <= len(self._entries)
        return self.take() if due else None

    def take(self) -> bytes:
        """Return a report body of everything gathered (empty if nothing) and start anew."""
        data = TagData(self.spec, has_utc_clock=self.has_utc_clock)
        body = b"".join(data.encode(entry) for entry in self._entries.values())
        self._entries.clear()
        return body

    def end_of_ai_spec(self) -> bytes:
        """Return the report that is due at the end of an AISpec, or nothing."""
        return self.take() if self.spec.trigger == END_OF_AISPEC else b""

    def end_of_rospec(self) -> bytes:
        """Return the report that is due at the end of the ROSpec, or nothing."""
        return self.take() if self.spec.trigger != NONE else b""

    def _key(self, sighting: Sighting, origin: Origin) -> tuple[object, ...]:
        content = self.spec.content
        return (
            sighting.epc,
            origin.rospec if content & Content.ROSPEC_ID else 0,
            origin.spec_index if content & Content.SPEC_INDEX else 0,
            origin.inventory_spec if content & Content.INVENTORY_PARAMETER_SPEC_ID else 0,
            origin.antenna if content & Content.ANTENNA_ID else 0,
        )
