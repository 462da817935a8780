"""Orders of the core: promised, carried out, confirmed, and taken over from another process."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from simulators.core import order
from simulators.core.book import Book
from simulators.core.contract import load_contract
from simulators.core.desk import Answer, Desk
from simulators.core.orders import OrderLine, OrderRefusedError
from simulators.core.record import Rules
from tests.conformance.records import confirmation, epoch_of, movement, snapshot
from tests.simulators.core.conftest import SITE, Bench, incoming

EPOCH = epoch_of("orders")
SHELF = {"location": "shelf-edge-1"}
ORDER = {"system": "erp", "type": "sales", "number": "4711", "line": "10"}
TASK: dict[str, Any] = {
    "task_id": "T-1",
    "type": "issue",
    "order": ORDER,
    "item": "M6-NUT",
    "quantity": 4,
    "from": SHELF,
}


@pytest.fixture
def stocked(bench: Bench) -> Bench:
    """A core whose shelf holds 7 nuts, by record 1 of its gateway."""
    bench.handle([bench.event(snapshot("edge-1", EPOCH, 1))])
    return bench


@pytest.mark.parametrize(
    ("item", "quantity", "uom", "asked"),
    [
        ({"uoms": {"BOX": "2"}}, 3, "BOX", 6),
        ({"uom": "kg"}, "0.006", "kg", 6),
        ({"uom": "kg"}, 3, "g", 3),
        ({"uom": "l", "uoms": {"CUP": "0.005"}}, 1, "CUP", 5),
    ],
)
def test_order_in_another_unit_is_reserved_in_that_of_stock(
    stocked: Bench, item: dict[str, Any], quantity: Any, uom: str, asked: int
) -> None:
    stocked.desk.put("item", "M6-NUT", {"code": "M6-NUT"} | item)
    stocked.desk.order(TASK | {"quantity": quantity, "uom": uom})
    assert line(stocked.book).asked == asked


@pytest.mark.parametrize(("quantity", "uom"), [(1, "BOX"), ("0.5", "pcs"), (1, "kg")])
def test_order_in_a_unit_that_the_item_has_not_is_refused(
    stocked: Bench, quantity: Any, uom: str
) -> None:
    stocked.desk.put("item", "M6-NUT", {"code": "M6-NUT"})
    with pytest.raises(OrderRefusedError, match="is no quantity of M6-NUT"):
        stocked.desk.order(TASK | {"quantity": quantity, "uom": uom})


def picked(seq: int, quantity: int, **changes: Any) -> dict[str, Any]:
    ends = {"from": SHELF, "to": {"location": "unknown"}, "kind": "issue"}
    return movement("edge-1", EPOCH, seq, **ends, quantity=quantity, **({"order": ORDER} | changes))


def confirmed(bench: Bench, seq: int, **changes: Any) -> Answer:
    return bench.handle([bench.event(confirmation("edge-1", EPOCH, seq, **changes))])


def tasks(answer: Answer) -> list[tuple[str, Any, bool]]:
    return [
        (m.topic, json.loads(m.payload) if m.payload else None, m.retain)
        for m in answer.messages
        if "/task/" in m.topic
    ]


def line(book: Book) -> OrderLine:
    found = book.orders.line("T-1")
    assert found is not None
    return found


def test_order_is_issued_as_a_retained_task(stocked: Bench) -> None:
    answer = stocked.desk.order(TASK)
    stocked.check(answer)
    topic = "shelfgate/v1/hamburg/edge-1/task/T-1"
    assert tasks(answer) == [(topic, TASK | {"version": 1}, True)]
    assert line(stocked.book)[:11] == (
        *("T-1", "erp", "sales", "4711", "10", "M6-NUT", "shelf-edge-1"),
        *(4, 0, "open", 0),
    )


def test_amended_order_has_a_higher_version(stocked: Bench) -> None:
    stocked.desk.order(TASK)
    amended = TASK | {"quantity": 6}
    assert tasks(stocked.desk.order(amended))[0][1] == amended | {"version": 2}
    assert tasks(stocked.desk.order(amended))[0][1] == amended | {"version": 2}
    assert line(stocked.book).asked == 6


@pytest.mark.parametrize(
    ("quantity", "good"),
    [(3, True), (4, False)],
)
def test_no_piece_is_promised_twice(stocked: Bench, quantity: int, good: bool) -> None:
    stocked.desk.order(TASK)
    second = TASK | {"task_id": "T-2", "quantity": quantity}
    if good:
        stocked.desk.order(second)
        return
    with pytest.raises(OrderRefusedError, match="4 M6-NUT are wanted of shelf-edge-1, 3 are there"):
        stocked.desk.order(second)
    assert [each.task for each in stocked.book.orders.lines()] == ["T-1"]
    assert not stocked.book.references.knows("task", "T-2")


def test_what_was_moved_already_is_not_reserved_any_more(stocked: Bench) -> None:
    stocked.desk.order(TASK)
    back = {"from": {"location": "unknown"}, "to": SHELF, "kind": "return"}
    stocked.handle([stocked.event(picked(2, 3))])
    stocked.handle([stocked.event(picked(3, 1) | back)])
    assert line(stocked.book).moved == 2
    stocked.desk.order(TASK | {"task_id": "T-2", "quantity": 3})
    with pytest.raises(OrderRefusedError, match="1 M6-NUT are wanted of shelf-edge-1, 0 are there"):
        stocked.desk.order(TASK | {"task_id": "T-3", "quantity": 1})


def test_movement_of_another_line_or_item_counts_for_nothing(stocked: Bench) -> None:
    stocked.desk.order(TASK)
    stocked.handle([stocked.event(picked(2, 1, order=ORDER | {"line": "20"}))])
    stocked.handle([stocked.event(picked(3, 1, item="M8-NUT"))])
    assert line(stocked.book).moved == 0


def test_order_from_a_place_that_nobody_sees_is_not_reserved(stocked: Bench) -> None:
    inward = {key: value for key, value in TASK.items() if key != "from"} | {"to": SHELF}
    stocked.desk.order(inward | {"type": "receipt", "quantity": 1000})
    stocked.desk.order(TASK | {"task_id": "T-2", "quantity": 7})
    assert len(stocked.book.orders.lines()) == 2


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("done", 4, 0, 0, None)),
        (
            {"state": "short", "quantity_done": 3, "quantity_difference": -1, "exception": "SHORT"},
            ("short", 3, -1, 1, "SHORT"),
        ),
        (
            {"state": "over", "quantity_done": 5, "quantity_difference": 1, "exception": "OVER"},
            ("over", 5, 1, 0, "OVER"),
        ),
        (
            {"state": "cancelled", "quantity_done": 0, "quantity_difference": -4},
            ("cancelled", 0, -4, 4, None),
        ),
    ],
)
def test_confirmation_tells_actual_difference_exception_and_backorder(
    stocked: Bench, changes: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    stocked.desk.order(TASK)
    answer = confirmed(stocked, 2, **changes)
    assert stocked.said(answer, "ack")[0]["results"][0]["status"] == "accepted"
    assert tasks(answer) == [("shelfgate/v1/hamburg/edge-1/task/T-1", None, True)]
    assert line(stocked.book)[9:14] == expected
    assert not stocked.book.references.knows("task", "T-1")


def test_difference_is_of_what_the_core_asked_last(stocked: Bench) -> None:
    stocked.desk.order(TASK)
    stocked.desk.order(TASK | {"quantity": 6})
    confirmed(stocked, 2)
    assert line(stocked.book)[9:13] == ("done", 4, -2, 2)


def test_task_is_confirmed_once(stocked: Bench) -> None:
    stocked.desk.order(TASK)
    confirmed(stocked, 2)
    before = line(stocked.book)
    [ack] = stocked.said(confirmed(stocked, 3, quantity_done=3, quantity_difference=-1), "ack")
    assert ack["results"][0]["status"] == "rejected"
    assert ack["results"][0]["reason"] == "task was confirmed before: done"
    assert line(stocked.book) == before
    with pytest.raises(OrderRefusedError, match="task T-1 is confirmed already: done"):
        stocked.desk.order(TASK)


def test_withdrawn_order_may_still_be_confirmed(stocked: Bench) -> None:
    stocked.desk.order(TASK)
    assert tasks(stocked.desk.withdraw("T-1"))[0][1] is None
    assert line(stocked.book).state == "withdrawn"
    with pytest.raises(OrderRefusedError, match="no task T-1 is open"):
        stocked.desk.withdraw("T-1")
    confirmed(stocked, 2, state="cancelled", quantity_done=1, quantity_difference=-3)
    assert line(stocked.book)[9:13] == ("cancelled", 1, -3, 3)


@pytest.mark.parametrize("strict", [True, False])
def test_confirmation_of_a_strange_task_is_refused_by_a_strict_core(strict: bool) -> None:
    book = Book(Path(":memory:"), Rules(strict))
    [outcome] = book.apply([incoming(confirmation("edge-1", EPOCH, 1))]).outcomes
    assert outcome.reason == ("task is not known: T-1" if strict else None)
    assert book.orders.lines() == []
    book.close()


def test_confirmation_whose_figures_do_not_fit_is_refused(stocked: Bench) -> None:
    stocked.desk.order(TASK)
    [ack] = stocked.said(confirmed(stocked, 2, quantity_difference=-1), "ack")
    assert ack["results"][0]["reason"] == "the difference of 4 and 4 is not -1"
    assert line(stocked.book).state == "open"


def test_confirmation_that_is_lost_opens_its_line_again(stocked: Bench) -> None:
    stocked.desk.order(TASK)
    stocked.handle([stocked.event(picked(2, 4))])
    confirmed(stocked, 3)
    stocked.book.lose(2)
    assert line(stocked.book)[8:14] == (0, "open", 0, 0, 4, None)
    assert stocked.book.references.knows("task", "T-1")
    stocked.handle([stocked.event(picked(2, 4))])
    assert line(stocked.book).moved == 4
    confirmed(stocked, 3)
    assert line(stocked.book).state == "done"


Order = Callable[..., int]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a core that has served `edge-1` and holds 7 nuts."""
    book = Book(tmp_path / "core.db")
    book.apply([incoming(snapshot("edge-1", EPOCH, 1))])
    book.close()
    return tmp_path / "core.db"


