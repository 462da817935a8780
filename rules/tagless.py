"""How many pieces of an item stand in a zone that no tag answers for.

    first weight there, more pieces than tags were read ---> so many, and nobody is called
    put whose tags do not show ----------------------------> one each, and the senses disagree
    tag that falls silent while its weight lies there -----> one, and the senses disagree
    pick whose tags are not missed ------------------------> it was these
    tag that shows while no step lacks it -----------------> it is on one of these

A tag in a dead spot of the field is as good as none: the piece is there by weight alone, and when
it goes no tag is missed. Part of the movement rule; durable, a row per item and zone.
"""

from __future__ import annotations

from gateway.ports import NOTHING, Row, Turn
from rules.act import WaitingStep

TAGLESS_ROW = "tagless:"


class Tagless:
    """All such numbers. One is below zero while tags are known and their weight is not yet; their
    number is bounded by that of the cells, which are planned for one item each.
    """

    def __init__(self) -> None:
        self._pieces: dict[str, int] = {}

    def restore(self, row: Row) -> bool:
        """Take back what an earlier run knew; False if the row is somebody else's."""
        if not row.key.startswith(TAGLESS_ROW):
            return False
        pieces = row.value["pieces"]
        assert isinstance(pieces, int)
        self._pieces[row.key] = pieces
        return True

    def add(self, zone: str, item: str, pieces: int) -> Turn:
        """So many more stand there, or fewer."""
        key = f"{TAGLESS_ROW}{zone}\t{item}"
        now = self._pieces.get(key, 0) + pieces
        if not pieces:
            return NOTHING
        if now:
            self._pieces[key] = now
            return Turn(puts=(Row(key, {"pieces": now}),))
        del self._pieces[key]
        return Turn(deletes=(key,))

    def lacking(self, step: WaitingStep, pieces: int) -> Turn:
        """So many more of the pieces that it put there have no tag, or of those that it took there
        is a tag.
        """
        return self.add(step.zone, step.item, pieces if step.arriving else -pieces)

    def among(self, zone: str, item: str, pieces: int) -> int:
        """How many of so many pieces of that item may be such ones."""
        return min(pieces, max(0, self._pieces.get(f"{TAGLESS_ROW}{zone}\t{item}", 0)))

    def any(self, item: str) -> bool:
        """Whether such a piece of that item stands in any zone."""
        return any(pieces > 0 and key.endswith(f"\t{item}") for key, pieces in self._pieces.items())
