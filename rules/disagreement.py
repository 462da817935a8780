"""The alerts that a place is not as senses and plan say: raised once, cleared once, durable.

    senses_disagree: tags and weight of an item in a zone
    wrong_place:     a piece of an item lies on a cell that is planned for another

One that stands while another act disagrees is raised anew, unless that was just done: what is new
must be seen. Part of the movement rule.
"""

from __future__ import annotations

from gateway.model import NS_PER_S, Alert, Ns
from gateway.ports import NOTHING, Row, Turn

ALERT_ROW = "alert:"

ANEW_NS = 60 * NS_PER_S
"""An alert that was raised so shortly before is still in everybody's eyes."""

TEXTS = {
    ("senses_disagree", True): "{place}: tags and weight of {item} disagree; look at the shelf",
    ("senses_disagree", False): "{place}: tags and weight of {item} agree again",
    ("wrong_place", True): "{place}: {item} lies there and is planned elsewhere; take it back",
    ("wrong_place", False): "{place}: {item} lies there no longer",
}


class Disagreement:
    """Which of these alerts stand, and since when (0: since an earlier run)."""

    def __init__(self) -> None:
        self._standing: dict[str, Ns] = {}

    def restore(self, row: Row) -> bool:
        """Take back an alert that stands; False if the row is somebody else's."""
        if not row.key.startswith(ALERT_ROW):
            return False
        self._standing[row.key.removeprefix(ALERT_ROW)] = 0
        return True

    def found(self, now: Ns, place: str, item: str, code: str = "senses_disagree") -> Turn:
        """They disagree."""
        key = f"{code}:{place}:{item}"
        alert = _alert(now, (code, True), place, item)
        since = self._standing.get(key)
        if since is not None:
            if now - since < ANEW_NS:
                return NOTHING
            self._standing[key] = now
            return Turn(facts=(_alert(now, (code, False), place, item), alert))
        self._standing[key] = now
        return Turn(facts=(alert,), puts=(Row(ALERT_ROW + key, {"raised": 1}),))

    def gone(self, now: Ns, place: str, item: str, code: str = "senses_disagree") -> Turn:
        """They agree."""
        key = f"{code}:{place}:{item}"
        if self._standing.pop(key, None) is None:
            return NOTHING
        alert = _alert(now, (code, False), place, item)
        return Turn(facts=(alert,), deletes=(ALERT_ROW + key,))


def _alert(now: Ns, kind: tuple[str, bool], place: str, item: str) -> Alert:
    code, raised = kind
    text = TEXTS[kind].format(place=place, item=item)
    return Alert(code, f"{code}:{place}:{item}", raised, "warning", text, now)
