from gateway.model import Location
from gateway.places import around, misplaced

TREE = {
    each.code: each
    for each in (
        Location("PLANT", kind="site"),
        Location("HALL", kind="area", parent="PLANT"),
        Location("A", kind="shelf", parent="HALL"),
        Location("A-1", kind="bin", parent="A"),
        Location("LOOSE", parent="GONE"),
    )
}


def test_place_is_in_all_that_it_lies_in() -> None:
    found = [around("A-1", kind, TREE) for kind in ("bin", "shelf", "area", "site", "cell")]
    assert found == ["A-1", "A", "HALL", "PLANT", ""]
    assert around("LOOSE", "site", TREE) == around("NOWHERE", "site", TREE) == ""


def test_circle_among_what_is_known_ends() -> None:
    circle = {"X": Location("X", parent="Y"), "Y": Location("Y", parent="X")}
    assert around("X", "site", circle) == ""
    assert misplaced(Location("Z", parent="X"), circle) is None


def test_move_within_the_tree_is_judged_by_where_it_leads() -> None:
    assert misplaced(Location("A", kind="shelf", parent="PLANT"), TREE) is None
    told = misplaced(Location("HALL", parent="A-1"), TREE)
    assert told == "parent: 'HALL' cannot lie in itself (HALL in A-1 in A in HALL)"
