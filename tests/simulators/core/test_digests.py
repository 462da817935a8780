"""The core's book against digests: told where it differs, until the gateway took note."""

from typing import Any

import pytest

from simulators.core.desk import Answer
from tests.conformance.records import digest, epoch_of, movement, snapshot
from tests.simulators.core.conftest import Bench

EPOCH = epoch_of("digests")
BOOK = [{"item": "M6-NUT", "quantity": 5}]


def asked(bench: Bench, answer: Answer) -> list[Any]:
    told = bench.said(answer, "commandRequest")
    return [each for each in told if each["command"] == "reconcile"]


@pytest.fixture
def stocked(bench: Bench) -> Bench:
    """A core whose shelf holds 5 nuts, by record 1 of its gateway."""
    bench.send(EPOCH, 1, quantity=5)
    return bench


def digested(bench: Bench, seq: int, quantity: int) -> Answer:
    return bench.handle([bench.event(digest("edge-1", EPOCH, seq, {"M6-NUT": quantity}))])


def test_same_book_asks_nothing(stocked: Bench) -> None:
    assert asked(stocked, digested(stocked, 2, 5)) == []


def test_difference_is_told_until_it_is_taken_note_of(stocked: Bench) -> None:
    (request,) = asked(stocked, digested(stocked, 2, 4))
    args = {"location": "shelf-edge-1", "epoch": EPOCH, "seq": 2, "lines": BOOK}
    assert request["args"] == args
    assert asked(stocked, digested(stocked, 3, 4)) == []
    (again,) = asked(stocked, stocked.desk.connected())
    assert again["args"] == args
    stocked.hear("commandResponse", {"id": again["id"], "ok": True, "result": {}})
    assert asked(stocked, stocked.desk.connected()) == []
    assert asked(stocked, digested(stocked, 4, 4)) == []
    (other,) = asked(stocked, digested(stocked, 5, 3))
    assert other["args"]["seq"] == 5
    stocked.hear("commandResponse", {"id": other["id"], "ok": False, "error": "later"})
    assert len(asked(stocked, stocked.desk.connected())) == 1
    digested(stocked, 6, 5)
    assert stocked.book.digests.all() == []


def test_book_is_compared_as_of_the_digest(stocked: Bench) -> None:
    records = [
        digest("edge-1", EPOCH, 2, {"M6-NUT": 4}),
        movement("edge-1", EPOCH, 3, quantity=9),
        digest("edge-1", EPOCH, 4, {"M6-NUT": 14}),
    ]
    answer = stocked.handle([stocked.event(record) for record in records[:2]])
    (request,) = asked(stocked, answer)
    assert request["args"]["lines"] == BOOK
    stocked.handle([stocked.event(records[2])])
    assert stocked.book.digests.all() == []


@pytest.mark.parametrize("reason", ["daily", "weekly"])
def test_snapshot_for_the_record_changes_no_stock(stocked: Bench, reason: str) -> None:
    stocked.handle([stocked.event(snapshot("edge-1", EPOCH, 2, reason=reason))])
    assert stocked.book.stock()["shelf-edge-1", "M6-NUT"] == 5
    assert stocked.book.recount() == stocked.book.stock()


def test_core_that_lost_records_compares_anew(stocked: Bench) -> None:
    digested(stocked, 2, 4)
    stocked.book.lose(1)
    assert stocked.book.digests.all() == []
    stocked.desk.connected()
    assert len(asked(stocked, digested(stocked, 2, 4))) == 1
