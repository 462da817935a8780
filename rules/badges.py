"""The badges that the core or a file has told of: whose a scan is, and whose a tag.

Part of the person and the movement rule.
"""

from __future__ import annotations

from gateway.model import Badge, Scan


class Badges:
    """Badges by code, by the text of their scan and by their EPC; as many as were told."""

    def __init__(self) -> None:
        self.version = 0  # grows whenever they change
        self._badges: dict[str, Badge] = {}
        self._scans: dict[str, Badge] = {}
        self.worn: dict[str, Badge] = {}  # by EPC; looked up on the hot path

    def put(self, badge: Badge) -> None:
        """Take a badge, or its newer version."""
        self.remove(badge.code)
        self.version += 1
        self._badges[badge.code] = badge
        if badge.scan:
            self._scans[badge.scan] = badge
        if badge.epc:
            self.worn[badge.epc] = badge

    def remove(self, code: str) -> Badge | None:
        """Forget a badge; what it was, if it was known."""
        badge = self._badges.pop(code, None)
        if badge is None:
            return None
        for book, key in ((self._scans, badge.scan), (self.worn, badge.epc)):
            if book.get(key) is badge:
                del book[key]
        return badge

    def scanned(self, scan: Scan) -> Badge | None:
        """Whose badge it is: by its text, its elements as they are printed, or one of them."""
        elements = [f"({identifier}){value}" for identifier, value in scan.elements]
        for text in (scan.text, "".join(elements), *elements):
            badge = self._scans.get(text)
            if badge is not None:
                return badge
        return None
