"""The core's book of one location, as the retained topic `book/{location}` tells it."""

from __future__ import annotations

import re

from gateway.model import BookLine
from gateway.uplink.messages import SEQ_MAX, BadPayloadError, Object, text_of, whole_of

LINES_MAX = 4096
"""As the contract says."""

WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.0{1,9})?")
"""A decimal as the contract writes it that is a whole number."""


def parse_book(value: Object) -> tuple[BookLine, ...]:
    """Its lines, those of one item added up; BadPayloadError if it is against the contract."""
    text_of(value, "at")
    told = value.get("lines")
    if not isinstance(told, list) or len(told) > LINES_MAX:
        raise BadPayloadError(f"lines: a list of at most {LINES_MAX} is wanted")
    lines: dict[str, BookLine] = {}
    for number, each in enumerate(told):
        if not isinstance(each, dict):
            raise BadPayloadError(f"lines.{number}: an object is wanted")
        try:
            line = _line(each)
            known = lines.get(line.item)
            lines[line.item] = line if known is None else _added(known, line)
        except BadPayloadError as error:
            raise BadPayloadError(f"lines.{number}.{error}") from None
    return tuple(lines.values())


def _line(value: Object) -> BookLine:
    return BookLine(
        item=text_of(value, "item"),
        quantity=_quantity(value.get("quantity")),
        uom=text_of(value, "uom"),
        safety=_threshold(value, "safety"),
        reorder=_threshold(value, "reorder"),
    )


def _quantity(found: object) -> int:
    if type(found) is int and abs(found) <= SEQ_MAX:
        return found
    if isinstance(found, str) and WHOLE.fullmatch(found):
        return int(found.partition(".")[0])
    raise BadPayloadError("quantity: a whole number is wanted")


def _threshold(value: Object, name: str) -> int | None:
    return whole_of(value, name) if name in value else None


def _added(known: BookLine, line: BookLine) -> BookLine:
    if line.uom != known.uom:
        raise BadPayloadError(f"uom: {line.uom!r}, and {known.uom!r} in another line of the item")
    return BookLine(
        known.item,
        (known.quantity or 0) + (line.quantity or 0),
        known.uom,
        _one_of("safety", known.safety, line.safety),
        _one_of("reorder", known.reorder, line.reorder),
    )


def _one_of(name: str, known: int | None, found: int | None) -> int | None:
    if known is not None and found is not None:
        raise BadPayloadError(f"{name}: stands on another line of the item already")
    return found if known is None else known
