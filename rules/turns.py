"""Turns that belong together as one."""

from __future__ import annotations

from gateway.ports import NOTHING, Turn


def together(*turns: Turn) -> Turn:
    """All that they decided, in their order; the last wish to be woken counts, and of a row that
    one deletes and a later one puts, the latter.
    """
    told = [turn for turn in turns if turn is not NOTHING]
    if len(told) < 2:
        return told[0] if told else NOTHING
    wakes = [turn.next_wake for turn in told if turn.next_wake is not None]
    return Turn(
        tuple(fact for turn in told for fact in turn.facts),
        tuple(row for turn in told for row in turn.puts),
        tuple(
            key
            for index, turn in enumerate(told)
            for key in turn.deletes
            if not any(row.key == key for later in told[index + 1 :] for row in later.puts)
        ),
        tuple(action for turn in told for action in turn.actions),
        wakes[-1] if wakes else None,
    )
