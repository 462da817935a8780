"""The schemes of TDS 2.x: application identifiers' values one after the other, no partition.

A `++` tag carries the name of a host behind them, which is left unread, as is what a tag says that
is no part of its EPC (its +AIDC data). Layouts are those of TDS 2.3, 14.6; values 14.5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from gateway.epc.bits import Bits
from gateway.epc.identity import Epc, EpcError, checked

DATE_AIS = ("11", "13", "15", "16", "17", "7006", "7007")
"""Production, packaging, best before, sell by, expiry, first freezing, harvest."""


class Plus(NamedTuple):
    """What an EPC says: its elements, and the serial number or what stands for it."""

    elements: tuple[tuple[str, str], ...]
    serial: str


Read: TypeAlias = Callable[[Bits], Plus]


def _sgtin(bits: Bits) -> Plus:
    gtin = checked("GTIN", bits.decimals(14, "GTIN"))
    serial = bits.alphanumeric("serial number", 20)
    return Plus((("01", gtin), ("21", serial)), serial)


def _dsgtin(bits: Bits) -> Plus:
    kind, year, month, day = bits.take(4), bits.take(7), bits.take(4), bits.take(5)
    date = f"{year:02}{month:02}{day:02}"
    if kind >= len(DATE_AIS) or year > 99 or not 1 <= month <= 12:
        raise EpcError(f"the date {date} of kind {kind} does not exist")
    elements, serial = _sgtin(bits)
    return Plus((*elements, (DATE_AIS[kind], date)), serial)


def _sscc(bits: Bits) -> Plus:
    key = checked("SSCC", bits.decimals(18, "SSCC"))
    return Plus((("00", key),), key[:-1])


def _sgln(bits: Bits) -> Plus:
    key = checked("GLN", bits.decimals(13, "GLN"))
    extension = bits.alphanumeric("extension", 20)
    more = () if extension == "0" else (("254", extension),)
    return Plus((("414", key), *more), extension)


def _grai(bits: Bits) -> Plus:
    key = checked("GRAI", bits.decimals(14, "GRAI"))
    serial = bits.alphanumeric("serial number", 16)
    return Plus((("8003", key + serial),), serial)


def _giai(bits: Bits) -> Plus:
    key = bits.delimited("GIAI", 30)
    return Plus((("8004", key),), key)


def _itip(bits: Bits) -> Plus:
    key = bits.decimals(18, "ITIP")
    checked("GTIN", key[:14])
    serial = bits.alphanumeric("serial number", 20)
    return Plus((("8006", key), ("21", serial)), serial)


PLUS: dict[int, tuple[str, Read]] = {
    0xF7: ("sgtin+", _sgtin),
    0xFB: ("dsgtin+", _dsgtin),
    0xF9: ("sscc+", _sscc),
    0xF2: ("sgln+", _sgln),
    0xF1: ("grai+", _grai),
    0xFA: ("giai+", _giai),
    0xF3: ("itip+", _itip),
    0xFD: ("sgtin++", _sgtin),
    0xFC: ("dsgtin++", _dsgtin),
    0xEF: ("sscc++", _sscc),
    0xE9: ("sgln++", _sgln),
    0xEB: ("grai++", _grai),
    0xEE: ("giai++", _giai),
    0xED: ("itip++", _itip),
}
"""By the header."""


def decode_plus(header: int, bits: Bits) -> Epc:
    """The EPC behind that header, which is one of `PLUS`."""
    scheme, read = PLUS[header]
    more = bits.take(1)
    filter_value = bits.take(3)
    elements, serial = read(bits)
    if not more and not scheme.endswith("++"):
        bits.expect_zeros()
    return Epc(scheme, filter_value, elements, serial)
