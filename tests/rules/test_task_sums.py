"""Whatever people do and whenever the process dies: what is confirmed is what was moved."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model import (
    UNKNOWN_LOCATION,
    Alert,
    Amendment,
    Attribution,
    Dismissal,
    Fact,
    Movement,
    ReferenceDeleted,
    Stall,
    Task,
    TaskCancel,
    TaskConfirmation,
    TaskProgress,
    Unresolved,
)
from tests.rules.tasks import Floor, again, moved, task

CODES = ("T1", "T2", "T3")
PLACES = ("A1", "A2", "B1", "A", "HALL", UNKNOWN_LOCATION)
ITEMS = ("BOLT", "NUT")
EPCS = ("e1", "e2", "e3")
DEMAND = {"demand_order": ("A",)}

Story = list[tuple[float, Fact]]

places, items = st.sampled_from(PLACES), st.sampled_from(ITEMS)
pieces = st.lists(st.sampled_from(EPCS), unique=True, max_size=2).map(tuple)
tasks = st.builds(
    task,
    st.sampled_from(CODES),
    st.integers(1, 4),
    places,
    kind=st.sampled_from(["issue", "issue", "issue", "receipt", "transfer", "return"]),
    to_location=places,
    item=items,
    serials=st.sampled_from([(), (), ("e1", "e2")]),
    tolerance_pieces=st.integers(0, 1),
    policy=st.sampled_from(["flexible", "warning", "strict"]),
    priority=st.integers(0, 1),
    due_s=st.sampled_from([None, 100, 200]),
    timeout_s=st.sampled_from([5, 60]),
)
acts = st.builds(
    moved,
    st.just(""),
    st.integers(1, 3),
    places,
    places,
    item=items,
    epcs=pieces,
    reverses=st.sampled_from([None, None, None, "m1", "m2"]),
)
facts: st.SearchStrategy[Fact] = st.one_of(
    tasks,
    acts,
    acts,
    acts,
    st.builds(ReferenceDeleted, st.just("task"), st.sampled_from(CODES)),
    st.builds(TaskCancel, st.sampled_from(CODES)),
    st.builds(
        lambda movement, epcs: Amendment("tags_followed", amends_movement=movement, epcs=epcs),
        st.sampled_from(["m1", "m2", "m3", "m4"]),
        pieces,
    ),
    st.builds(
        lambda place, reason: Unresolved("u1", reason, place, ("BOLT",), 0, 0),
        places,
        st.sampled_from(["count_not_resolvable", "unsure"]),
    ),
    st.just(Dismissal("u1", "returned", 0)),
    st.builds(Attribution, st.sampled_from(["m1", "m2"]), actor=st.sampled_from(["eva", "li"])),
)
stories = st.lists(
    st.tuples(st.sampled_from([0.001, 0.1, 1.0, 4.0, 20.0, 90_000.0]), facts),
    min_size=5,
    max_size=30,
)


def run(story: Story, dies_at: int = -1) -> tuple[Floor, list[Fact], dict[str, Movement]]:
    """Play a story; the process dies and starts anew in the second before that step."""
    floor, told = Floor(settings=DEMAND), list[Fact]()
    known: dict[str, Task] = {}
    movements: dict[str, Movement] = {}
    for index, (pause_s, fact) in enumerate(story):
        if index == dies_at:
            told += floor.kinds()
            floor = again(floor, known.values(), settings=DEMAND)
        act: Any = fact
        if isinstance(fact, Movement):
            act = moved(
                f"m{index}",
                fact.quantity,
                fact.from_location,
                fact.to_location,
                item=fact.item,
                epcs=fact.epcs,
                reverses=fact.reverses,
            )
            movements[act.movement_id] = act
        elif isinstance(fact, Task):
            known[fact.code] = fact
        elif isinstance(fact, ReferenceDeleted):
            known.pop(fact.code, None)
        floor.do(floor.now_s + pause_s, act)
    floor.wake(floor.now_s + 1000)
    return floor, told + floor.kinds(), movements


@settings(max_examples=300, deadline=None)
@given(stories, st.integers(0, 30))
def test_what_is_confirmed_is_what_was_moved(story: Story, dies_at: int) -> None:
    floor, told, movements = run(story, dies_at)
    confirmed = [fact for fact in told if isinstance(fact, TaskConfirmation)]
    counted = [movement for each in confirmed for movement in each.movement_ids]
    assert len(counted) == len(set(counted))
    assert len({each.confirmation_id for each in confirmed}) == len(confirmed)
    whose = {
        fact.movement_id: fact.order
        for fact in told
        if isinstance(fact, Attribution) and fact.order
    }
    for each in confirmed:
        moves = [movements[movement] for movement in each.movement_ids]
        assert all(move.item == each.item for move in moves)
        assert all(whose[move.movement_id] == each.order for move in moves)
        bounds = sum(move.quantity for move in moves)
        assert 0 <= each.quantity_done <= bounds
        assert (bounds - each.quantity_done) % 2 == 0 or _has_halves(moves)
        assert each.quantity_difference == each.quantity_done - each.quantity_asked
    standing = set[str]()
    for fact in told:
        if isinstance(fact, Alert):
            assert fact.raised != (fact.key in standing)
            standing ^= {fact.key}
    assert {key for key in floor.rows if key.startswith("alert:")} == {
        f"alert:{key}" for key in standing
    }


def _ranked(floor: Floor) -> dict[str, Any]:
    """Its rows; of the numbers only their order says something."""
    rows = {key: dict(row) for key, row in floor.rows.items()}
    for kind in ("task:", "act:"):
        numbered = [key for key in rows if key.startswith(kind)]
        for rank, key in enumerate(sorted(numbered, key=lambda key: int(rows[key]["number"]))):
            rows[key]["number"] = rank
    return rows


def _has_halves(moves: list[Movement]) -> bool:
    """Whether some may be of the end that does not count."""
    return any(UNKNOWN_LOCATION in {move.from_location, move.to_location} for move in moves)


issues = st.builds(
    task, st.sampled_from(CODES), st.integers(1, 4), st.sampled_from(["A1", "B1"]), item=items
)
takes = st.builds(
    lambda quantity, ends, item, epcs: moved("", quantity, *ends, item=item, epcs=epcs),
    st.integers(1, 3),
    st.sampled_from([(p, q) for p in ("A1", "B1", "A2") for q in (UNKNOWN_LOCATION, "HALL")])
    | st.sampled_from([(UNKNOWN_LOCATION, place) for place in ("A1", "B1", "A2")]),
    items,
    pieces,
)
picks = st.lists(
    st.tuples(st.sampled_from([0.1, 4.0, 400.0]), st.one_of(issues, takes, takes)),
    min_size=5,
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(picks, st.integers(0, 30))
def test_what_is_confirmed_of_issues_is_what_left_less_what_came_back(
    story: Story, dies_at: int
) -> None:
    """Reckoned from the movements alone; an order has no more movements than its confirmation."""
    _, told, movements = run(story, dies_at)
    whose: dict[str, list[str]] = {}
    for fact in told:
        if isinstance(fact, Attribution) and fact.order and fact.kind is None:
            whose.setdefault(fact.order.number, []).append(fact.movement_id)
        elif isinstance(fact, TaskConfirmation):
            moves = [movements[movement] for movement in fact.movement_ids]
            signed = (m.quantity * (-1) ** (m.from_location == UNKNOWN_LOCATION) for m in moves)
            assert fact.quantity_done == sum(signed)
            assert set(fact.movement_ids) <= set(whose.get(fact.order.number, ()))


@settings(max_examples=300, deadline=None)
@given(stories, st.integers(0, 30))
def test_a_restart_at_any_moment_changes_nothing(story: Story, dies_at: int) -> None:
    whole, told, _ = run(story)
    later, told_again, _ = run(story, dies_at)
    assert _unnumbered(told_again) == _unnumbered(told)
    assert _ranked(later) == _ranked(whole)


def _unnumbered(told: list[Any]) -> list[Any]:
    """Tasks are numbered anew where none is left of those before: only their order counts."""
    return [replace(f, rank=(0, 0, 0)) if isinstance(f, TaskProgress) else f for f in told]


@settings(max_examples=100, deadline=None)
@given(stories, st.integers(0, 30))
def test_a_stall_loses_nothing(story: Story, stalls_at: int) -> None:
    floor, told, _ = run([*story[:stalls_at], (0.0, Stall(10**10)), *story[stalls_at:]])
    confirmed = [fact.confirmation_id for fact in told if isinstance(fact, TaskConfirmation)]
    assert len(confirmed) == len(set(confirmed))
    open_still = [row for key, row in floor.rows.items() if row.get("state") == "picking"]
    assert open_still == []
