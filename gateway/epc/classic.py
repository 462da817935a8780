"""The schemes of TDS 1.x: a filter value, a partition that says where the company prefix ends, and
a serial number that is a number or a text. Layouts are those of TDS 2.3, 14.6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from gateway.epc.bits import Bits
from gateway.epc.identity import Epc, EpcError, check_digit, urn

PREFIX_BITS = (40, 37, 34, 30, 27, 24, 20)
"""Of the company prefix, by the partition value; it has 12 digits, and one less for each."""

Fields: TypeAlias = tuple[str, str]
"""The company prefix, and the reference beside it."""

Decode: TypeAlias = Callable[[Bits, int], Epc]
"""From the bits behind the filter value, and that."""


def _partitioned(bits: Bits, total_bits: int, total_digits: int) -> Fields:
    partition = bits.take(3)
    if partition >= len(PREFIX_BITS):
        raise EpcError("partition 7 does not exist")
    prefix = bits.number(PREFIX_BITS[partition], 12 - partition, "company prefix")
    left = total_bits - PREFIX_BITS[partition]
    return prefix, bits.number(left, total_digits - len(prefix), "reference")


def _trade_item(bits: Bits) -> tuple[str, Fields]:
    """The GTIN, and company prefix and item reference with the indicator digit before it."""
    prefix, reference = _partitioned(bits, 44, 13)
    digits = reference[0] + prefix + reference[1:]
    return digits + check_digit(digits), (prefix, reference)


def _sgtin(scheme: str, serial_of: Callable[[Bits], str]) -> Decode:
    def decode(bits: Bits, filter_value: int) -> Epc:
        gtin, (prefix, reference) = _trade_item(bits)
        serial = serial_of(bits)
        elements = (("01", gtin), ("21", serial))
        uri = urn("sgtin", prefix, reference, serial)
        return Epc(scheme, filter_value, elements, serial, prefix, uri)

    return decode


def _itip(scheme: str, serial_of: Callable[[Bits], str]) -> Decode:
    def decode(bits: Bits, filter_value: int) -> Epc:
        gtin, (prefix, reference) = _trade_item(bits)
        piece, total = bits.number(7, 2, "piece"), bits.number(7, 2, "total")
        serial = serial_of(bits)
        elements = (("8006", gtin + piece + total), ("21", serial))
        uri = urn("itip", prefix, reference, piece, total, serial)
        return Epc(scheme, filter_value, elements, serial, prefix, uri)

    return decode


def _sscc(bits: Bits, filter_value: int) -> Epc:
    prefix, reference = _partitioned(bits, 58, 17)
    bits.expect_zeros(24)
    digits = reference[0] + prefix + reference[1:]
    key = digits + check_digit(digits)
    uri = urn("sscc", prefix, reference)
    return Epc("sscc-96", filter_value, (("00", key),), reference, prefix, uri)


def _sgln(scheme: str, extension_of: Callable[[Bits], str]) -> Decode:
    def decode(bits: Bits, filter_value: int) -> Epc:
        prefix, reference = _partitioned(bits, 41, 12)
        extension = extension_of(bits)
        gln = prefix + reference
        elements = [("414", gln + check_digit(gln))]
        if extension != "0":  # that says that there is none, TDS 6.3.4
            elements.append(("254", extension))
        uri = urn("sgln", prefix, reference, extension)
        return Epc(scheme, filter_value, tuple(elements), extension, prefix, uri)

    return decode


def _grai(scheme: str, serial_of: Callable[[Bits], str]) -> Decode:
    def decode(bits: Bits, filter_value: int) -> Epc:
        prefix, reference = _partitioned(bits, 44, 12)
        serial = serial_of(bits)
        digits = prefix + reference
        elements = (("8003", f"0{digits}{check_digit(digits)}{serial}"),)
        uri = urn("grai", prefix, reference, serial)
        return Epc(scheme, filter_value, elements, serial, prefix, uri)

    return decode


def _giai(scheme: str, reference_of: Callable[[Bits, int], str]) -> Decode:
    def decode(bits: Bits, filter_value: int) -> Epc:
        partition = bits.take(3)
        if partition >= len(PREFIX_BITS):
            raise EpcError("partition 7 does not exist")
        prefix = bits.number(PREFIX_BITS[partition], 12 - partition, "company prefix")
        reference = reference_of(bits, partition)
        elements = (("8004", prefix + reference),)
        uri = urn("giai", prefix, reference)
        return Epc(scheme, filter_value, elements, reference, prefix, uri)

    return decode


def _whole(count: int) -> Callable[[Bits], str]:
    return lambda bits: str(bits.take(count))


def _text(count: int, characters_max: int) -> Callable[[Bits], str]:
    return lambda bits: bits.string(count, characters_max, "serial number")


CLASSIC: dict[int, Decode] = {
    0x30: _sgtin("sgtin-96", _whole(38)),
    0x36: _sgtin("sgtin-198", _text(140, 20)),
    0x31: _sscc,
    0x32: _sgln("sgln-96", _whole(41)),
    0x39: _sgln("sgln-195", _text(140, 20)),
    0x33: _grai("grai-96", _whole(38)),
    0x37: _grai("grai-170", _text(112, 16)),
    0x34: _giai("giai-96", lambda bits, part: str(bits.take(82 - PREFIX_BITS[part]))),
    0x38: _giai(
        "giai-202",
        lambda bits, part: bits.string(188 - PREFIX_BITS[part], 18 + part, "asset reference"),
    ),
    0x40: _itip("itip-110", _whole(38)),
    0x41: _itip("itip-212", _text(140, 20)),
}
"""By the header."""
