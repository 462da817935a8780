"""The items that the core or a file has told of, and which of them a tag belongs to.

Part of the movement rule.
"""

from __future__ import annotations

from gateway.model import EpcIndex, Item, Scan, TagsBound
from gateway.ports import Row, Turn

BOUND_ROW = "bound:"
"""A row for each tag that a person has bound to an item; it is kept for good, as the tag is."""


class Catalogue:
    """Items by code and by the EPCs that they carry. `version` grows whenever they change."""

    def __init__(self) -> None:
        self.version = 0
        self._items: dict[str, Item] = {}
        self._index = EpcIndex[Item]()
        self._indexed = 0
        self._bound: dict[str, str] = {}

    def restore(self, row: Row) -> bool:
        """Take back a tag that is bound to an item; False if the row is somebody else's."""
        if not row.key.startswith(BOUND_ROW):
            return False
        self._bound[row.key.removeprefix(BOUND_ROW)] = str(row.value["item"])
        self.version += 1
        return True

    def bind(self, told: TagsBound) -> Turn:
        """Take these tags for pieces of that item, whatever they say of themselves."""
        rows = tuple(Row(BOUND_ROW + epc, {"item": told.item}) for epc in told.epcs)
        for row in rows:
            self.restore(row)
        return Turn(puts=rows)

    def put(self, item: Item) -> None:
        """Take an item, or its newer version."""
        self._items[item.code] = item
        self.version += 1

    def remove(self, code: str) -> None:
        """Forget an item, if it is known."""
        self._items.pop(code, None)
        self.version += 1

    def get(self, code: str) -> Item | None:
        """The item of that code."""
        return self._items.get(code)

    def scanned(self, scan: Scan) -> Item | None:
        """The item whose trade item number (01) or code was scanned."""
        gtin = dict(scan.elements).get("01")
        if gtin is None:
            return self._items.get(scan.text)
        return next((item for item in self._items.values() if gtin in item.gtins), None)

    def uom(self, code: str) -> str:
        """What the item is counted in; of an unknown one, pieces."""
        item = self._items.get(code)
        return item.base_uom if item else "pcs"

    def of_tag(self, epc: str) -> Item | None:
        """The item that a tag with that EPC is of: it is bound to one, or see EpcIndex."""
        bound = self._items.get(self._bound.get(epc, ""))
        if bound is not None:
            return bound
        if self._indexed != self.version:
            self._index = EpcIndex((item.pattern, item) for item in self._items.values())
            self._indexed = self.version
        return self._index.owner(epc)
