"""Proposals at the core: kept, decided on, told to the gateway until it says what became."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from simulators.core import proposal
from simulators.core.book import Book
from simulators.core.contract import load_contract
from simulators.core.desk import Answer, Desk
from simulators.core.proposals import ProposalRefusedError
from tests.conformance.records import dismissal, epoch_of, proposed
from tests.simulators.core.conftest import SITE, Bench, incoming

EPOCH = epoch_of("proposals")
CODE = f"{EPOCH}-1"


def approvals(answer: Answer) -> list[dict[str, Any]]:
    bodies = [json.loads(m.payload) for m in answer.messages if m.topic.endswith("/cmd/request")]
    return [body["args"] for body in bodies if body["command"] == "approve"]


@pytest.fixture
def asked(bench: Bench) -> Bench:
    """A core of which one thing is asked."""
    bench.handle([bench.event(proposed("edge-1", EPOCH, 1))])
    return bench


def test_answer_is_told_once_on_a_connection_until_the_gateway_closed_it(asked: Bench) -> None:
    desk, told = asked.desk, {"code": CODE, "approved": True, "actor": "eva"}
    answer = desk.answer(CODE, approved=True, actor="eva")
    asked.check(answer)
    assert approvals(answer) == [told]
    assert approvals(desk.decided_elsewhere()) == []
    assert approvals(desk.connected()) == [told]
    hello = asked.hear("helloGateway", {"epoch": EPOCH, "first_kept": 1, "last": 1})
    assert approvals(hello) == [told]
    closing = dismissal("edge-1", EPOCH, 2, unresolved_id=CODE, reason="approved", actor="eva")
    asked.handle([asked.event(closing)])
    assert approvals(desk.connected()) == []
    (kept,) = asked.book.proposals.all()
    assert (kept.closed, kept.answer, kept.actor) == ("approved", "approve", "eva")


def test_what_is_closed_or_not_known_is_not_answered(asked: Bench) -> None:
    with pytest.raises(ProposalRefusedError, match="no proposal P is known"):
        asked.desk.answer("P", approved=True)
    closing = dismissal("edge-1", EPOCH, 2, unresolved_id=CODE, reason="refused")
    asked.handle([asked.event(closing)])
    with pytest.raises(ProposalRefusedError, match="closed already: refused"):
        asked.desk.answer(CODE, approved=True)


def test_core_that_lost_records_asks_and_answers_anew(asked: Bench) -> None:
    closing = dismissal("edge-1", EPOCH, 2, unresolved_id=CODE, reason="refused")
    asked.handle([asked.event(closing)])
    asked.book.lose(1)
    assert [each.closed for each in asked.book.proposals.all()] == [None]
    asked.book.lose(1)
    assert asked.book.proposals.all() == []


def test_decision_of_another_process_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "core.db"
    book = Book(path)
    book.apply([incoming(proposed("edge-1", EPOCH, 1))])
    desk = Desk(book, load_contract(), SITE, Random(1))
    desk.decided_elsewhere()
    words = ["--db", str(path)]
    assert proposal.main([*words, "ls"]) == 0
    assert capsys.readouterr().out == (
        f"{CODE}  stocktake at shelf-edge-1 of edge-1: open\n"
        "  M6-NUT  7 expected, 6 found  missing\n"
    )
    assert proposal.main([*words, "--json", "refuse", CODE, "--actor", "eva"]) == 0
    assert json.loads(capsys.readouterr().out)["answer"] == "refuse"
    told = {"code": CODE, "approved": False, "actor": "eva"}
    assert approvals(desk.decided_elsewhere()) == [told]
    assert proposal.main([*words, "approve", "P"]) == 1
    assert "no proposal P is known" in capsys.readouterr().err
    book.close()
