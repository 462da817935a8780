"""The core issues the book of each location as its records change it."""

from typing import Any

from tests.conformance.records import AT, epoch_of, movement, snapshot
from tests.simulators.core.conftest import Bench

EPOCH = epoch_of("booklet")
SHELF = "shelf-edge-1"


def line(item: str, quantity: Any, **rest: Any) -> dict[str, Any]:
    return {"item": item, "quantity": quantity, "uom": "pcs", **rest}


def book(*lines: dict[str, Any]) -> dict[str, Any]:
    return {"code": SHELF, "at": AT, "lines": list(lines)}


def test_book_is_issued_of_what_a_burst_touched_behind_its_ack(bench: Bench) -> None:
    bench.desk.tells_books = True
    answer = bench.send(EPOCH, 1, 2)
    assert bench.said(answer, "book") == [book(line("M6-NUT", 2)) | {"version": 1}]
    channels = [bench.contract.address(message.topic).channel for message in answer.messages]
    assert channels.index("ack") < channels.index("book")
    out = {"from": {"location": SHELF}, "to": {"location": "unknown"}, "item": "X", "kind": "issue"}
    answer = bench.send(EPOCH, 3, **out)
    told = book(line("M6-NUT", 2), line("X", -1))
    assert bench.said(answer, "book") == [told | {"version": 2}]


def test_book_keeps_the_thresholds_that_were_issued(bench: Bench) -> None:
    bench.desk.tells_books = True
    bench.desk.put("book", SHELF, book(line("M6-NUT", 9, safety=2, reorder=4, lot="L")))
    stated = bench.event(snapshot("edge-1", EPOCH, 1, lines=[]))
    [told] = bench.said(bench.handle([stated]), "book")[-1:]
    assert told == book(line("M6-NUT", 0, safety=2, reorder=4)) | {"version": 2}


def test_rejected_record_and_one_that_was_taken_before_issue_nothing(bench: Bench) -> None:
    bench.desk.tells_books = True
    bench.send(EPOCH, 1)
    bad = bench.event(movement("edge-1", EPOCH, 2) | {"quantity": -1})
    assert bench.said(bench.handle([bad]), "book") == []
    assert bench.said(bench.send(EPOCH, 1), "book") == []


def test_no_book_is_issued_unasked(bench: Bench) -> None:
    assert bench.said(bench.send(EPOCH, 1), "book") == []
