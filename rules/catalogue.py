"""The items that the core or a file has told of, and which of them a tag belongs to.

The trade item that its EPC names counts first, then the longest EPC prefix, then the longest
company prefix; of equal ones that which was told first. Part of the movement rule.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.model import Item, epc_of


class _Prefixes:
    """Items by prefixes."""

    def __init__(self, pairs: Iterable[tuple[str, Item]] = ()) -> None:
        self._items = dict(reversed([(prefix, item) for prefix, item in pairs if prefix]))
        self._lengths = sorted(set(map(len, self._items)), reverse=True)

    def __bool__(self) -> bool:
        return bool(self._items)

    def longest(self, text: str) -> Item | None:
        """The item with the longest prefix of that text."""
        for length in self._lengths:
            item = self._items.get(text[:length])
            if item is not None:
                return item
        return None


class Catalogue:
    """Items by code and by the EPCs that they carry."""

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self._changed = False
        self._by_gtin: dict[str, Item] = {}
        self._by_prefix = _Prefixes()
        self._by_company = _Prefixes()

    def put(self, item: Item) -> None:
        """Take an item, or its newer version."""
        self._items[item.code] = item
        self._changed = True

    def remove(self, code: str) -> None:
        """Forget an item, if it is known."""
        self._items.pop(code, None)
        self._changed = True

    def get(self, code: str) -> Item | None:
        """The item of that code."""
        return self._items.get(code)

    def uom(self, code: str) -> str:
        """What the item is counted in; of an unknown one, pieces."""
        item = self._items.get(code)
        return item.uom if item else "pcs"

    def of_tag(self, digits: str) -> Item | None:
        """The item that a tag with that EPC is of."""
        if self._changed:
            self._index()
        epc = epc_of(digits) if self._by_gtin or self._by_company else None
        item = self._by_gtin.get(epc.gtin) if epc else None
        item = item or self._by_prefix.longest(digits)
        return item or (self._by_company.longest(epc.owned) if epc else None)

    def _index(self) -> None:
        items = self._items.values()
        self._by_gtin = dict(reversed([(gtin, item) for item in items for gtin in item.gtins]))
        self._by_prefix = _Prefixes((p, item) for item in items for p in item.epc_prefixes)
        self._by_company = _Prefixes((p, item) for item in items for p in item.company_prefixes)
        self._changed = False
