"""GS1 element strings and Digital Links in a scan, read by biip.

It stands here, not in a rule, because biip looks at the clock for the century of a date: what it
found is part of the observation, so that a replay decides the same.
"""

from __future__ import annotations

import re

from biip import ParseConfig, ParseError
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_element_strings import GS1ElementString
from biip.gs1_messages import GS1Message

Elements = tuple[tuple[str, str], ...]

SYMBOLOGY = re.compile(r"^\][A-Za-z][0-9A-Za-z]")
"""The symbology identifier of ISO/IEC 15424 that a scanner may put before what it read."""

GS1_SYMBOLOGIES = ("]C1", "]e0", "]d2", "]Q3", "]J1")
"""GS1-128, DataBar, Data Matrix, QR and DotCode: the code itself says that it holds elements."""

SEPARATOR = "\x1d"

UNVERIFIED = ParseConfig(gs1_element_strings_verify_date=False)
"""A date that cannot be is the label's matter: the rest of the code is as good."""


def parted(text: str) -> tuple[str, str]:
    """The symbology identifier, or "", and what the code says."""
    found = SYMBOLOGY.match(text)
    return ("", text) if found is None else (found[0], text[found.end() :])


def elements_of(symbology: str, text: str) -> Elements:
    """The application identifiers and values of a code; () if it holds none.

    Without a symbology identifier only a Digital Link, or a text that begins with a separator, is
    taken for GS1: the digits of any other code may look like elements.
    """
    if "://" in text:
        return _of_link(text)
    if symbology not in GS1_SYMBOLOGIES and not text.startswith(SEPARATOR):
        return ()
    try:
        message = GS1Message.parse(text.strip(SEPARATOR), config=UNVERIFIED)
    except ParseError:
        return ()
    return _pairs(message.element_strings)


def _of_link(text: str) -> Elements:
    try:
        link = GS1DigitalLinkURI.parse(text, config=UNVERIFIED)
    except (ParseError, ValueError):
        return ()
    return _pairs(link.element_strings)


def _pairs(found: list[GS1ElementString]) -> Elements:
    """What is checked by a digit and does not fit it was misread or misprinted: nothing of it."""
    if any(each.gtin_error or each.gln_error or each.sscc_error for each in found):
        return ()
    return tuple((each.ai.ai, each.value) for each in found)
