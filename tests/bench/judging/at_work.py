"""The real rules in a storeroom that works by order: what they tell of its lines, and when."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.model import NS_PER_MS, Alert, Movement, Ns, ReferenceDeleted, TaskConfirmation
from gateway.outcome import Outcome
from simulators.world.truth import Observed, Scenario
from tests.bench.judging.claims import Claim, in_bins
from tests.bench.judging.ours import START_NS, Ours

STOCK_RULE = "stock"
"""Its rows of a place and an item, parted by a tab, are what is published as stock."""


ANSWER_NS: Ns = 500 * NS_PER_MS
"""The order system takes a line off its list so soon after it was confirmed."""

SETTINGS = {"task": {"demand_order": ("*",)}}
"""How this site is set up, all else having its default: nothing may leave without an order."""


class Confirmed(NamedTuple):
    """What was told to have become of a line, and when; on the world's clock (ns)."""

    at: int
    task: str
    state: str
    item: str
    quantity: int
    exception: str


class Raised(NamedTuple):
    """An alert as it is raised. `key` names what it is about, parted by colons."""

    at: int
    key: str
    text: str = ""


class Linked(NamedTuple):
    """A return that names what it takes back, or its order."""

    at: int
    item: str
    place: str


class Negative(NamedTuple):
    """Less than nothing was published."""

    at: int
    place: str
    item: str
    quantity: int


@dataclass(slots=True)
class WorkTold:
    """All that was told of the work in one world. `claims` are its movements, said of cells."""

    confirmed: list[Confirmed] = field(default_factory=list)
    raised: list[Raised] = field(default_factory=list)
    linked: list[Linked] = field(default_factory=list)
    negative: list[Negative] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)


class AtWork(Ours):
    """Keeps what concerns order lines, too."""

    def __init__(self, scenario: Scenario) -> None:
        self.work = WorkTold()
        self._scenario = scenario
        self._answers: deque[tuple[Ns, str]] = deque()
        super().__init__(scenario, SETTINGS)

    def observe(self, observed: Observed) -> None:
        """The order system answers what was confirmed until now, then this is observed."""
        while self._answers and self._answers[0][0] <= observed.at:
            at, code = self._answers.popleft()
            self._feed(START_NS + at, ReferenceDeleted("task", code))
        super().observe(observed)

    def end(self, at: int) -> WorkTold:
        """Let time pass until then; all that was told."""
        self.work.claims = in_bins(self.finish(at).claims, self._scenario)
        return self.work

    def _book(self, outcomes: Iterable[Outcome]) -> None:
        told = [*outcomes]
        super()._book(told)
        for outcome in told:
            at = outcome.at - START_NS
            for event in outcome.events:
                if type(event) is TaskConfirmation:
                    self.work.confirmed.append(_confirmed(at, event))
                    self._answers.append((at + ANSWER_NS, event.task))
                elif type(event) is Alert and event.raised:
                    self.work.raised.append(Raised(at, event.key, event.text))
                elif type(event) is Movement and event.kind == "return" and _linked(event):
                    self.work.linked.append(Linked(at, event.item, event.to_location))
            self._published(at, outcome)

    def _published(self, at: Ns, outcome: Outcome) -> None:
        for rule, _, row in outcome.puts:
            if rule == STOCK_RULE and row.key.count("\t") == 1 and row.value["quantity"] < 0:
                place, item = row.key.split("\t")
                self.work.negative.append(Negative(at, place, item, row.value["quantity"]))


def _linked(movement: Movement) -> bool:
    return movement.reverses is not None or movement.order is not None


def _confirmed(at: Ns, told: TaskConfirmation) -> Confirmed:
    exception = told.exception or ""
    return Confirmed(at, told.task, told.state, told.item, told.quantity_done, exception)
