"""The items that the core or a file has told of, and which of them a tag belongs to.

Part of the movement rule.
"""

from __future__ import annotations

from gateway.model import EpcIndex, Item, Scan


class Catalogue:
    """Items by code and by the EPCs that they carry. `version` grows whenever they change."""

    def __init__(self) -> None:
        self.version = 0
        self._items: dict[str, Item] = {}
        self._index = EpcIndex[Item]()
        self._indexed = 0

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
        """The item that a tag with that EPC is of; see EpcIndex."""
        if self._indexed != self.version:
            self._index = EpcIndex((item.pattern, item) for item in self._items.values())
            self._indexed = self.version
        return self._index.owner(epc)
