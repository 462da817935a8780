"""Halves of transfers in the core: which two are one, and which are not."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulators.core import transfers
from simulators.core.book import Book
from simulators.core.halves import CLOCKS_APART_S, TRANSFER_WITHIN_S, Transfer
from tests.conformance.records import amendment, epoch_of, movement
from tests.simulators.core.conftest import Bench, incoming

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
ORDER = {"system": "erp", "type": "transfer", "number": "4711", "line": "10"}
UNKNOWN = {"location": "unknown"}
GATES = {"edge-1": {"location": "HALL"}, "edge-2": {"location": "DOCK"}}


class Past:
    """Tells a core what passed the gates of two gateways."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.seqs = dict.fromkeys(GATES, 0)

    def out(self, at_s: float, gateway: str = "edge-1", **rest: Any) -> list[Transfer]:
        return self.moved(at_s, gateway, {"from": GATES[gateway], "to": UNKNOWN}, **rest)

    def came(self, at_s: float, gateway: str = "edge-2", **rest: Any) -> list[Transfer]:
        return self.moved(at_s, gateway, {"from": UNKNOWN, "to": GATES[gateway]}, **rest)

    def moved(self, at_s: float, gateway: str, ends: Any, **rest: Any) -> list[Transfer]:
        at = (START + timedelta(seconds=at_s)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        told = movement(gateway, epoch_of(gateway), self.next(gateway), **ends, at_event=at, **rest)
        return self.take(told)

    def take(self, told: dict[str, Any]) -> list[Transfer]:
        committed = self.book.apply([incoming(told)])
        assert [outcome.status for outcome in committed.outcomes] == ["accepted"]
        return list(committed.transfers)

    def next(self, gateway: str) -> int:
        self.seqs[gateway] += 1
        return self.seqs[gateway]


@pytest.fixture
def past(book: Book) -> Past:
    return Past(book)


def waiting(book: Book) -> list[tuple[str, str, str]]:
    return [(half.way, half.location, half.epc) for half in book.halves.unpaired()]


def test_tag_that_left_past_one_gateway_and_came_past_another_is_one_transfer(past: Past) -> None:
    assert past.out(0, epcs=["3034aa"]) == []
    [told] = past.came(7.5, epcs=["3034aa"])
    assert (told.source, told.target, told.quantity, told.lasted_ms) == ("HALL", "DOCK", "1", 7500)
    assert told.gateways == ("edge-1", "edge-2")
    assert past.book.halves.transfers() == [told]
    assert waiting(past.book) == []


def test_it_makes_no_difference_which_half_the_core_hears_of_first(past: Past) -> None:
    past.came(7.5, epcs=["3034aa"])
    [told] = past.out(0, epcs=["3034aa"])
    assert (told.source, told.target, told.lasted_ms) == ("HALL", "DOCK", 7500)


@pytest.mark.parametrize(
    ("left", "came"),
    [
        ({"epcs": ["3034aa"]}, {"epcs": ["3034bb"]}),
        ({"epcs": ["3034aa"]}, {"epcs": ["3034aa"], "item": "M8-NUT"}),
        ({}, {}),
        ({"order": ORDER}, {}),
        ({"order": ORDER}, {"order": ORDER | {"number": "4712"}}),
        ({"order": ORDER}, {"order": ORDER, "quantity": 2}),
        ({"order": ORDER, "kind": "adjustment"}, {"order": ORDER}),
    ],
)
def test_what_may_be_something_else_is_no_transfer(
    past: Past, left: dict[str, Any], came: dict[str, Any]
) -> None:
    assert past.out(0, **left) == []
    assert past.came(5, **came) == []


def test_pieces_without_tags_are_paired_by_their_order_alone(past: Past) -> None:
    past.out(0, quantity=3, order=ORDER)
    [told] = past.came(5, quantity=3, order=ORDER | {"line": "20"})
    assert told.quantity == "3"


def test_what_comes_past_the_same_gateway_has_come_back(past: Past) -> None:
    past.out(0, epcs=["3034aa"])
    assert past.came(5, "edge-1", epcs=["3034aa"]) == []


@pytest.mark.parametrize(
    ("at_s", "paired"),
    [
        (TRANSFER_WITHIN_S, True),
        (TRANSFER_WITHIN_S + 1, False),
        (-CLOCKS_APART_S, True),
        (-CLOCKS_APART_S - 1, False),
    ],
)
def test_halves_too_far_apart_are_not_one(past: Past, at_s: float, paired: bool) -> None:
    past.out(0, epcs=["3034aa"])
    assert bool(past.came(at_s, epcs=["3034aa"])) == paired


def test_load_that_is_told_in_parts_is_paired_piece_by_piece(past: Past) -> None:
    past.out(0, epcs=["3034aa", "3034bb", "3034cc"], quantity=3)
    [first] = past.came(60, epcs=["3034aa", "3034bb"], quantity=2)
    [second] = past.came(70, epcs=["3034cc"])
    assert (first.quantity, second.quantity) == ("2", "1")


def test_of_two_that_fit_the_nearest_in_time_is_the_other_half(past: Past) -> None:
    past.out(0, order=ORDER)
    past.out(100, order=ORDER)
    [told] = past.came(110, order=ORDER)
    assert told.lasted_ms == 10_000
    assert waiting(past.book) == [("out", "HALL", "")]


def test_what_is_taken_back_was_no_transfer_and_its_other_half_waits_again(past: Past) -> None:
    past.out(0, epcs=["3034aa"])
    past.came(5, epcs=["3034aa"])
    wrong = f"{epoch_of('edge-2')}-1"
    ends = {"from": GATES["edge-2"], "to": UNKNOWN}
    past.moved(9, "edge-2", ends, reverses=wrong, reason="refuted", epcs=["3034aa"])
    assert past.book.halves.transfers() == []
    assert waiting(past.book) == [("out", "HALL", "3034aa")]


def test_tags_that_are_told_later_pair_what_was_not(past: Past) -> None:
    past.out(0)
    past.came(5, epcs=["3034aa"])
    named = {"amends_movement": f"{epoch_of('edge-1')}-1", "epcs": ["3034aa"]}
    told = past.take(amendment("edge-1", epoch_of("edge-1"), past.next("edge-1"), **named))
    assert [(each.source, each.target) for each in told] == [("HALL", "DOCK")]


def test_core_that_went_back_to_a_backup_knows_the_halves_that_are_left(past: Past) -> None:
    past.out(0, epcs=["3034aa"])
    past.came(5, epcs=["3034aa"])
    past.book.lose(1)
    assert waiting(past.book) == [("out", "HALL", "3034aa")]


def test_desk_tells_of_a_transfer(bench: Bench) -> None:
    left = {"from": GATES["edge-1"], "to": UNKNOWN, "epcs": ["3034aa"]}
    came = {"from": UNKNOWN, "to": GATES["edge-2"], "epcs": ["3034aa"]}
    bench.handle([bench.event(movement("edge-1", epoch_of("edge-1"), 1, **left))])
    answer = bench.handle([bench.event(movement("edge-2", epoch_of("edge-2"), 1, **came))])
    told = [each["transfer"] for each in answer.reports if each["what"] == "transfer"]
    assert [(each["source"], each["target"]) for each in told] == [("HALL", "DOCK")]


def test_command_lists_what_was_paired_and_what_was_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = Book(tmp_path / "core.db")
    past = Past(book)
    past.out(0, epcs=["3034aa"])
    past.came(7.5, epcs=["3034aa"])
    past.out(10, epcs=["3034bb", "3034cc"], quantity=3)
    past.came(TRANSFER_WITHIN_S + 20, epcs=["3034dd"])
    book.close()
    options = ["--db", str(tmp_path / "core.db")]
    assert transfers.main(options) == 0
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()] == [
        ["paired", "1"],
        ["unpaired", "3"],
        ["waiting", "1"],
    ]
    assert transfers.main([*options, "--state", "paired", "--json"]) == 0
    [told] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (told["source"], told["target"], told["lasted_ms"]) == ("HALL", "DOCK", 7500)
    assert transfers.main(["--db", str(tmp_path / "none.db")]) == 1
    assert "no file" in capsys.readouterr().err
