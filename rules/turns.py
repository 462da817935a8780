"""Turns that belong together as one."""

from __future__ import annotations

from gateway.ports import NOTHING, Turn


def together(*turns: Turn) -> Turn:
    """All that they decided, in their order; the last wish to be woken counts."""
    told = [turn for turn in turns if turn is not NOTHING]
    if len(told) < 2:
        return told[0] if told else NOTHING
    wakes = [turn.next_wake for turn in told if turn.next_wake is not None]
    return Turn(
        tuple(fact for turn in told for fact in turn.facts),
        tuple(row for turn in told for row in turn.puts),
        tuple(key for turn in told for key in turn.deletes),
        tuple(action for turn in told for action in turn.actions),
        wakes[-1] if wakes else None,
    )
