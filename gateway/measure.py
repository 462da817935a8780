"""Exact conversion between units of measure: decimals as text in, whole numbers out, no floats.

Measures of mass and volume are held in grams and millilitres, whoever names them in what. Other
units (a box) are those of an item, which says how many of its own unit are in one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, localcontext

from gateway.master import Item
from gateway.units import MEASURES

PIECES = "pcs"
"""What an item is counted in that says nothing else."""

READABLE: Mapping[str, str] = {"g": "kg", "ml": "l"}
"""In what people read grams and millilitres: a thousand of them."""

QUANTITY_MAX = (1 << 53) - 1
"""The largest whole number that the contract can tell."""

DIGITS_MAX = 80
"""No product of two decimals of the contract (16 digits and 9 behind the point) has more."""

DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,9})?", re.ASCII)
"""A decimal as the contract writes it, or a whole number as text."""


class MeasureError(ValueError):
    """A quantity that is not a whole number of what stock is counted in; says why."""


def whole(amount: str, uom: str, item: Item | None) -> tuple[int, str]:
    """So many, as a whole number of what stock of the item is counted in, and what that is.

    Without a `uom` it is the item's. Of an item that nobody has told of yet, only measures are
    known. MeasureError if the unit is not known, or the result is not whole or too large.
    """
    factor, base = _factor(uom, item)
    return _exact(amount, factor, uom or base, base), base


def readable(quantity: int, base_uom: str) -> tuple[str, str]:
    """The same quantity as people read it: 2500 g are 2.5 kg; other units stay as they are."""
    if base_uom not in READABLE:
        return str(quantity), base_uom
    thousands = Decimal(quantity).scaleb(-3).normalize()
    return f"{thousands:f}", READABLE[base_uom]


def in_unit(quantity: int, uom: str, item: Item) -> str | None:
    """The quantity of an item as a decimal of that unit, if it is an exact one."""
    factor, _ = _factor(uom, item)
    with localcontext() as context:
        context.prec = DIGITS_MAX
        share = Decimal(quantity) / factor
        exact = share * factor == quantity
    text = f"{share.normalize():f}"
    return text if exact and DECIMAL.fullmatch(text) else None


def _factor(uom: str, item: Item | None) -> tuple[Decimal, str]:
    """How many of what stock is counted in are in one of that unit."""
    if item is None:
        if uom == "":
            return Decimal(1), PIECES
        if uom not in MEASURES:
            raise MeasureError(f"uom: {uom!r} cannot be converted before its item is told")
        base, factor = MEASURES[uom]
        return Decimal(factor), base
    own = MEASURES.get(item.uom, (item.uom, 1))[1]
    if uom in {"", item.uom}:
        return Decimal(own), item.base_uom
    if uom == item.base_uom:
        return Decimal(1), uom
    for name, told in item.uoms:
        if name == uom:
            return Decimal(told) * own, item.base_uom
    base, factor = MEASURES.get(uom, ("", 0))
    if base == item.base_uom:
        return Decimal(factor), base
    known = ", ".join((item.uom, *(name for name, _ in item.uoms)))
    raise MeasureError(f"uom: {uom!r} is no unit of {item.code!r}; {known} are")


def _exact(amount: str, factor: Decimal, uom: str, base: str) -> int:
    if not DECIMAL.fullmatch(amount):
        raise MeasureError(f"quantity: {amount!r} is not a decimal")
    with localcontext() as context:
        context.prec = DIGITS_MAX
        product = Decimal(amount) * factor
        quantity = int(product)
        if product != quantity:
            raise MeasureError(f"quantity: {amount} {uom} is no whole number of {base}")
    if abs(quantity) > QUANTITY_MAX:
        raise MeasureError(f"quantity: {amount} {uom} is more than {QUANTITY_MAX} {base}")
    return quantity
