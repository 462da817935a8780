"""Where worn badges are read, and who moved what there."""

import pytest

from gateway.model import ReferenceDeleted, Scan
from tests.rules.warehouse import Warehouse, reads, stands


def test_badge_that_is_read_in_a_zone_names_its_bearer_at_once() -> None:
    shelf = Warehouse()
    stands(shelf, "b0a0", (10, 11))
    assert shelf.moved(10.5, "A1", "unknown") == ["ann"]
    assert shelf.moved(10.5, "SHELF", "unknown") == ["ann"]
    assert shelf.moved(10.5, "B1", "unknown") == []


def test_badge_is_read_a_little_after_its_bearer_came_and_not_while_he_bends_over_it() -> None:
    shelf = Warehouse()
    stands(shelf, "b0a0", (10, 15))
    assert shelf.moved(6.9, "A1", "unknown") == []
    assert shelf.moved(7.1, "A1", "unknown") == ["ann"]
    assert shelf.moved(20, "A1", "unknown") == ["ann"]


def test_who_has_left_is_soon_not_named_any_more() -> None:
    shelf = Warehouse()
    stands(shelf, "b0a0", (10, 15))
    assert shelf.moved(22, "A1", "unknown") == []
    assert shelf.moved(12, "A1", "unknown") == ["ann"]


def test_who_has_left_does_not_count_when_another_comes() -> None:
    shelf = Warehouse()
    stands(shelf, "b0a0", (10, 15))
    stands(shelf, "b0b0", (22, 24))
    assert shelf.moved(23, "A1", "unknown") == ["bob"]
    assert shelf.moved(12, "A1", "unknown") == ["ann"]
    assert shelf.alerts() == []


def test_one_loud_read_makes_faint_ones_elsewhere_doubtful() -> None:
    shelf = Warehouse()
    shelf.feed(9, Scan("gun", "bob's badge"))
    stands(shelf, "b0a0", (10, 10), "r:2", -7500)
    shelf.feed(13, reads("b0a0", "r:1", 1, -5500))
    assert shelf.moved(13, "B1", "unknown") == []
    assert shelf.moved(13, "A1", "unknown") == []
    assert shelf.alerts() == []


def test_badge_is_where_it_is_loudest() -> None:
    shelf = Warehouse()
    for second in range(10, 15):
        stands(shelf, "b0a0", (second, second), "r:1", -4500)
        stands(shelf, "b0a0", (second, second), "r:2", -5500)
    stands(shelf, "b0b0", (10, 14), "r:2", -5000)
    assert shelf.moved(12, "A1", "unknown") == ["ann"]
    assert shelf.moved(12, "B1", "unknown") == ["bob"]


@pytest.mark.parametrize("rssi_cdbm", [-5000, None])
def test_badge_that_is_as_loud_in_two_zones_may_be_in_either(rssi_cdbm: int | None) -> None:
    shelf = Warehouse()
    for second in range(10, 15):
        for point in ("r:1", "r:2"):
            stands(shelf, "b0a0", (second, second), point, rssi_cdbm)
    stands(shelf, "b0b0", (10, 14), "r:2", rssi_cdbm)
    assert shelf.moved(12, "A1", "unknown") == ["ann"]
    assert shelf.moved(12, "B1", "unknown") == []
    assert shelf.alerts() == [("two_people:B1", True)]


def test_who_walks_on_to_the_next_shelf_was_at_the_first_before() -> None:
    shelf = Warehouse()
    stands(shelf, "b0a0", (10, 13), "r:1", -5500)
    stands(shelf, "b0a0", (16, 19), "r:2", -4500)
    assert shelf.moved(12, "A1", "unknown") == ["ann"]
    assert shelf.moved(18, "B1", "unknown") == ["ann"]
    assert shelf.moved(18, "A1", "unknown") == []


def test_one_read_in_a_zone_may_be_a_stray() -> None:
    shelf = Warehouse()
    shelf.feed(10, reads("b0a0", "r:1"))
    assert shelf.moved(10, "A1", "unknown") == []


def test_trails_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.trails.ACTORS_MAX", 1)
    shelf = Warehouse()
    stands(shelf, "b0a0", (10, 11))
    stands(shelf, "b0b0", (11, 12))
    assert shelf.moved(11, "A1", "unknown") == ["bob"]


def test_nobody_who_wore_a_badge_is_remembered_longer_than_is_needed() -> None:
    shelf = Warehouse({"keep_s": 60})
    stands(shelf, "b0a0", (10, 12))
    assert shelf.moved(12, "A1", "unknown") == ["ann"]
    assert shelf.rows == {}
    shelf.wake(72)
    assert shelf.moved(12, "A1", "unknown") == []


def test_badge_taken_back_was_never_read() -> None:
    shelf = Warehouse()
    stands(shelf, "b0b0", (0, 3))
    shelf.feed(4, ReferenceDeleted("badge", "B-18"))
    assert shelf.moved(2, "A1", "unknown") == []
