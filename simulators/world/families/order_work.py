"""How people work off an order line, and what they do wrong.

    as asked        handful by handful
    put back        one too many, and back with it when that is noticed
    over            one too many, and nobody notices
    short           one too few
    wrong item      from the place beside it
    swapped         one of the pieces from the place beside it
    other place     the right item, from where else it lies
    given up        a part of it, and back with that
    forgotten       nothing is done, until the order system takes the line back, overdue
    brought back    as asked, and next morning some are put back, without an order
    theft           as asked, and at night somebody takes some more

A line that was begun and not done as asked is over when its time-out ran.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from simulators.world.families.storeroom import Piece, Place, Storeroom, Why
from simulators.world.truth import OrderLine, Slip, ns

HANDFUL_MAX = 4

NEXT_HANDFUL_S = (1.5, 5.0)

ONE_MORE_S, ONE_MORE_ALONE_SHARE = (1.0, 2.0), 0.3
"""The piece too many is mostly in the last handful, sometimes taken right after it."""

NOTICED_S, NOTICED_BY_TAG_S = (6.0, 15.0), (45.0, 70.0)
"""How long somebody holds the piece too many. Tags alone do not tell what is away for less."""

OVERDUE_S = 30
"""A line that nobody began is taken back so long after it was due."""

CLOSED_S, CLOSED_BY_TAG_S = 15.0, 45.0
"""After the last act of a line as asked it is sure to be over; where only antennas watch, later."""


class Job(NamedTuple):
    """A line to be worked off: at `place`, and for a transfer on to `target`. `beside` is where a
    hand goes astray.
    """

    line: OrderLine
    place: Place
    target: Place | None
    beside: Place | None
    person: str


@dataclass(slots=True)
class Done:
    """What came of a job: pieces that went their way, what its confirmation must say, when it is
    over, and when the order system took it back, if it had to.
    """

    pieces: int
    exception: str
    over_s: float
    slips: list[Slip]
    withdrawn_s: float | None = None


class Worker:
    """Works off one job in the storeroom, and stands there at `begin_s`."""

    def __init__(self, room: Storeroom, job: Job, begin_s: float, mistake: str) -> None:
        self.room, self.job, self.mistake = room, job, mistake
        self.random = room.random
        self.begin_s = begin_s
        self.inward = job.line.kind in {"receipt", "put_away", "return"}
        self.why = Why(job.person, job.line.code)
        self.wrong = Why(job.person, job.line.code, mistake)

    def work(self) -> Done:
        """Plan every act of it."""
        act = {
            "put back": self._one_more,
            "over": self._one_more,
            "short": self._short,
            "wrong item": self._astray,
            "other place": self._astray,
            "swapped": self._swapped,
            "given up": self._given_up,
            "forgotten": self._forgotten,
        }.get(self.mistake, self._as_asked)
        return act()

    def _as_asked(self) -> Done:
        last_s = self._handfuls(self.begin_s, self.job.line.quantity, self.job.place)
        return Done(self.job.line.quantity, "", last_s + self._closed_s(), [])

    def _one_more(self) -> Done:
        line, place, random = self.job.line, self.job.place, self.random
        alone = random.random() < ONE_MORE_ALONE_SHARE
        if alone:
            at_s = self._handfuls(self.begin_s, line.quantity, place)
            at_s += random.uniform(*ONE_MORE_S)
            moved = self._move(at_s, 1, place, self.wrong)
        else:
            last = min(line.quantity, random.randint(1, HANDFUL_MAX - 1))
            at_s = self._handfuls(self.begin_s, line.quantity - last, place)
            at_s += random.uniform(*NEXT_HANDFUL_S) if last < line.quantity else 0.0
            moved = self._move(at_s, last + 1, place, self.wrong)
        slip = self._slip(at_s, place)
        if self.mistake == "over":
            return Done(line.quantity + 1, "OVER", self._timed_out_s(at_s), [slip])
        back_s = self._back(at_s, moved[-1:])
        return Done(line.quantity, "", back_s + self._closed_s(), [slip])

    def _short(self) -> Done:
        done = self.job.line.quantity - 1
        last_s = self._handfuls(self.begin_s, done, self.job.place)
        slip = self._slip(last_s + self.job.line.timeout_s, self.job.place)
        return Done(done, "SHORT", self._timed_out_s(last_s), [slip])

    def _given_up(self) -> Done:
        handful = min(self.job.line.quantity - 1, self.random.randint(1, HANDFUL_MAX))
        moved = self._move(self.begin_s, handful, self.job.place, self.wrong)
        back_s = self._back(self.begin_s, moved)
        slip = self._slip(back_s + self.job.line.timeout_s, self.job.place)
        return Done(0, "TIMEOUT", self._timed_out_s(back_s), [slip])

    def _forgotten(self) -> Done:
        at_s = self.job.line.due_s + OVERDUE_S
        slip = self._slip(at_s, self.job.place)
        return Done(0, "", at_s + CLOSED_S, [slip], at_s)

    def _back(self, at_s: float, pieces: Sequence[Piece]) -> float:
        """What was moved too much goes back where it was; returns when."""
        place = self.job.place
        back_s = at_s + self.random.uniform(*(NOTICED_S if place.bin else NOTICED_BY_TAG_S))
        if self.inward:
            self.room.take(back_s, place, pieces, self.wrong)
        else:
            self.room.lay(back_s, place, pieces, self.wrong)
        return back_s

    def _astray(self) -> Done:
        beside, line = self.job.beside, self.job.line
        assert beside is not None
        last_s = self._handfuls(self.begin_s, line.quantity, beside, self.wrong)
        slip = self._slip(self.begin_s, self.job.place, beside)
        right = beside.ware.code == line.item
        done, exception = (line.quantity, "WRONG_LOCATION") if right else (0, "WRONG_SKU")
        return Done(done, exception, self._timed_out_s(last_s), [slip])

    def _swapped(self) -> Done:
        beside, line = self.job.beside, self.job.line
        assert beside is not None
        at_s = self._handfuls(self.begin_s, line.quantity - 1, self.job.place)
        at_s += self.random.uniform(*NEXT_HANDFUL_S)
        self._move(at_s, 1, beside, self.wrong)
        slip = self._slip(at_s, self.job.place, beside)
        return Done(line.quantity - 1, "WRONG_SKU", self._timed_out_s(at_s), [slip])

    def _handfuls(self, at_s: float, quantity: int, place: Place, why: Why | None = None) -> float:
        """Take or lay so many, handful by handful; returns when the last one was."""
        last_s = at_s
        while quantity > 0:
            handful = min(quantity, self.random.randint(1, HANDFUL_MAX))
            moved = self._move(at_s, handful, place, why or self.why)
            last_s = max(at_s, moved[-1].since_s)
            at_s = last_s + self.random.uniform(*NEXT_HANDFUL_S)
            quantity -= handful
        return last_s

    def _move(self, at_s: float, quantity: int, place: Place, why: Why) -> list[Piece]:
        if self.inward:
            pieces = [self.room.make(place) for _ in range(quantity)]
            self.room.lay(at_s, place, pieces, why)
            return pieces
        pieces = self.random.sample(place.ready(at_s), quantity)
        if self.job.target is None:
            self.room.take(at_s, place, pieces, why)
        else:
            self.room.bring(at_s, (place, self.job.target), pieces, why)
        return pieces

    def _slip(self, at_s: float, *places: Place) -> Slip:
        return slip(at_s, self.mistake, self.job.line.code, places)

    def _closed_s(self) -> float:
        return CLOSED_S if self.job.place.bin else CLOSED_BY_TAG_S

    def _timed_out_s(self, last_s: float) -> float:
        return last_s + self.job.line.timeout_s + self._closed_s()


def slip(at_s: float, mistake: str, task: str, places: Sequence[Place]) -> Slip:
    """A mistake to be told, that shows at these places from then on."""
    items = tuple(dict.fromkeys(place.ware.code for place in places))
    named = tuple(dict.fromkeys(name for p in places for name in (p.location, p.zone) if name))
    return Slip(ns(at_s), mistake, task, items, named)
