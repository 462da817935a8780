"""The desk answers as the contract says, without a network."""

import json
from typing import Any

import pytest

from simulators.core import acks
from simulators.core.contract import ContractError
from simulators.core.desk import REPLAY_PAUSE_S, Message
from tests.conformance.records import epoch_of, movement
from tests.simulators.core.conftest import Bench

EPOCH = epoch_of("desk")


def test_burst_is_acknowledged_once(bench: Bench) -> None:
    answer = bench.send(EPOCH, *range(1, 51))
    [ack] = bench.said(answer, "ack")
    assert ack["hw"] == 50
    assert [result["seq"] for result in ack["results"]] == list(range(1, 51))


def test_burst_of_two_gateways_is_acknowledged_to_each(bench: Bench) -> None:
    answer = bench.handle(
        [bench.event(movement(gateway, EPOCH, 1, movement_id=gateway)) for gateway in "ab"]
    )
    topics = [message.topic for message in answer.messages]
    assert topics == ["shelfgate/v1/hamburg/a/ack", "shelfgate/v1/hamburg/b/ack"]


def test_early_record_asks_for_a_replay_once_a_pause(bench: Bench) -> None:
    asked = []
    for now_s in (0.0, REPLAY_PAUSE_S / 2, REPLAY_PAUSE_S, REPLAY_PAUSE_S * 1.5):
        bench.now_s = now_s
        asked.append(bench.said(bench.send(EPOCH, 5), "commandRequest"))
    assert [len(requests) for requests in asked] == [1, 0, 1, 0]
    assert asked[0][0]["args"] == {"epoch": EPOCH, "seq": 1}
    assert asked[0][0]["id"] != asked[2][0]["id"]


def test_early_record_after_progress_asks_at_once(bench: Bench) -> None:
    bench.send(EPOCH, 2)
    answer = bench.send(EPOCH, 1, 3)
    [request] = bench.said(answer, "commandRequest")
    assert request["args"]["seq"] == 2


def test_gap_that_closes_within_the_burst_is_none(bench: Bench) -> None:
    answer = bench.send(EPOCH, 2, 1, 2)
    assert bench.said(answer, "commandRequest") == []
    assert bench.said(answer, "ack")[0]["hw"] == 2


def test_nothing_is_acknowledged_for_early_records_alone(bench: Bench) -> None:
    assert bench.said(bench.send(EPOCH, 7), "ack") == []


def test_rejected_record_is_kept_aside_whole(bench: Bench) -> None:
    bad = bench.event(movement("edge-1", EPOCH, 1) | {"quantity": -1})
    [ack] = bench.said(bench.handle([bad]), "ack")
    assert ack["hw"] == 1
    assert ack["results"][0]["status"] == "rejected"
    assert "-1" in ack["results"][0]["reason"]
    assert bench.book.counters() == {"rejected": 1}
    assert bench.book.stock() == {}


def test_conflict_is_counted_and_noted(bench: Bench) -> None:
    bench.send(EPOCH, 1)
    answer = bench.send(EPOCH, 1, quantity=9)
    [ack] = bench.said(answer, "ack")
    assert ack["results"][0]["status"] == "conflict"
    assert [report["what"] for report in answer.reports] == ["conflict"]
    assert [incident[3] for incident in bench.book.incidents()] == ["conflict"]
    assert bench.book.counters()["conflict"] == 1


def test_broken_messages_are_counted_and_do_no_harm(bench: Bench) -> None:
    base = "shelfgate/v1/hamburg/edge-1/"
    messages = [
        Message(base + "event", b"{"),
        Message(base + "hello", b'{"epoch": 1}'),
        Message(base + "nowhere", b"{}"),
        Message(base + "hello/core", json.dumps({"epoch": EPOCH, "hw": 1}).encode()),
        Message("elsewhere", b"{}"),
    ]
    answer = bench.handle(messages)
    assert [report["what"] for report in answer.reports] == ["invalid"] * 5
    assert answer.messages == []
    assert bench.book.counters() == {"invalid": 5}


def test_hello_between_records_sees_those_before_it(bench: Bench) -> None:
    hello = bench.message("helloGateway", {"epoch": EPOCH, "first_kept": 1, "last": 2})
    first, second = (bench.event(movement("edge-1", EPOCH, seq)) for seq in (1, 2))
    answer = bench.handle([first, hello, second])
    assert bench.said(answer, "helloCore") == [{"epoch": EPOCH, "hw": 1}]
    assert [ack["hw"] for ack in bench.said(answer, "ack")] == [1, 2]


