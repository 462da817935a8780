"""What an EPC says of the thing that carries it, and the check digit that GS1 keys end in."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

RESOLVER = "https://id.gs1.org"
"""The canonical host of GS1 Digital Links; a `++` tag may name its own, which is not read."""

URN_SAFE = "!'()*+,-.:;=_"
"""What stands as it is in a pure identity URI (TDS 6.3.1 and 7)."""

TRADE_ITEM_AIS = ("01", "8006")
ASSET_AIS = ("8003", "8004")


class EpcError(ValueError):
    """An EPC cannot be decoded; says why, in a form that a person can act on."""


@dataclass(frozen=True, slots=True)
class Epc:
    """A decoded EPC.

    `elements` are GS1 application identifiers with their values, the key first. `uri` is the pure
    identity URI and `company_prefix` the part of the key that GS1 gave out; both are empty for the
    `+` schemes, whose tags do not tell where the prefix ends.
    """

    scheme: str
    filter_value: int
    elements: tuple[tuple[str, str], ...]
    serial: str = ""
    company_prefix: str = ""
    uri: str = ""

    @property
    def gtin(self) -> str:
        """The 14 digits of the trade item that it is a piece of; "" if it is none."""
        ai, key = self.elements[0]
        return key[:14] if ai in TRADE_ITEM_AIS else ""

    @property
    def owned(self) -> str:
        """What begins with the company prefix, of a trade item or an asset; "" of all else: a
        logistic unit or a place says nothing of what is in it.
        """
        ai, key = self.elements[0]
        if ai == "8004":
            return key
        return key[1:13] if ai in TRADE_ITEM_AIS or ai in ASSET_AIS else ""

    @property
    def element_string(self) -> str:
        """As a person reads it, the identifiers in brackets."""
        return "".join(f"({ai}){value}" for ai, value in self.elements)

    @property
    def digital_link(self) -> str:
        """The GS1 Digital Link URI: what is no part of the identity stands in the query."""
        path = [part for part in self.elements if part[0] in IDENTITY_AIS]
        query = [part for part in self.elements if part[0] not in IDENTITY_AIS]
        link = RESOLVER + "".join(f"/{ai}/{quote(value, safe='')}" for ai, value in path)
        return link + "".join(f"?{ai}={value}" for ai, value in query)


IDENTITY_AIS = {"00", "01", "21", "254", "414", "8003", "8004", "8006"}


def check_digit(digits: str) -> str:
    """The digit that follows them: GS1 General Specifications 7.9."""
    weighted = sum(int(digit) * (3, 1)[i % 2] for i, digit in enumerate(reversed(digits)))
    return str(-weighted % 10)


def checked(key: str, digits: str) -> str:
    """A GS1 key whose last digit is right; EpcError if it is not."""
    if check_digit(digits[:-1]) != digits[-1]:
        raise EpcError(f"the check digit of {key} {digits} is wrong")
    return digits


def gtin14(text: str) -> str:
    """A GTIN of 8, 12, 13 or 14 digits as its 14; EpcError if it is none."""
    if len(text) not in {8, 12, 13, 14} or not text.isascii() or not text.isdigit():
        raise EpcError(f"a GTIN has 8, 12, 13 or 14 digits, not {text!r}")
    return checked("GTIN", text.zfill(14))


def urn(scheme: str, *parts: str) -> str:
    """A pure identity URI."""
    return f"urn:epc:id:{scheme}:" + ".".join(quote(part, safe=URN_SAFE) for part in parts)