def put(path: Path, *more: str, quantity: int = 4) -> int:
    words = ["--db", str(path), "--json", "put", "T-1", "--number", "4711", "--line", "10"]
    asked = ["--item", "M6-NUT", "--quantity", str(quantity), "--from", "shelf-edge-1"]
    return order.main([*words, *asked, *more])


def test_order_of_another_process_is_issued_and_withdrawn(path: Path) -> None:
    book = Book(path)
    desk = Desk(book, load_contract(), SITE, Random(1))
    assert desk.decided_elsewhere() == Answer([], [])
    assert put(path) == 0
    answer = desk.decided_elsewhere()
    assert tasks(answer)[0][1] == TASK | {"version": 1}
    assert desk.decided_elsewhere() == Answer([], [])
    assert order.main(["--db", str(path), "withdraw", "T-1"]) == 0
    assert tasks(desk.decided_elsewhere())[0][1] is None
    book.close()


def test_command_line_says_the_line_and_why_an_order_is_refused(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ("--serial", "3034", "--pieces", "1", "--due", "2026-11-24T09:30:00Z", "--lot", "L7")
    assert put(path, *more) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["task"], told["asked"], told["backorder"]) == ("T-1", 4, 4)
    assert told["body"] == TASK | {
        "serials": ["3034"],
        "tolerance": {"pieces": 1},
        "due": "2026-11-24T09:30:00Z",
        "lot": "L7",
    }
    assert put(path, quantity=8) == 1
    assert "8 M6-NUT are wanted" in capsys.readouterr().err
    assert put(path, "--policy", "lenient") == 1
    assert "policy" in capsys.readouterr().err
    assert order.main(["--db", str(path), "ls"]) == 0
    expected = "T-1  erp 4711/10  4 M6-NUT from shelf-edge-1  open: 0 done, 4 left\n"
    assert capsys.readouterr().out == expected


def test_order_for_one_gateway_is_told_to_no_other(stocked: Bench) -> None:
    other = movement("edge-2", epoch_of("other"), 1)
    stocked.handle([stocked.event(other)])
    told = tasks(stocked.desk.order(TASK, "edge-2"))
    assert [topic.split("/")[3] for topic, _, _ in told] == ["edge-2"]
    everybody = tasks(stocked.desk.order(TASK | {"task_id": "T-2", "quantity": 1}))
    assert [topic.split("/")[3] for topic, _, _ in everybody] == ["edge-1", "edge-2"]
    again = [topic.rsplit("/", 3)[1:] for topic, _, _ in tasks(stocked.desk.connected())]
    assert sorted(again) == [
        ["edge-1", "task", "T-2"],
        ["edge-2", "task", "T-1"],
        ["edge-2", "task", "T-2"],
    ]
    assert [topic.split("/")[3] for topic, _, _ in tasks(stocked.desk.withdraw("T-1"))] == [
        "edge-2"
    ]
