"""The words for what the core's book says of stock, and for how far down it may go.

Part of `gateway.model`; import them from there.
"""

from __future__ import annotations

from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class BookStock:
    """All that the core's book says of one location, which is the `code`."""

    code: str
    lines: tuple[BookLine, ...] = ()
    version: int = 0
