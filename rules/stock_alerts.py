"""The alerts about the stock of one item at one location, each raised once and cleared once.

    negative_stock  more went out than was known, or is cleared when that is made up for
                    weighed to, before it is told
    stock_differs   not what the core's book says,      cleared when it is
                    for longer than a book is under way, from a core that keeps up
    below_safety    below the safety stock              cleared `hysteresis` above it
    reorder         below the reorder point             cleared `hysteresis` above it

Which ones stand is durable, in the line's row. Part of the stock rule.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from gateway.model import Alert, Ns, Severity
from rules.stock_line import Line, Place

STANDING_MAX = 1_000
"""Alerts that stand: more than anybody can look at. Beyond, the retained stock alone tells."""

TEXT_MAX = 1024
"""What the contract lets an alert say: codes of the site may be long."""

BULK, BULK_MIN, BULK_PERMILLE = {"g", "ml"}, 20, 5
"""In what bulk goods are told, and what nobody calls a difference there: twice what the zero of a
cell wanders in 10 K, and half a per cent, which is the usual tolerance of bulk goods."""

NEGATIVE, DIFFERS, SAFETY, REORDER = "negative_stock", "stock_differs", "below_safety", "reorder"

SEVERITIES: dict[str, Severity] = {
    NEGATIVE: "warning",
    DIFFERS: "warning",
    SAFETY: "warning",
    REORDER: "info",
}
"""All codes, in the order in which they are told."""

TEXTS = {
    NEGATIVE: "{below} {uom} of {item} more went out than were known to be there; count {item} "
    "there: a receipt was missed, or something was taken for {item}",
    DIFFERS: "{quantity} {uom} of {item} there, {book} in the core's book; count {item}, then "
    "correct the book, or look which records the core refused",
    SAFETY: "{quantity} {uom} of {item}, below the safety stock of {safety}; bring some there now",
    REORDER: "{quantity} {uom} of {item}, below the reorder point of {reorder}; order {purchase}",
}
"""What is so, and what is to be done."""

OVER = {
    NEGATIVE: "nothing is missing of {item} any more",
    DIFFERS: "{item} differs from the core's book no more",
    SAFETY: "{quantity} {uom} of {item}: below the safety stock no more",
    REORDER: "{quantity} {uom} of {item}: below the reorder point no more",
}


@dataclass(frozen=True, slots=True)
class Patience:
    """`variance` is how far off the book is nobody's concern, `hold` for how long more is not.
    `hysteresis` are pieces.
    """

    variance: int
    hold: Ns
    hysteresis: int


class StockAlerts:
    """See the module."""

    def __init__(self, patience: Patience, watched: Collection[str]) -> None:
        """Of a place that is not `watched`, such as the yard before a gate, nobody knows what is
        there: more may go out than was known.
        """
        self._patience = patience
        self._watched = watched
        self._differs_from: dict[Place, Ns] = {}
        self._standing: set[tuple[Place, str]] = set()
        self._behind_since: Ns | None = None

    def judge(self, now: Ns, place: Place, line: Line) -> tuple[Alert, ...]:
        """Raise and clear, and note in the line what stands."""
        return tuple(self._changes(now, place, line))

    def core_behind(self, now: Ns, *, behind: bool) -> None:
        """From now on the core's book cannot say what moved, or it can again: the time between
        counts for no difference, and what stands is looked at once its book must be there.
        """
        if behind:
            self._behind_since = now if self._behind_since is None else self._behind_since
        elif self._behind_since is not None:
            lost, self._behind_since = now - self._behind_since, None
            for place, since in self._differs_from.items():
                self._differs_from[place] = min(now, since + lost)
            told = (place for place, code in self._standing if code == DIFFERS)
            self._differs_from.update(dict.fromkeys(told, now))

    def due(self, now: Ns) -> list[Place]:
        """The places to be judged because of the time."""
        if self._behind_since is not None:
            return []
        held_from = now - self._patience.hold
        return sorted(place for place, at in self._differs_from.items() if at <= held_from)

    def next_due(self) -> Ns | None:
        """When the next has to be judged because of the time."""
        if self._behind_since is not None:
            return None
        held = min(self._differs_from.values(), default=None)
        return None if held is None else held + self._patience.hold

    def _changes(self, now: Ns, place: Place, line: Line) -> Iterator[Alert]:
        for code in SEVERITIES:
            if self._stands(now, place, line, code):
                if self._is_news(place, line, code):
                    yield _alert(now, place, line, code, TEXTS)
            elif code in line.raised:
                line.raised.discard(code)
                self._standing.discard((place, code))
                yield _alert(now, place, line, code, OVER)

    def _is_news(self, place: Place, line: Line, code: str) -> bool:
        """Whether an alert that is due does not stand yet, and can."""
        fresh = code not in line.raised
        if fresh and len(self._standing) >= STANDING_MAX:
            return False
        self._standing.add((place, code))
        line.raised.add(code)
        return fresh

    def _stands(self, now: Ns, place: Place, line: Line, code: str) -> bool:
        if code == NEGATIVE:
            return line.foreseen < 0 and place[0] in self._watched
        if code == DIFFERS:
            return self._differs(now, place, line)
        threshold = line.safety if code == SAFETY else line.reorder
        if not threshold:
            return False
        return line.quantity < threshold + (self._patience.hysteresis if code in line.raised else 0)

    def _differs(self, now: Ns, place: Place, line: Line) -> bool:
        """Once it is told, only equality ends it; before, it must stay too far off for long. Bulk
        goods are equal within what a scale tells. A book of old raises and clears nothing.
        """
        bulk = max(BULK_MIN, line.quantity * BULK_PERMILLE // 1000) if line.uom in BULK else 0
        behind = self._behind_since is not None
        if DIFFERS in line.raised:
            self._differs_from.pop(place, None)
            return behind or abs(line.variance) > bulk // 2
        if abs(line.variance) <= max(bulk, self._patience.variance):
            self._differs_from.pop(place, None)
            return False
        since = self._differs_from.setdefault(place, now)
        if behind or since + self._patience.hold > now:
            return False
        del self._differs_from[place]
        return True


def _alert(now: Ns, place: Place, line: Line, code: str, texts: Mapping[str, str]) -> Alert:
    said = texts[code].format(
        item=place[1],
        quantity=max(0, line.quantity),
        below=-line.foreseen,
        uom=line.uom,
        book=line.book,
        safety=line.safety,
        reorder=line.reorder,
        purchase=line.purchase,
    )
    key = ":".join((code, *place))
    text = f"{place[0]}: {said}"[:TEXT_MAX]
    return Alert(code, key, texts is TEXTS, SEVERITIES[code], text, now)
