"""Stock-take: what lies there, counted anew and against the book, and what is to be done about it.

    asked ---------------- deep inventory and weighing, for `window_s` --> looked at
    moved meanwhile ------ looked at again, `recounts` times at most ----> or told to be disturbed
    looked at ------------ expected against counted (`rules.stocktake_judge`) --> CountReport
    differs -------------- Proposal ---- approved ----> adjustments (`rules.stocktake_adjust`)

All locations of a count are looked at together. The book that is expected is that of the edge, at
the end of the look; as nothing moved since its beginning, it is that of all of it. A count adjusts
nothing by itself, and what the senses do not tell for sure it does not propose.

Where the core's book is another than that of the edge, it is proposed to correct it likewise.

Readers that watch no gate are asked to read deeply for the first `deep_s`, so that weak tags are
heard; the rest of the window is as always. A count goes on after a restart, with what was not yet
reported.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import Field

from gateway.model import (
    NS_PER_S,
    Approval,
    Arrival,
    Balance,
    BalanceAsked,
    BookDiffers,
    CellId,
    CellTotal,
    CountLine,
    CountReport,
    CountRequest,
    Coverage,
    Departure,
    Dismissal,
    Fact,
    Item,
    Movement,
    Ns,
    ReadDeeply,
    ReferenceDeleted,
    Stall,
    TagReport,
    TagsBound,
    Unresolved,
    Weighed,
    WeightReport,
    WeightStep,
)
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn
from rules.catalogue import Catalogue
from rules.stocktake_adjust import Adjustments
from rules.stocktake_judge import Judge, Look
from rules.stocktake_places import CountPlaces, Watched
from rules.stocktake_session import Session, Sessions
from rules.stocktake_window import Window
from rules.turns import together

JUDGED_AT_ONCE, JUDGED_PAUSE_NS = 20, NS_PER_S // 20
"""Locations that are judged in one turn, and when the next are: a turn must not take as long as
would count as a stall on a small box (some 2 ms for a location of a thousand tags)."""

LINES_MAX = 4096
"""Items in one report, as the contract bounds them; of more the first are told."""

QUESTIONS_MAX = 1_000
"""Unresolved matters that are kept in mind: more than anybody looks into."""

QUESTION_ROW = "question:"


class StocktakeSettings(PluginSettings):
    """A count looks for `window_s`, of which readers read deeply for `deep_s` (0: not at all). What
    moved meanwhile is looked at again, `recounts` times at most.

    A cycle count looks at `cycle_locations` locations: first those where items of `dear` belong,
    then those where earlier counts found most to differ.
    """

    window_s: float = Field(20.0, ge=5, le=600)
    deep_s: int = Field(10, ge=0, le=300)
    recounts: int = Field(3, ge=0, le=20)
    cycle_locations: int = Field(10, ge=1, le=10_000)
    dear: tuple[str, ...] = ()


@dataclass(slots=True)
class Looked:
    """A location whose look is over. `waits_for` are the cells that are still to be read."""

    watched: Watched
    balance: Balance | None = None
    totals: dict[CellId, CellTotal | None] = field(default_factory=dict)
    waits_for: set[CellId] = field(default_factory=set)


class Stocktake:
    """See the module."""

    Settings: ClassVar[type[PluginSettings]] = StocktakeSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (
        CountRequest,
        Approval,
        BookDiffers,
        TagReport,
        WeightReport,
        Coverage,
        Stall,
        Movement,
        Unresolved,
        Dismissal,
        WeightStep,
        Arrival,
        Departure,
        Balance,
        CellTotal,
        Item,
        TagsBound,
        ReferenceDeleted,
    )
    schema: ClassVar[int] = 1

    def __init__(self, settings: StocktakeSettings, context: RuleContext) -> None:
        self._settings = settings
        self._identify = context.identify
        self._places = CountPlaces(context.site)
        self._catalogue = Catalogue()
        self._judge = Judge(self._places, self._catalogue)
        self._sessions = Sessions(frozenset(settings.dear))
        self._adjustments = Adjustments(context.identify)
        self._questions: dict[str, str] = {}
        self._window: Window | None = None
        self._looks: dict[str, Looked] = {}
        self._booked: dict[str, str] = {}
        self._due: list[str] = []
        self._asked_of: list[str] = []

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back the count that ran, what it proposed, and what is open."""
        for row in rows:
            if row.key.startswith(QUESTION_ROW):
                question = row.key.removeprefix(QUESTION_ROW)
                self._questions[question] = str(row.value["location"])
            elif not (self._sessions.restore(row) or self._catalogue.restore(row)):
                self._adjustments.restore(row)

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Gather what the senses say while a count looks; judge it at the end."""
        if type(fact) is TagReport:
            if self._window is not None:
                self._window.read(fact)
            return NOTHING
        if type(fact) is WeightReport:
            if self._window is not None:
                self._window.weigh(fact)
            return NOTHING
        if type(fact) is Coverage:
            return self._covered(now, fact)
        if fact is None:
            return self._woken(now)
        if type(fact) is CountRequest:
            return self._asked(now, fact)
        if type(fact) is Approval:
            return self._adjustments.answered(now, fact)
        if type(fact) is BookDiffers:
            return self._adjustments.differs(now, fact)
        if type(fact) is Balance:
            return self._expected(fact)
        if type(fact) is CellTotal:
            return self._weighed(now, fact)
        if type(fact) is TagsBound:
            return self._catalogue.bind(fact)
        if type(fact) is Item:
            self._catalogue.put(fact)
            return NOTHING
        return self._happened(now, fact)

    def _happened(self, now: Ns, fact: Fact) -> Turn:
        if type(fact) is Movement:
            return self._moved(now, fact)
        if type(fact) is Unresolved:
            return self._opened(fact)
        if type(fact) is Dismissal:
            return self._settled(now, fact.unresolved_id)
        if type(fact) is ReferenceDeleted:
            if fact.kind == "item":
                self._catalogue.remove(fact.code)
        elif type(fact) is WeightStep:
            self._disturb(self._places.of_cell(fact.cell))
        elif type(fact) is Arrival or type(fact) is Departure:
            item = self._catalogue.of_tag(fact.epc)
            if item is not None:
                self._disturb(self._places.home(fact.zone, item.code))
        elif type(fact) is Stall and self._window is not None:
            self._window.ends += fact.span_ns
            return Turn(next_wake=max(now + 1, self._window.ends))
        return NOTHING

    def _asked(self, now: Ns, request: CountRequest) -> Turn:
        """A count begins, unless one runs, or it is known."""
        current = self._sessions.current
        if current is not None and (current.runs or current.count_id == request.count_id):
            return NOTHING
        locations = self._scope(request)
        if not locations:
            return NOTHING
        session = self._sessions.begin(now, request, locations)
        return together(Turn(puts=(session.row(),)), self._look(now, session))

    def _scope(self, request: CountRequest) -> list[str]:
        if request.scope == "places":
            return sorted(place for place in set(request.locations) if self._places.of(place))
        if request.scope == "full":
            return self._places.locations
        planned = [
            (place, watched.planned)
            for place in self._places.locations
            if (watched := self._places.of(place)) is not None
        ]
        return self._sessions.due(planned, self._settings.cycle_locations)

    def _look(self, now: Ns, session: Session) -> Turn:
        """Look at what is still to be counted."""
        ends = now + int(self._settings.window_s * NS_PER_S)
        self._window = Window(self._places, now, ends)
        self._looks, self._due, self._asked_of = {}, [], []
        session.started = session.started or now
        deep = int(min(self._settings.deep_s, self._settings.window_s / 2))
        readers = self._places.readers(session.pending) if deep else ()
        actions = tuple(ReadDeeply(reader, deep) for reader in readers)
        return Turn(actions=actions, next_wake=ends)

    def _covered(self, now: Ns, coverage: Coverage) -> Turn:
        if self._window is not None:
            self._window.hear(coverage)
            return NOTHING
        session = self._sessions.current
        if session is None or not session.runs:
            return NOTHING
        return self._look(now, session)  # an earlier run was cut short

    def _woken(self, now: Ns) -> Turn:
        if self._window is None or now < self._window.ends:
            return NOTHING
        session = self._sessions.current
        assert session is not None, "a window is of a count"
        if not self._looks:
            return self._looked(now, session)
        turns = [self._report(now, session, self._window, place) for place in self._asked_of]
        self._asked_of = []
        places, self._due = self._due[:JUDGED_AT_ONCE], self._due[JUDGED_AT_ONCE:]
        window = self._window
        turns.extend(self._judged(now, session, window, place) for place in places)
        if self._due or places:
            return together(*turns, Turn(next_wake=now + JUDGED_PAUSE_NS))
        self._looks, self._window = {}, None
        if session.runs:
            turns.append(self._look(now, session))
        return together(*turns)

    def _looked(self, now: Ns, session: Session) -> Turn:
        """The look is over: ask what the book says of all that was looked at."""
        self._booked = {}
        known = {place: self._places.of(place) for place in session.pending}
        session.pending = {place: session.pending[place] for place in known if known[place]}
        self._looks = {place: Looked(watched) for place, watched in known.items() if watched}
        self._due = sorted(self._looks)
        asked = tuple(BalanceAsked(place) for place in self._due)
        return Turn(asked, (session.row(),), next_wake=now + JUDGED_PAUSE_NS)

    def _expected(self, balance: Balance) -> Turn:
        """What the book says of a location that was looked at."""
        looked = self._looks.get(balance.location)
        if looked is not None:
            looked.balance = balance
            for line in balance.lines:
                self._booked.update(dict.fromkeys(line.epcs, balance.location))
        return NOTHING

    def _judged(self, now: Ns, session: Session, window: Window, place: str) -> Turn:
        """Have what its cells weigh read as pieces, and then report it; or look at it again."""
        if place in window.moved:
            session.pending[place] += 1
            again = session.pending[place] <= self._settings.recounts
            return NOTHING if again else self._report(now, session, window, place)
        looked = self._looks[place]
        if looked.balance is None:
            return self._report(now, session, window, place)
        asked = []
        for cell in looked.watched.cells:
            level = window.level(cell.cell)
            looked.totals[cell.cell] = None
            if level is not None:
                expected = self._judge.expected(looked.watched, looked.balance, cell.cell)
                asked.append(Weighed(cell.cell, level.mean_g, level.sd_g, expected))
        if not asked:
            return self._report(now, session, window, place)
        looked.waits_for = {weighed.cell for weighed in asked}
        self._asked_of.append(place)
        return Turn(facts=tuple(asked))

    def _weighed(self, now: Ns, total: CellTotal) -> Turn:
        """What lies on a cell; its location is reported when all of it is known."""
        place, session = self._places.of_cell(total.cell), self._sessions.current
        looked = self._looks.get(place)
        if looked is None or session is None or self._window is None:
            return NOTHING
        looked.totals[total.cell] = total
        looked.waits_for.discard(total.cell)
        if looked.waits_for or place not in self._asked_of:
            return NOTHING
        self._asked_of.remove(place)
        return self._report(now, session, self._window, place)

    def _report(self, now: Ns, session: Session, window: Window, place: str) -> Turn:
        """Tell what was counted there, and propose to book what differs."""
        looked, recounts = self._looks[place], session.pending.pop(place)
        disturbed = place in window.moved
        question = place in self._questions.values()
        lines: tuple[CountLine, ...] = ()
        if looked.balance is not None and not disturbed:
            look = Look(looked.watched, looked.balance, looked.totals, question)
            lines = tuple(self._judge.lines(look, window, self._booked))
        report = CountReport(
            self._identify("count", session.count_id, place, now),
            session.count_id,
            session.scope,
            place,
            lines[:LINES_MAX],
            recounts - disturbed,
            disturbed,
            len(session.pending),
            session.started,
            now,
        )
        off = session.tally(report)
        rows = (session.row(), self._sessions.counted(place, off))
        told = Turn(facts=(report,), puts=rows)
        return together(told, NOTHING if disturbed else self._adjustments.propose(now, report))

    def _moved(self, now: Ns, movement: Movement) -> Turn:
        for place in (movement.from_location, movement.to_location):
            if self._places.of(place) is not None:
                self._disturb(place)
                self._sessions.moved(place)
        explained = self._adjustments.moved(now, movement)
        if movement.supersedes is None:
            return explained
        return together(explained, self._settled(now, movement.supersedes))

    def _opened(self, unresolved: Unresolved) -> Turn:
        """Something happened there, and it is open what."""
        for place in self._places.around(unresolved.location):
            self._disturb(place)
        code, place = unresolved.unresolved_id, unresolved.location
        if self._places.of(place) is None or len(self._questions) >= QUESTIONS_MAX:
            return NOTHING
        self._questions[code] = place
        return Turn(puts=(Row(QUESTION_ROW + code, {"location": place}),))

    def _settled(self, now: Ns, code: str) -> Turn:
        """It is open no more."""
        place = self._questions.pop(code, None)
        if place is None:
            return NOTHING
        gone = Turn(deletes=(QUESTION_ROW + code,))
        return together(gone, self._adjustments.settled(now, place))

    def _disturb(self, place: str) -> None:
        if self._window is not None:
            self._window.moved.add(place)
