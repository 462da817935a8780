"""The items that the core or a file has told of, and which of them a tag belongs to.

Part of the movement rule.
"""

from __future__ import annotations

from gateway.model import Item


class Catalogue:
    """Items by code and by the prefix of their EPCs."""

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self._by_prefix: dict[str, Item] = {}
        self._prefix_lengths: tuple[int, ...] | None = None  # None: an item has changed since

    def put(self, item: Item) -> None:
        """Take an item, or its newer version."""
        self._items[item.code] = item
        self._prefix_lengths = None

    def remove(self, code: str) -> None:
        """Forget an item, if it is known."""
        self._items.pop(code, None)
        self._prefix_lengths = None

    def get(self, code: str) -> Item | None:
        """The item of that code."""
        return self._items.get(code)

    def uom(self, code: str) -> str:
        """What the item is counted in; of an unknown one, pieces."""
        item = self._items.get(code)
        return item.uom if item else "pcs"

    def of_tag(self, epc: str) -> Item | None:
        """The item whose EPC prefix matches longest; of equal ones that which was told first."""
        if self._prefix_lengths is None:
            pairs = [(p, item) for item in self._items.values() for p in item.epc_prefixes if p]
            self._by_prefix = dict(reversed(pairs))
            self._prefix_lengths = tuple(sorted(set(map(len, self._by_prefix)), reverse=True))
        for length in self._prefix_lengths:
            item = self._by_prefix.get(epc[:length])
            if item is not None:
                return item
        return None
