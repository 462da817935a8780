"""The alert that two senses disagree about an item in a zone: raised once, cleared once, durable.

Part of the movement rule.
"""

from __future__ import annotations

from gateway.model import Alert, Ns
from gateway.ports import NOTHING, Row, Turn

ALERT_ROW = "alert:"


class Disagreement:
    """Which of these alerts stand."""

    def __init__(self) -> None:
        self._standing: set[str] = set()

    def restore(self, row: Row) -> bool:
        """Take back an alert that stands; False if the row is somebody else's."""
        if not row.key.startswith(ALERT_ROW):
            return False
        self._standing.add(row.key.removeprefix(ALERT_ROW))
        return True

    def found(self, now: Ns, zone: str, item: str) -> Turn:
        """They disagree."""
        key = f"senses_disagree:{zone}:{item}"
        if key in self._standing:
            return NOTHING
        self._standing.add(key)
        text = f"{zone}: tags and weight of {item} disagree; look at the shelf"
        alert = Alert("senses_disagree", key, True, "warning", text, now)
        return Turn(facts=(alert,), puts=(Row(ALERT_ROW + key, {"raised": 1}),))

    def gone(self, now: Ns, zone: str, item: str) -> Turn:
        """They agree."""
        key = f"senses_disagree:{zone}:{item}"
        if key not in self._standing:
            return NOTHING
        self._standing.discard(key)
        text = f"{zone}: tags and weight of {item} agree again"
        alert = Alert("senses_disagree", key, False, "warning", text, now)
        return Turn(facts=(alert,), deletes=(ALERT_ROW + key,))
