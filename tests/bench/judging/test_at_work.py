"""What is kept of the work by order, and what the order system answers."""

from gateway.model import (
    Alert,
    Fact,
    Movement,
    OrderReference,
    ReferenceDeleted,
    Task,
    TaskConfirmation,
)
from gateway.outcome import Outcome
from gateway.ports import Row
from simulators.world.families.order_day import LINE_EVERY_S, REST_OF_DAY_S
from simulators.world.scenarios import OPENING_S, make_scenario
from simulators.world.truth import NS_PER_S, OUTSIDE, Alive, LineTold, LineWithdrawn, OrderLine
from tests.bench.judging.at_work import AtWork, Confirmed, Linked, Negative, Raised
from tests.bench.judging.ours import START_NS

ORDER = OrderReference("simulator", "order", "4711", "2")
LINE = OrderLine("T1", "issue", "4711", "2", "BOLT", 4, "A-1", OUTSIDE, 300, 60)
AT = START_NS + 20 * NS_PER_S


class Listening(AtWork):
    """Keeps what goes into the engine, and lets outcomes be told by hand."""

    def __init__(self) -> None:
        self.fed: list[tuple[int, Fact]] = []
        scenario, _ = make_scenario("orders", "normal", 1, 1500.0)
        super().__init__(scenario)

    def _feed(self, at: int, fact: Fact) -> None:
        if isinstance(fact, Task | ReferenceDeleted):
            self.fed.append((at - START_NS, fact))
        super()._feed(at, fact)

    def tell(self, outcome: Outcome) -> None:
        self._book([outcome])


def movement(kind: str, order: OrderReference | None = None) -> Movement:
    ends = ("A-1", "unknown") if kind == "issue" else ("unknown", "A-1")
    told = Movement("m", "issue", "weight", "BOLT", 1, "pcs", *ends, AT, AT, 990, order=order)
    return told if kind == "issue" else _return(told)


def _return(told: Movement) -> Movement:
    ends = (told.from_location, told.to_location)
    what = (told.item, told.quantity, told.uom)
    return Movement("r", "return", "weight", *what, *ends, AT, AT, 990, order=told.order)


def test_a_line_told_is_a_task_and_one_taken_back_is_deleted() -> None:
    work = Listening()
    work.observe(LineTold(5 * NS_PER_S, "order-system", LINE))
    work.observe(LineWithdrawn(9 * NS_PER_S, "order-system", "T1"))
    task = Task(
        "T1", "issue", ORDER, "BOLT", 4, "A-1", "unknown", due_s=300, timeout_s=60, version=1
    )
    assert work.fed == [
        (5 * NS_PER_S, task),
        (9 * NS_PER_S, ReferenceDeleted("task", "T1")),
    ]


def test_a_confirmation_is_kept_and_its_line_soon_taken_off_the_list() -> None:
    work = Listening()
    told = TaskConfirmation("c", "T1", ORDER, "over", "BOLT", "pcs", 4, 5, 1, AT, AT, AT, "OVER")
    work.tell(Outcome(AT, (told,)))
    assert work.work.confirmed == [Confirmed(20 * NS_PER_S, "T1", "over", "BOLT", 5, "OVER")]
    work.observe(Alive(round(20.4 * NS_PER_S), "o-scale"))
    assert work.fed == []
    work.observe(Alive(round(20.6 * NS_PER_S), "o-scale"))
    assert work.fed == [(round(20.5 * NS_PER_S), ReferenceDeleted("task", "T1"))]


def test_only_alerts_that_are_raised_and_returns_that_name_their_issue_are_kept() -> None:
    work = Listening()
    for raised in (True, False):
        alert = Alert("over_issue", "over_issue:T1", raised, "warning", "put it back", AT)
        work.tell(Outcome(AT, (alert,)))
    assert work.work.raised == [Raised(20 * NS_PER_S, "over_issue:T1", "put it back")]
    for told in (movement("issue", ORDER), movement("return"), movement("return", ORDER)):
        work.tell(Outcome(AT, (told,)))
    assert work.work.linked == [Linked(20 * NS_PER_S, "BOLT", "A-1")]


def test_a_balance_below_nothing_is_kept() -> None:
    work = Listening()
    balances = (Row("A-1\tBOLT", {"quantity": -1, "uom": "pcs"}), Row("A-1\tBOLT\tepc", {}))
    work.tell(Outcome(AT, puts=(*(("stock", 1, row) for row in balances),)))
    fine = Row("A-1\tBOLT", {"quantity": 0, "uom": "pcs"})
    work.tell(Outcome(AT, puts=(("stock", 1, fine), ("presence", 1, balances[0]))))
    assert work.work.negative == [Negative(20 * NS_PER_S, "A-1", "BOLT", -1)]


def test_the_rules_see_what_is_done_for_the_lines_of_a_short_shift() -> None:
    length_s = OPENING_S + 8 * LINE_EVERY_S + REST_OF_DAY_S
    scenario, _ = make_scenario("orders", "normal", 2, length_s)
    work = AtWork(scenario)
    for observed in scenario.observations():
        work.observe(observed)
    told = work.end(round(length_s * NS_PER_S))
    weighed = {cell.location for cell in scenario.block.cells}
    ways = {(claim.item, claim.source, claim.target, claim.quantity) for claim in told.claims}
    acts = [act for act in scenario.acts if {act.source, act.target} & weighed]
    assert acts
    assert {(act.item, act.source, act.target, act.quantity) for act in acts} <= ways
