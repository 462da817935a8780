"""What lights show, as tasks and alerts come and go."""

from collections.abc import Iterable
from typing import Any

import pytest

from gateway.model import (
    Alert,
    Cell,
    DeviceStatus,
    Fact,
    Light,
    LightId,
    Severity,
    ShowLight,
    Site,
    TaskProgress,
    Zone,
)
from rules.light import LightRule
from rules.task import TaskRule
from tests.rules.play import Play
from tests.rules.tasks import SHELVES, moved, put, task

LIT = Site(
    zones=(Zone("A", ("r:1",)),),
    cells=(
        Cell("s:1", "A1", "BOLT", "A"),
        Cell("s:2", "A2", "NUT", "A"),
        Cell("s:3", "C1", "OIL"),
    ),
    lights=(
        Light("p:1", "pick", "A1"),
        Light("p:2", "pick", "A2"),
        Light("p:3", "pick", "C1"),
        Light("g:stack", "stack"),
        Light("g:horn", "buzzer"),
    ),
)
DARK = (None, "steady", None)
GREEN = ("green", "steady", None)


class Lit(Play):
    """`shows` is what each light was last told to show, as colour, pattern and number."""

    def __init__(self, **known: Any) -> None:
        known.setdefault("site", LIT)
        self.lights: dict[LightId, tuple[str | None, str, int | None]] = {}
        self.lasting: dict[LightId, bool] = {}
        self.acts: list[ShowLight] = []
        super().__init__(known.pop("rules", [LightRule]), items=(), **known)

    def _keep(self, outcomes: Iterable[Any]) -> None:
        told = list(outcomes)
        for outcome in told:
            for shown in outcome.actions:
                self.acts.append(shown)
                self.lights[shown.light] = (shown.colour, shown.pattern, shown.number)
        super()._keep(told)

    def shows(self, light: LightId = "p:1") -> tuple[str | None, str, int | None]:
        return self.lights.get(light, DARK)


def again(lit: Lit, **known: Any) -> Lit:
    return Lit(rows=lit.rows, now_s=lit.now_s, **known)


def wants(code: str = "T1", wanting: int = 3, place: str = "A1", **rest: Any) -> TaskProgress:
    return TaskProgress(code, rest.pop("item", "BOLT"), place, wanting=wanting, **rest)


def alert(severity: Severity, key: str = "a:1", *, raised: bool = True) -> Alert:
    return Alert(key.partition(":")[0], key, raised, severity, "look", 0)


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({}, ("green", "steady", 3)),
        ({"outward": False}, ("green", "slow", 3)),
        ({"asks": True}, ("amber", "double", 3)),
        ({"wanting": 0, "excess": 2}, ("red", "fast", 2)),
        ({"astray": (("A1", 1),)}, ("red", "fast", 1)),
        ({"wanting": 0}, DARK),
        ({"actor": "Ben"}, ("blue", "steady", 3)),
        ({"actor": "Ana"}, ("green", "steady", 3)),
        ({"place": ""}, DARK),
        ({"place": "nowhere"}, DARK),
    ],
)
def test_light_tells_what_to_do_by_pattern_and_number(
    told: dict[str, Any], shown: tuple[str | None, str, int | None]
) -> None:
    lit = Lit(settings={"operator_colours": {"Ben": "blue"}})
    lit.feed(1, wants(**told))
    assert lit.shows() == shown
    assert lit.shows("p:2") == lit.shows("p:3") == DARK
    lit.feed(2, TaskProgress("T1", ended=True))
    assert lit.shows() == DARK
    assert [key for key in lit.rows if not key.startswith("shown:g:")] == []


def test_each_meaning_has_a_pattern_of_its_own() -> None:
    """Whoever sees no colours tells them apart all the same."""
    meanings: list[dict[str, Any]] = [{}, {"outward": False}, {"asks": True}, {"excess": 1}]
    patterns = set()
    for told in meanings:
        lit = Lit()
        lit.feed(1, wants(**told))
        patterns.add(lit.shows()[1])
    assert len(patterns) == len(meanings)


def test_first_of_two_tasks_at_one_place_is_shown_and_then_the_other() -> None:
    lit = Lit()
    lit.feed(1, wants("late", 5, rank=(0, 20, 1)), wants("soon", 2, rank=(0, 10, 2)))
    assert lit.shows()[2] == 2
    lit.feed(2, wants("soon", 0, rank=(0, 10, 2)))
    assert lit.shows()[2] == 5
    lit.feed(3, wants("urgent", 7, rank=(-1, 99, 3)))
    assert lit.shows()[2] == 7


def test_what_must_go_back_comes_before_any_task() -> None:
    lit = Lit()
    lit.feed(1, wants("first", 2), wants("over", 0, excess=1, rank=(9, 9, 9)))
    assert lit.shows() == ("red", "fast", 1)


