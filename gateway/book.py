"""The words for what the core's book says of stock, and for how far down it may go.

Part of `gateway.model`; import them from there.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BookLot:
    """What the book says of one lot: how many are there, when it expires and when it came, as days
    (`2027-03-31`); "" where it does not say.
    """

    lot: str
    quantity: int = 0
    expires: str = ""
    received: str = ""


@dataclass(frozen=True, slots=True)
class BookLine:
    """What the book says of one item. `quantity` None: only how far down it may go is told.

    Below `safety` a surprise is no longer covered; below `reorder` it is time to buy.
    """

    item: str
    quantity: int | None = None
    uom: str = "pcs"
    safety: int | None = None
    reorder: int | None = None
    lots: tuple[BookLot, ...] = ()


@dataclass(frozen=True, slots=True)
class BookStock:
    """All that the core's book says of one location, which is the `code`."""

    code: str
    lines: tuple[BookLine, ...] = ()
    version: int = 0


def together(known: BookLine, line: BookLine) -> BookLine:
    """Two lines of one item, which differ in their lot, as one; ValueError names what is wrong."""
    if line.uom != known.uom:
        raise ValueError(f"uom: {line.uom!r}, and {known.uom!r} in another line of the item")
    if {lot.lot for lot in known.lots} & {lot.lot for lot in line.lots}:
        raise ValueError(f"lot: {line.lots[0].lot!r} stands on another line of the item")
    return BookLine(
        known.item,
        (known.quantity or 0) + (line.quantity or 0),
        known.uom,
        _one_of("safety", known.safety, line.safety),
        _one_of("reorder", known.reorder, line.reorder),
        known.lots + line.lots,
    )


def _one_of(name: str, known: int | None, found: int | None) -> int | None:
    if known is not None and found is not None:
        raise ValueError(f"{name}: stands on another line of the item already")
    return found if known is None else known
