"""Who moved it, with presence, the gate and the movement rule before it, from reads alone."""

from typing import Any

import pytest

from gateway.model import Alert, Attribution, Badge, Movement, TagRead, Unresolved
from rules.movement import MovementRule
from rules.person import Person
from rules.portal import Portal
from rules.presence import Presence
from tests.rules.gate import INNER, OUTER, go, hill
from tests.rules.play import BOLT, TAG, Play, read

ANN, BOB = Badge("B-17", "ann", epc="b0a0"), Badge("B-18", "bob", epc="b0b0")
RULES = [Presence, Portal, MovementRule, Person]


def watched(**known: Any) -> Play:
    found = Play(RULES, items=(BOLT, ANN, BOB), now_s=-10.0, **known)
    found.cover(1.0, device="g", resumed=True)
    return found


def walk(epc: str, begin_s: float) -> list[tuple[float, TagRead]]:
    return [*hill(OUTER, begin_s, epc), *hill(INNER, begin_s + 1.5, epc)]


@pytest.mark.parametrize("behind_s", [-1.0, 0.0, 1.5])
def test_who_walks_a_piece_through_a_gate_is_named(behind_s: float) -> None:
    gate = watched()
    go(gate, [*walk(TAG, 3.0), *walk("b0a0", 3.0 + behind_s)], 30.0)
    [movement] = gate.kinds(Movement)
    assert (movement.from_location, movement.to_location, movement.epcs) == ("yard", "hall", (TAG,))
    assert gate.kinds(Attribution) == [Attribution(movement.movement_id, actor="ann")]
    assert gate.kinds(Unresolved, Alert) == []


def test_two_who_walk_together_are_not_told_apart() -> None:
    gate = watched()
    go(gate, [*walk(TAG, 3.0), *walk("b0a0", 3.2), *walk("b0b0", 2.8)], 30.0)
    assert len(gate.kinds(Movement)) == 1
    assert gate.kinds(Attribution) == []
    assert [alert.key for alert in gate.kinds(Alert)] == ["two_people:yard"]


def test_who_passed_long_before_has_nothing_to_do_with_it() -> None:
    gate = watched()
    go(gate, [*walk("b0a0", 3.0), *walk(TAG, 60.0)], 90.0)
    assert len(gate.kinds(Movement)) == 1
    assert gate.kinds(Attribution) == []


def test_who_stands_at_a_shelf_is_named_and_is_no_stock() -> None:
    shelf = Play(RULES, items=(BOLT, ANN, BOB), now_s=-10.0)
    shelf.cover(20.0, device="r", resumed=True, reads={0.2: [read("r:3", "3034cc")]})
    shelf.cover(60.0, reads={0.2: [read("r:3", "3034cc"), read("r:3", "b0a0")]})
    shelf.cover(90.0, reads={0.2: [read("r:3", "3034cc"), read("r:3", "b0a0"), read("r:3", TAG)]})
    [movement] = shelf.kinds(Movement)
    assert (movement.to_location, movement.epcs) == ("B", (TAG,))
    assert shelf.kinds(Attribution) == [Attribution(movement.movement_id, actor="ann")]
    assert shelf.kinds(Unresolved, Alert) == []
    assert [key for key in shelf.rows if key.startswith("Person/")] == []