def test_wrong_piece_lights_the_place_that_it_was_taken_from() -> None:
    lit = Lit()
    lit.feed(1, wants(astray=(("A2", 2),)))
    assert lit.shows() == ("green", "steady", 3)
    assert lit.shows("p:2") == ("red", "fast", 2)
    lit.feed(2, wants())
    assert lit.shows("p:2") == DARK


def test_task_for_a_zone_lights_the_cell_that_its_item_is_planned_on() -> None:
    lit = Lit()
    lit.feed(1, wants(place="A", item="NUT"))
    assert (lit.shows(), lit.shows("p:2")) == (DARK, ("green", "steady", 3))


def test_light_at_a_zone_shows_what_is_to_be_done_at_its_cells() -> None:
    lit = Lit(site=Site(LIT.zones, LIT.cells, lights=(Light("p:A", "pick", "A"),)))
    lit.feed(1, wants(place="A2", item="NUT"))
    assert lit.shows("p:A") == ("green", "steady", 3)


def test_stack_light_shows_the_worst_alert_that_stands() -> None:
    lit = Lit()
    lit.feed(1, DeviceStatus("s", up=True))
    assert lit.shows("g:stack") == GREEN
    lit.feed(2, alert("info", "x:1"))
    assert lit.shows("g:stack") == GREEN
    lit.feed(3, alert("warning", "x:2"))
    assert lit.shows("g:stack") == ("amber", "slow", None)
    lit.feed(4, alert("critical", "x:3"))
    assert lit.shows("g:stack") == ("red", "fast", None)
    lit.feed(5, alert("critical", "x:3", raised=False))
    assert lit.shows("g:stack") == ("amber", "slow", None)
    lit.feed(6, alert("warning", "x:2", raised=False))
    assert lit.shows("g:stack") == GREEN


def test_buzzer_sounds_for_a_while_after_each_critical_alert() -> None:
    lit = Lit()
    lit.feed(1, alert("warning", "x:1"))
    assert lit.shows("g:horn") == DARK
    lit.feed(10, alert("critical", "x:2"))
    assert lit.shows("g:horn") == ("red", "fast", None)
    lit.wake(14.9)
    assert lit.shows("g:horn")[0] == "red"
    lit.wake(15.1)
    assert lit.shows("g:horn") == DARK
    lit.feed(20, alert("critical", "x:3"))
    lit.feed(21, alert("critical", "x:2", raised=False))
    assert lit.shows("g:horn")[0] == "red"
    lit.feed(22, alert("critical", "x:3", raised=False))
    assert lit.shows("g:horn") == DARK
    assert not any(act.lasting for act in lit.acts if act.light == "g:horn")
    assert not [key for key in lit.rows if "horn" in key]


def test_after_a_restart_nothing_is_told_twice_and_all_is_known() -> None:
    lit = Lit()
    lit.feed(1, wants(astray=(("A2", 1),)), alert("critical", "x:1"))
    later = again(lit)
    later.feed(2, DeviceStatus("s", up=True))
    assert later.acts == []
    later.feed(3, TaskProgress("T1", ended=True), alert("critical", "x:1", raised=False))
    assert (later.shows(), later.shows("p:2"), later.shows("g:stack")) == (DARK, DARK, GREEN)


def test_light_that_is_wired_anew_shows_what_is_to_be_done() -> None:
    bare = Site(LIT.zones, LIT.cells, lights=LIT.lights[1:])
    lit = Lit()
    lit.feed(1, wants())
    gone = again(lit, site=bare)
    gone.feed(2, DeviceStatus("s", up=True))
    assert [key for key in gone.rows if "p:1" in key or "T1" in key] == []
    moved_light = Site(LIT.zones, LIT.cells, lights=(Light("q:1", "pick", "A1"),))
    other = again(lit, site=moved_light)
    other.feed(2, DeviceStatus("s", up=True))
    assert other.shows("q:1") == ("green", "steady", 3)


def test_light_follows_a_task_from_its_order_to_its_end() -> None:
    site = Site(SHELVES.zones, SHELVES.cells, SHELVES.portals, lights=LIT.lights[:2])
    lit = Lit(rules=[TaskRule, LightRule], site=site)
    lit.feed(0.5, task())
    seen = [lit.shows()]
    steps: list[Fact] = [moved("m1", 2), put("m2", 1), moved("m3", 3), put("m4", 1)]
    for second, fact in enumerate(steps, start=1):
        lit.feed(second, fact)
        seen.append(lit.shows())
    assert seen == [
        ("green", "steady", 3),
        ("green", "steady", 1),
        ("green", "steady", 2),
        ("red", "fast", 1),
        DARK,
    ]
    lit.feed(5, moved("m5", 1, "A2", item="NUT"))
    assert lit.shows("p:2") == DARK  # the task wants nothing more: that is nobody's order
