"""How much less sure one sense is where the other should have confirmed it and is dead.

It decides at once, as where there is no other: waiting for a dead sense proves nothing. But the
place was given two because one alone is taken in: of what that one says, so much is doubted more.
"""

from __future__ import annotations

from typing import Final

WEIGHT_ALONE_PERMILLE: Final = 950
"""Tags say which item it is. Of simulated people one act in fifty is of a wrong item or at a wrong
place, and as many pieces carry a tag that is swapped or lie on another's plate; whoever weighs as
much as what is planned there is taken for it. So up to one act in twenty is told as another."""

TAGS_ALONE_PERMILLE: Final = 900
"""Weight says how many there were. Of tagged pieces one in ten or twenty stands in a dead spot or
in somebody's shadow when it counts, and a stray read has no weight that contradicts it."""


def less_sure(confidence_permille: int, share_permille: int) -> int:
    """The confidence of a decision that rests on one sense alone."""
    return confidence_permille * share_permille // 1000
