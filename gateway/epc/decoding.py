"""From the hexadecimal digits of a tag to its EPC, by the header they begin with."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from gateway.epc.bits import Bits
from gateway.epc.classic import CLASSIC
from gateway.epc.identity import Epc, EpcError
from gateway.epc.plus import PLUS, decode_plus

DIGITS_MAX = 124
"""A tag's protocol control word counts at most 31 words of 16 bits."""

REMEMBERED_MAX = 4096
"""A thousand trade items, or as many other tags as come and go within minutes; below 2 MB. Tags
that stand are not asked for.
"""

SGTIN_96_DIGITS, SERIAL_FROM = 24, 15
"""The serial number begins with bit 58, in the fifteenth digit."""


class Kind(NamedTuple):
    """The trade item that a tag names, and what begins with the company prefix; see Epc."""

    gtin: str
    owned: str


HEX_DIGITS = frozenset("0123456789abcdef")

OTHERS = {
    0x2C: "gdti-96",
    0x2D: "gsrn-96",
    0x2E: "gsrnp-96",
    0x2F: "usdod-96",
    0x35: "gid-96",
    0x3B: "adi-var",
    0x3C: "cpi-96",
    0x3D: "cpi-var",
    0x3E: "gdti-174",
    0x3F: "sgcn-96",
    0xF0: "cpi+",
    0xF4: "gsrn+",
    0xF5: "gsrnp+",
    0xF6: "gdti+",
    0xF8: "sgcn+",
}
"""Schemes that name no trade item, logistic unit, place or asset of stock."""


def decode_epc(digits: str) -> Epc:
    """What a tag with these hexadecimal digits says; EpcError says why it cannot be told."""
    digits = digits.lower()
    if not HEX_DIGITS.issuperset(digits):
        raise EpcError("it has characters that are no hexadecimal digits")
    if not 2 <= len(digits) <= DIGITS_MAX:
        raise EpcError(f"it has {len(digits)} hexadecimal digits; 2 to {DIGITS_MAX} are wanted")
    bits = Bits(digits)
    header = bits.take(8)
    if header in CLASSIC:
        epc = CLASSIC[header](bits, bits.take(3))
        bits.expect_zeros()
        return epc
    if header in PLUS:
        return decode_plus(header, bits)
    if header in OTHERS:
        raise EpcError(f"{OTHERS[header]} is read by its prefix only")
    if header == 0:
        raise EpcError("header 00: the tag was never programmed")
    raise EpcError(f"header {header:02x} is of no known scheme")


def epc_of(digits: str) -> Epc | None:
    """The same, None if it cannot be told."""
    try:
        return decode_epc(digits)
    except EpcError:
        return None


def kind_of(digits: str) -> Kind | None:
    """What it says of the kind of thing; None if it cannot be told. Remembered for those that were
    asked for last: all SGTIN-96 of a trade item are one, whatever their serial number.
    """
    if len(digits) == SGTIN_96_DIGITS and digits.startswith("30"):
        digits = digits[:SERIAL_FROM].ljust(SGTIN_96_DIGITS, "0")
    return _kind(digits)


@lru_cache(REMEMBERED_MAX)
def _kind(digits: str) -> Kind | None:
    epc = epc_of(digits)
    return Kind(epc.gtin, epc.owned) if epc else None
