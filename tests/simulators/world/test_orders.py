"""The storeroom that works by order: nothing promised twice, and a truth log that adds up."""

import hashlib
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from random import Random

import pytest

from simulators.world.families.order_book import Book, OverPromisedError
from simulators.world.families.order_day import LINE_EVERY_S, MISTAKE_SHARE, MISTAKES, REST_OF_DAY_S
from simulators.world.families.storeroom import STOOD_MIN_S, Storeroom, Why
from simulators.world.parameters import SiteParameters
from simulators.world.scenarios import OPENING_S, make_scenario
from simulators.world.truth import (
    NS_PER_S,
    OUTSIDE,
    LineTold,
    LineWithdrawn,
    Scenario,
    TruthAct,
    TruthLine,
)

ROOT = Path(__file__).resolve().parents[3]

SEEDS = range(1, 13)
LINES = 60


def made(seed: int, lines: int = LINES) -> Scenario:
    length_s = OPENING_S + lines * LINE_EVERY_S + REST_OF_DAY_S
    return make_scenario("orders", "normal", seed, length_s)[0]


@pytest.fixture(scope="module")
def worlds() -> list[Scenario]:
    return [made(seed) for seed in SEEDS]


def known(worlds: list[Scenario], mistake: str) -> list[tuple[TruthLine, list[TruthAct]]]:
    """All lines with that mistake, and what was done for each."""
    return [
        (line, [act for act in world.acts if act.task == line.line.code])
        for world in worlds
        for line in world.block.lines
        if line.mistake == mistake
    ]


def net(line: TruthLine, acts: list[TruthAct]) -> int:
    """Pieces of the line's item that went in or out in all, seen from where it asks."""
    change: Counter[str] = Counter()
    for act in acts:
        if act.item == line.line.item:
            change[act.source] -= act.quantity
            change[act.target] += act.quantity
    inward = line.line.source == OUTSIDE
    if line.line.kind == "transfer":
        return change[line.line.target]
    return -change[OUTSIDE] if inward else change[OUTSIDE]


def test_one_seed_gives_one_world() -> None:
    once, again, other = made(3), made(3), made(4)
    assert once.acts == again.acts != other.acts
    assert once.block.lines == again.block.lines
    assert once.block.slips == again.block.slips
    assert [*once.observations()] == [*again.observations()]


def fingerprint(seed: int) -> str:
    block = made(seed, 20).block
    told = repr((block.acts, block.lines, block.slips, block.goods, block.figures))
    return hashlib.sha256(told.encode()).hexdigest()


def test_another_process_makes_the_same_world() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from tests.simulators.world.test_orders import fingerprint\n"
        "print(fingerprint(7))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code, str(ROOT)],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert told == {fingerprint(7)}


def test_so_many_lines_are_told_and_the_asked_share_goes_wrong(worlds: list[Scenario]) -> None:
    assert {len(world.block.lines) for world in worlds} == {LINES}
    lines = [line for world in worlds for line in world.block.lines]
    mistaken = Counter(line.mistake for line in lines if line.mistake)
    assert mistaken.keys() == MISTAKES.keys()
    assert abs(mistaken.total() / len(lines) - MISTAKE_SHARE) < 0.03
    kinds = {line.line.kind for line in lines}
    assert kinds == {"issue", "put_away", "receipt", "transfer", "return"}


def test_what_was_done_for_each_line_is_what_its_acts_come_to(worlds: list[Scenario]) -> None:
    for mistake in ("", *MISTAKES):
        for line, acts in known(worlds, mistake):
            shift = [act for act in acts if act.mistake != "brought back"]
            assert net(line, shift) == line.done, (line, acts)


def test_each_mistake_leaves_what_is_said_of_it(worlds: list[Scenario]) -> None:
    said = {"over": (1, "OVER"), "put back": (0, ""), "short": (-1, "SHORT")}
    said |= {"swapped": (-1, "WRONG_SKU"), "other place": (0, "WRONG_LOCATION"), "": (0, "")}
    for mistake, (difference, exception) in said.items():
        for line, _ in known(worlds, mistake):
            assert (line.done - line.line.quantity, line.exception) == (difference, exception)
    for line, acts in known(worlds, "wrong item"):
        assert (line.done, line.exception) == (0, "WRONG_SKU")
        assert {act.item for act in acts} & {line.line.item} == set()
    for line, acts in known(worlds, "given up"):
        assert (line.done, line.exception, len(acts)) == (0, "TIMEOUT", 2)
    for line, acts in known(worlds, "forgotten"):
        assert (acts, line.exception) == ([], "")
        assert line.withdrawn == (line.line.due_s + 30) * NS_PER_S


def test_every_mistake_but_two_pickers_is_to_be_told(worlds: list[Scenario]) -> None:
    for world in worlds:
        made_wrong = Counter(line.mistake for line in world.block.lines if line.mistake)
        del made_wrong["two pickers"]
        assert Counter(slip.mistake for slip in world.block.slips) == made_wrong
        ends = [act.at for act in world.acts if act.mistake not in {"theft", "brought back"}]
        after = [slip.at for slip in world.block.slips if slip.mistake in {"theft", "brought back"}]
        assert min(after, default=max(ends)) >= max(ends)


