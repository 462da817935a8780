"""The day of a storeroom that works by order: which lines are told, and what people make of them.

A day is compressed: a shift, a night of ten minutes, a morning of ten. No line is told while
somebody has to do with its item, but for two pickers at one shelf: then two lines are told at once,
for places side by side or for one place, and that of the same place that is due first is first
worked off. So a mistake never looks like what another open line asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from simulators.world.families.order_book import Book
from simulators.world.families.order_work import Job, Worker, slip
from simulators.world.families.storeroom import STOOD_MIN_S, Place, Storeroom, Why
from simulators.world.families.walks import PEOPLE
from simulators.world.truth import NS_PER_S, OUTSIDE, OrderLine, Slip, TruthLine, ns

Kind: TypeAlias = Literal["issue", "receipt", "transfer", "return", "put_away"]

LINE_EVERY_S = 36.0
"""One line so often; the shift of an hour has a hundred."""

NIGHT_S, MORNING_S, CLOSING_S = 600.0, 600.0, 60.0

REST_OF_DAY_S = NIGHT_S + MORNING_S + CLOSING_S
"""After the last line of the shift."""

SETTLED_S = 180.0
"""The last line of a shift is told so long before its end: by then it is over."""

MISTAKE_SHARE = 0.08

MISTAKES = {
    "put back": 3,
    "over": 3,
    "wrong item": 2,
    "short": 2,
    "given up": 1,
    "forgotten": 1,
    "other place": 2,
    "two pickers": 2,
    "brought back": 2,
    "theft": 1,
    "swapped": 1,
}
"""How often each is among the mistakes, relative to the others."""

QUANTITY = (1, 6)

KINDS: dict[Kind, float] = {
    "issue": 0.55,
    "put_away": 0.15,
    "receipt": 0.12,
    "transfer": 0.08,
    "return": 0.10,
}

FULL = 30
"""Nothing is put where so many lie."""

TIMEOUT_S = 60
"""A line of this order system is over so long after the last that was done for it."""

DUE_S = (120, 480)

WALK_S = (5.0, 20.0)
"""From the moment a line is told until somebody stands there."""

LOOK_EVERY_S = 60.0
"""Somebody only looks, so often."""

WAY_S = 8.0
"""From one place to another."""

RETRY_S = 5.0
"""If no place fits a line, it is told so much later."""

INWARD = ("put_away", "receipt", "return")

ASTRAY = ("wrong item", "swapped", "other place")
"""Mistakes at another place than was asked."""

PARTLY = ("short", "swapped", "given up")
"""Mistakes where only a part is done as asked: a line of one piece has no part."""

KINDS_OF: dict[str, tuple[Kind, ...]] = {
    "": ("issue", "put_away", "receipt", "transfer", "return"),
    "put back": ("issue", "put_away", "receipt", "return"),
    "over": ("issue", "put_away", "receipt", "return"),
    "short": ("issue", "put_away", "receipt", "transfer", "return"),
    "given up": ("issue", "put_away", "receipt", "return"),
    "forgotten": ("issue", "put_away", "receipt", "transfer", "return"),
}
"""What can go wrong with which lines; the other mistakes are made at issues."""


@dataclass(slots=True)
class _Later:
    """What somebody does after hours, at a place, for a line that was done."""

    mistake: str
    task: str
    place: Place
    quantity: int


class Day:
    """The day of one storeroom while it is being planned."""

    def __init__(self, room: Storeroom, opening_s: float, length_s: float) -> None:
        self.room, self.random, self.opening_s = room, room.random, opening_s
        self.book = Book()
        self.lines: list[TruthLine] = []
        self.slips: list[Slip] = []
        self._later: list[_Later] = []
        self._told = 0
        self._busy_s = dict.fromkeys(PEOPLE, 0.0)
        self._shift_s = length_s - REST_OF_DAY_S

    def work(self) -> None:
        """The shift, the night and the morning."""
        begin_s, end_s = self.opening_s, self._shift_s - SETTLED_S
        count = round((self._shift_s - begin_s) / LINE_EVERY_S)
        moments = sorted(self.random.uniform(begin_s, end_s) for _ in range(count))
        while len(self.lines) < count:
            now_s = moments[len(self.lines)]
            mistake = self._mistake(count)
            while not self._tell(now_s, mistake) and now_s < end_s:
                now_s += RETRY_S
            if now_s >= end_s:
                break
        self._look(begin_s, end_s)
        self._after_hours()

    def _mistake(self, count: int) -> str:
        if self.random.random() >= MISTAKE_SHARE:
            return ""
        if len(self.lines) + 1 == count:  # no room for a pair
            return "over"
        return self.random.choices([*MISTAKES], [*MISTAKES.values()])[0]

    def _tell(self, now_s: float, mistake: str) -> bool:
        """Tell a line and have it worked off; False if no place fits now."""
        kinds = KINDS_OF.get(mistake, ("issue",))
        kind = self.random.choices(kinds, [KINDS[each] for each in kinds])[0]
        fitting = [p for p in self.room.places if self._fits(p, kind, mistake, now_s)]
        if not fitting:
            return False
        place = self.random.choice(fitting)
        if mistake == "two pickers":
            return self._two(now_s, place)
        self._one(now_s, now_s + self.random.uniform(*WALK_S), (kind, place), mistake)
        return True

    def _fits(self, place: Place, kind: Kind, mistake: str, now_s: float) -> bool:
        if place.free_s > now_s:
            return False
        needs = [place] if kind not in INWARD else []
        twin = self.room.twin(place)
        if kind == "transfer" or mistake == "other place":
            if twin is None or twin.free_s > now_s:
                return False
            needs += [twin] if mistake else []
        elif twin is not None and twin.free_s > now_s:
            return False
        if mistake in {"wrong item", "swapped", "two pickers"}:
            beside = self.room.neighbour(place)
            other = self.room.twin(beside)
            if beside.free_s > now_s or (other is not None and other.free_s > now_s):
                return False
            needs.append(beside)
        if kind in INWARD and len(place.pieces) >= FULL:
            return False
        return all(self.book.free(each, now_s) > QUANTITY[1] + 1 for each in needs)

    def _two(self, now_s: float, place: Place) -> bool:
        """Two people at one shelf: side by side at once, or at one place one after the other."""
        begin_s = now_s + self.random.uniform(*WALK_S)
        if self.random.random() < 0.5:
            beside = self.room.neighbour(place)
            self._one(now_s, begin_s, ("issue", place), "two pickers")
            also_s = begin_s + self.random.uniform(-1.0, 1.0)
            self._one(now_s, also_s, ("issue", beside), "two pickers")
            return True
        if self.book.free(place, now_s) < 2 * QUANTITY[1]:
            return False
        jobs = [self._job(now_s, "issue", place) for _ in range(2)]
        for job in sorted(jobs, key=lambda job: (job.line.due_s, job.line.code)):
            self._carry_out(now_s, max(begin_s, place.free_s), job, "two pickers")
        return True

    def _one(self, now_s: float, begin_s: float, what: tuple[Kind, Place], mistake: str) -> None:
        job = self._job(now_s, *what, least=2 if mistake in PARTLY else 1)
        if mistake == "other place":
            job = job._replace(beside=self.room.twin(job.place))
        self._carry_out(now_s, begin_s, job, mistake)

    def _job(self, now_s: float, kind: Kind, place: Place, least: int = 1) -> Job:
        """A line for that place, and who works it off; its pieces are promised from now on."""
        self._told = number = self._told + 1
        quantity = self.random.randint(max(least, QUANTITY[0]), QUANTITY[1])
        target = self.room.twin(place) if kind == "transfer" else None
        inward = kind in INWARD
        if not inward:
            self.book.promise(place, quantity, now_s)
        away = target.location if target else OUTSIDE
        line = OrderLine(
            f"{self.room.name}-T{number}",
            kind,
            f"{self.room.name}-{4711 + number // 3}",
            str(number % 3 + 1),
            place.ware.code,
            quantity,
            OUTSIDE if inward else place.location,
            place.location if inward else away,
            round(now_s) + self.random.randint(*DUE_S),
            TIMEOUT_S,
        )
        return Job(line, place, target, self.room.neighbour(place), self.random.choice(PEOPLE))

    def _carry_out(self, now_s: float, begin_s: float, job: Job, mistake: str) -> None:
        """Work the line off; until it is over nobody else has to do at the places of its items."""
        job = job._replace(person=self._at_leisure(job.person, begin_s))
        line, place, first = job.line, job.place, len(self.room.acts)
        done = Worker(self.room, job, begin_s, mistake).work()
        if line.kind not in INWARD:
            self.book.settle(place, line.quantity)
        for touched in (place, job.target, job.beside if mistake in ASTRAY else None):
            if touched is not None:
                touched.free_s = max(touched.free_s, done.over_s)
        for act in self.room.acts[first:]:
            self._busy_s[job.person] = max(self._busy_s[job.person], act.at / NS_PER_S)
        withdrawn = None if done.withdrawn_s is None else ns(done.withdrawn_s)
        who = (ns(now_s), job.person, mistake)
        self.lines.append(TruthLine(line, *who, done.pieces, done.exception, withdrawn))
        self.slips.extend(done.slips)
        if mistake in {"brought back", "theft"}:
            quantity = self.random.randint(1, min(3, line.quantity))
            self._later.append(_Later(mistake, line.code, place, quantity))

    def _at_leisure(self, person: str, begin_s: float) -> str:
        """He, or the next who has nothing to do elsewhere then."""
        turn = PEOPLE.index(person)
        order = [*PEOPLE[turn:], *PEOPLE[:turn]]
        free = (each for each in order if self._busy_s[each] + WAY_S <= begin_s)
        return next(free, min(order, key=self._busy_s.__getitem__))

    def _look(self, begin_s: float, end_s: float) -> None:
        now_s = begin_s
        while (now_s := now_s + self.random.expovariate(1 / LOOK_EVERY_S)) < end_s:
            self.room.look(now_s, self.random.choice(self.room.places))

    def _after_hours(self) -> None:
        """What is stolen at night, and what is brought back in the morning."""
        dawn_s = self._shift_s + NIGHT_S
        for kind, begin_s, end_s in (
            ("theft", self._shift_s + 30.0, dawn_s - SETTLED_S),
            ("brought back", dawn_s + 30.0, dawn_s + MORNING_S - SETTLED_S),
        ):
            acts = [later for later in self._later if later.mistake == kind]
            moments = sorted(self.random.uniform(begin_s, end_s) for _ in acts)
            for now_s, later in zip(moments, acts, strict=True):
                self._one_after_hours(max(now_s, later.place.free_s), later)

    def _one_after_hours(self, at_s: float, later: _Later) -> None:
        place = later.place
        if later.mistake == "theft":
            why = Why("stranger", "", later.mistake)
            self.room.take(at_s, place, place.ready(at_s)[: later.quantity], why)
        else:
            person = self._at_leisure(self.random.choice(PEOPLE), at_s)
            why = Why(person, later.task, later.mistake)
            self._busy_s[person] = at_s
            pieces = [self.room.make(place) for _ in range(later.quantity)]
            self.room.lay(at_s, place, pieces, why)
        place.free_s = at_s + STOOD_MIN_S
        self.slips.append(slip(at_s, later.mistake, later.task, (place,)))
