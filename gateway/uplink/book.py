"""The core's book of one location, as the retained topic `book/{location}` tells it."""

from __future__ import annotations

import re

from gateway.book import together
from gateway.measure import MeasureError, whole
from gateway.model import MEASURES, BookLine, BookLot, is_day
from gateway.uplink.messages import KEY_MAX, SEQ_MAX, BadPayloadError, Object, key_of, text_of

LINES_MAX = 4096
"""As the contract says."""

_FIELDS = {"item", "quantity", "uom", "lot", "expires", "received", "safety", "reorder"}

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
            lines[line.item] = line if known is None else together(known, line)
        except ValueError as error:
            raise BadPayloadError(f"lines.{number}.{error}") from None
    return tuple(lines.values())


def _line(value: Object) -> BookLine:
    _known_only(value)
    told = text_of(value, "uom")
    amount = _amount(value, "quantity")
    quantity, uom = _whole("quantity", amount or "", told)
    return BookLine(
        item=text_of(value, "item"),
        quantity=quantity,
        uom=uom,
        safety=_threshold(value, "safety", told),
        reorder=_threshold(value, "reorder", told),
        lots=_lots(value, quantity),
    )


def _known_only(value: Object) -> None:
    strange = sorted(value.keys() - _FIELDS)
    if strange:
        raise BadPayloadError(f"{strange[0]:.{KEY_MAX}}: this field is not known")


def _lots(value: Object, quantity: int) -> tuple[BookLot, ...]:
    if "lot" not in value:
        for name in ("expires", "received"):
            if name in value:
                raise BadPayloadError(f"{name}: is of a lot, and no lot is named")
        return ()
    return (
        BookLot(key_of(value, "lot"), quantity, _day(value, "expires"), _day(value, "received")),
    )


def _day(value: Object, name: str) -> str:
    found = value.get(name, "")
    if isinstance(found, str) and (not found or is_day(found)):
        return found
    raise BadPayloadError(f"{name}: a day is wanted, such as 2027-03-31")


def _amount(value: Object, name: str) -> str | None:
    """A decimal, as text; None if it is not there."""
    found = value.get(name)
    if type(found) is int and abs(found) <= SEQ_MAX:
        return str(found)
    return found if isinstance(found, str) else None


def _whole(name: str, amount: str, uom: str) -> tuple[int, str]:
    """Measures in grams or millilitres; of other units, their items say more, whole ones only."""
    try:
        if uom in MEASURES:
            return whole(amount, uom, None)
    except MeasureError as error:
        raise BadPayloadError(str(error).replace("quantity", name, 1)) from None
    if WHOLE.fullmatch(amount):
        return int(amount.partition(".")[0]), uom
    raise BadPayloadError(f"{name}: a whole number is wanted, or a decimal of a measure such as kg")


def _threshold(value: Object, name: str, uom: str) -> int | None:
    if name not in value:
        return None
    found, _ = _whole(name, _amount(value, name) or "", uom)
    if found < 0:
        raise BadPayloadError(f"{name}: nothing below 0 is wanted")
    return found