def test_hello_behind_the_core_is_noted(bench: Bench) -> None:
    bench.send(EPOCH, 1, 2, 3)
    hello = {"epoch": EPOCH, "first_kept": 1, "last": 2}
    answer = bench.hear("helloGateway", hello)
    assert bench.said(answer, "helloCore") == [{"epoch": EPOCH, "hw": 3}]
    assert bench.book.incidents()[0][3] == "behind"


def test_hello_with_another_epoch_is_noted_and_starts_anew(bench: Bench) -> None:
    bench.send(EPOCH, 1, 2, 3)
    other = epoch_of("another card")
    answer = bench.hear("helloGateway", {"epoch": other, "first_kept": 1, "last": 0})
    assert bench.said(answer, "helloCore") == [{"epoch": other, "hw": 0}]
    assert bench.book.incidents()[0][3] == "new epoch"
    assert bench.book.hw("edge-1", EPOCH) == 3


def test_records_gone_at_the_gateway_are_passed_over(bench: Bench) -> None:
    bench.send(EPOCH, 1)
    answer = bench.hear("helloGateway", {"epoch": EPOCH, "first_kept": 5, "last": 9})
    assert bench.said(answer, "helloCore") == [{"epoch": EPOCH, "hw": 4}]
    assert [each["command"] for each in bench.said(answer, "commandRequest")] == ["snapshot"]
    assert bench.book.incidents()[0][3:] == ("gap", "2 to 4 are gone")
    [late] = bench.said(bench.send(EPOCH, 3), "ack")[0]["results"]
    assert late["status"] == "duplicate"


@pytest.mark.parametrize(("retain", "hellos"), [(True, 1), (False, 0)])
def test_status_that_the_broker_kept_is_answered(
    bench: Bench, *, retain: bool, hellos: int
) -> None:
    status = {"state": "online", "version": "1", "boot_id": "b", "epoch": EPOCH}
    answer = bench.hear("status", status, retain=retain)
    assert len(bench.said(answer, "helloCore")) == hellos


def test_fresh_connection_says_hello_for_the_newest_epoch(bench: Bench) -> None:
    newer = epoch_of("newer")
    bench.send(EPOCH, 1, 2)
    bench.hear("helloGateway", {"epoch": newer, "first_kept": 1, "last": 0})
    answer = bench.desk.connected()
    bench.check(answer)
    assert bench.said(answer, "helloCore") == [{"epoch": newer, "hw": 0}]


def test_results_come_in_pages_and_are_bounded(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acks, "RESULTS_MAX", 5)
    monkeypatch.setattr(acks, "MESSAGES_MAX", 3)
    bench.send(EPOCH, *range(1, 31))
    request = {"id": "1", "command": "results-from", "args": {"epoch": EPOCH, "seq": 2}}
    pages = bench.said(bench.hear("coreRequest", request), "ack")
    assert [len(page["results"]) for page in pages] == [5, 5, 5]
    assert [result["seq"] for page in pages for result in page["results"]] == list(range(2, 17))
    assert {page["hw"] for page in pages} == {30}


def test_reference_reaches_each_gateway_with_a_version_that_grows(bench: Bench) -> None:
    bench.send(EPOCH, 1)
    item: dict[str, Any] = {"code": "M6/8", "name": "Nut", "unit_mg": 10_000}
    versions = [
        bench.said(bench.desk.put("item", "M6/8", body), "item")[0]["version"]
        for body in (item, item, item | {"name": "Hex nut"})
    ]
    assert versions == [1, 1, 2]
    [message] = bench.desk.put("item", "M6/8", None).messages
    assert message == Message("shelfgate/v1/hamburg/edge-1/item/M6%2F8", b"", retain=True)
    [again] = bench.said(bench.desk.put("item", "M6/8", item), "item")
    assert again["version"] == 4


def test_reference_against_the_contract_is_refused_and_not_kept(bench: Bench) -> None:
    with pytest.raises(ContractError):
        bench.desk.put("item", "M6", {"code": "M6", "unit_mg": 1.5})
    assert bench.book.references.all() == []


def test_new_gateway_is_served_with_all_references_once(bench: Bench) -> None:
    bench.desk.put("location", "shelf", {"code": "shelf"})
    expected = {"task_id": "A", "type": "expected", "portal": "dock", "direction": "in", "epcs": []}
    bench.desk.put("task", "A", expected)
    answer = bench.send(EPOCH, 1)
    assert len(bench.said(answer, "location")) == 1
    assert bench.said(answer, "task") == [expected | {"version": 1}]
    assert bench.said(bench.send(EPOCH, 2), "location") == []


def test_response_is_reported(bench: Bench) -> None:
    answer = bench.hear("commandResponse", {"id": "7", "ok": False, "error": "no such cell"})
    [report] = answer.reports
    assert report["response"] == {"id": "7", "ok": False, "error": "no such cell"}