def test_no_piece_is_promised_twice(worlds: list[Scenario]) -> None:
    """What open lines may still take from a place never exceeds what lies there."""
    for world in worlds:
        stock = Counter(world.block.stock)
        wanted: dict[str, tuple[tuple[str, str], int]] = {}
        moments: list[tuple[int, TruthLine | TruthAct]] = [
            *((line.told, line) for line in world.block.lines),
            *((act.at, act) for act in world.acts),
        ]
        for _, said in sorted(moments, key=lambda moment: moment[0]):
            if isinstance(said, TruthLine):
                place = (said.line.source, said.line.item)
                if said.line.source != OUTSIDE and said.exception == "" and said.done:
                    wanted[said.line.code] = (place, said.line.quantity)
            else:
                stock[said.source, said.item] -= said.quantity
                stock[said.target, said.item] += said.quantity
                assert said.source == OUTSIDE or stock[said.source, said.item] >= 0
                if said.task in wanted and said.source != OUTSIDE:
                    place, left = wanted[said.task]
                    wanted[said.task] = (place, max(0, left - said.quantity))
            promised: Counter[tuple[str, str]] = Counter()
            for place, left in wanted.values():
                promised[place] += left
            assert all(stock[place] >= count for place, count in promised.items())


def test_nobody_else_has_to_do_with_an_item_while_a_line_of_it_is_open(
    worlds: list[Scenario],
) -> None:
    """But for two pickers at one shelf. What a hand astray takes is of no open line, too."""
    for world in worlds:
        spans: dict[str, list[tuple[int, int]]] = {}
        for line in world.block.lines:
            acts = [act for act in world.acts if act.task == line.line.code]
            shift = [act for act in acts if act.mistake != "brought back"]
            end = max([line.told, *(act.at for act in shift)], default=line.told)
            for item in {line.line.item, *(act.item for act in shift)}:
                if line.mistake != "two pickers":
                    spans.setdefault(item, []).append((line.told, line.withdrawn or end))
        for open_spans in spans.values():
            ordered = sorted(open_spans)
            assert all(one[1] < two[0] for one, two in pairwise(ordered)), ordered


def test_two_pickers_are_at_one_shelf_at_once_or_at_one_place_in_turn(
    worlds: list[Scenario],
) -> None:
    pairs = [
        (one, two)
        for world in worlds
        for one, two in combinations(world.block.lines, 2)
        if one.mistake == two.mistake == "two pickers" and one.told == two.told
    ]
    assert pairs
    by_line = {
        (line.line.code, line.told): [act.at for act in acts]
        for line, acts in known(worlds, "two pickers")
    }
    same = 0
    for pair in pairs:
        first, second = sorted(pair, key=lambda line: line.line.due_s)
        one, two = (by_line[line.line.code, line.told] for line in (first, second))
        if first.line.item == second.line.item:
            same += 1
            assert max(one) < min(two)
        else:
            assert abs(min(one) - min(two)) <= NS_PER_S
    assert 0 < same < len(pairs)


def test_lines_are_told_and_taken_back_in_the_stream_of_the_order_system() -> None:
    world = next(w for w in map(made, SEEDS) if any(line.withdrawn for line in w.block.lines))
    said = [one for one in world.observations() if isinstance(one, LineTold | LineWithdrawn)]
    told = [one.line for one in said if isinstance(one, LineTold)]
    assert sorted(told) == sorted(line.line for line in world.block.lines)
    withdrawn = {one.code: one.at for one in said if isinstance(one, LineWithdrawn)}
    lines = world.block.lines
    assert withdrawn == {line.line.code: line.withdrawn for line in lines if line.withdrawn}


def storeroom() -> Storeroom:
    random = Random("a storeroom")
    return Storeroom("R", 600.0, SiteParameters.draw(random, "normal"), random)


def test_the_book_refuses_what_is_promised_already() -> None:
    book, place = Book(), storeroom().places[0]
    free = book.free(place, 0.0)
    assert free == len(place.pieces) > 1
    book.promise(place, free - 1, 0.0)
    assert book.free(place, 0.0) == 1
    with pytest.raises(OverPromisedError):
        book.promise(place, 2, 0.0)
    book.settle(place, free - 1)
    assert book.free(place, 0.0) == free


def test_what_was_just_laid_down_is_not_promised() -> None:
    room, book = storeroom(), Book()
    place = room.places[0]
    before = book.free(place, 100.0)
    room.lay(100.0, place, [room.make(place)], Why("Ana"))
    assert book.free(place, 100.0 + STOOD_MIN_S - 1.0) == before
    assert book.free(place, 100.0 + STOOD_MIN_S) == before + 1


def test_a_transfer_is_two_acts_and_keeps_the_pieces() -> None:
    room = storeroom()
    source, target = room.places[0], room.places[4]
    assert room.twin(source) is target
    pieces = source.pieces[:2]
    before = len(target.pieces)
    end_s = room.bring(50.0, (source, target), pieces, Why("Ben", "T1"))
    taken, laid = room.acts
    assert (taken.at, taken.source, taken.target) == (50 * NS_PER_S, source.location, OUTSIDE)
    assert laid == replace(
        taken, at=laid.at, until=laid.at, kind="put", source=OUTSIDE, target=target.location
    )
    assert laid.at == round(end_s * NS_PER_S) > taken.at
    assert target.pieces[before:] == pieces
    assert not set(map(id, pieces)) & set(map(id, source.pieces))
