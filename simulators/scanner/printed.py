"""What a scanner reads off GS1 labels, with the symbology identifier in front.

A field whose length is not fixed by its identifier ends with FNC1, which scanners send as the
group separator, unless it is the last (GS1 General Specifications, 7.8).
"""

from __future__ import annotations

FNC1 = "\x1d"

FIXED_LENGTH = ("00", "01", "02", "03", "04", "11", "12", "13", "14", "15", "16", "17", "18", "19")
FIXED_LENGTH_LATER = ("20", "31", "32", "33", "34", "35", "36", "41")
"""The first two digits of the identifiers that need no separator."""


def gs1_128(*fields: tuple[str, str]) -> str:
    """A linear GS1-128 label."""
    return "]C1" + _joined(fields)


def data_matrix(*fields: tuple[str, str]) -> str:
    """A GS1 Data Matrix."""
    return "]d2" + _joined(fields)


def link_in_qr(domain: str, *fields: tuple[str, str]) -> str:
    """A QR code with a Digital Link."""
    return f"]Q1https://{domain}/" + "/".join("/".join(field) for field in fields)


def _joined(fields: tuple[tuple[str, str], ...]) -> str:
    text = ""
    for identifier, value in fields[:-1]:
        fixed = identifier[:2] in FIXED_LENGTH + FIXED_LENGTH_LATER
        text += identifier + value + ("" if fixed else FNC1)
    return text + "".join(fields[-1])
