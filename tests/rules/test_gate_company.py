"""Who goes with whom, and who only stands beside."""

from gateway.model import Ns
from rules.gate_company import Company, companies, load_of
from rules.gate_story import BIN_NS
from rules.gate_track import Track
from rules.gate_verdict import with_load

SIDES = {"o": 0, "i": 1}


def track(sides: str, since: int = 100, *, changes: int = 5, repeats: int = 0) -> Track:
    """Reads of a tag, one per quarter second: o outer, i inner, . none."""
    begun: Ns = since * BIN_NS
    made = Track("30", begun, begun, begun)
    for number, side in enumerate(sides):
        if side != ".":
            at = (since + number) * BIN_NS
            made.add(at, at, SIDES[side], -5000, 1)
    made.levels.changes, made.levels.repeats = changes, repeats
    return made


def load(sides: str, since: int = 100, tags: int = 6) -> list[Track]:
    return [track(sides, since) for _ in range(tags)]


def passing() -> Company:
    [company] = companies(load("ooooiiii"))
    return company


def test_loads_that_turn_at_other_times_or_other_ways_are_apart() -> None:
    tags = load("ooooiiii") + load("ooooiiii", 106) + load("iiiioooo") + load("oooooo")
    found = {(one.direction, one.turn, len(one.members)) for one in companies(tags)}
    assert found == {("in", 103, 6), ("in", 109, 6), ("out", 103, 6), ("turned_back", 105, 6)}


def test_few_tags_or_tags_that_stand_make_no_company() -> None:
    assert companies(load("ooooiiii", tags=4)) == []
    assert companies([track("ooooiiii", changes=0, repeats=5) for _ in range(9)]) == []


def test_tag_belongs_to_the_load_that_it_fits() -> None:
    inward, outward = passing(), companies(load("iiiioooo"))[0]
    assert load_of(track(".o...i"), [inward, outward]) is inward
    assert load_of(track(".i...o"), [inward, outward]) is outward
    assert load_of(track("oo......oo"), [inward, outward]) is None
    assert load_of(track("ooooiiii", 130), [inward, outward]) is None


def test_tag_that_only_its_load_vouches_for_must_not_stand() -> None:
    seldom, stands = track("o.i"), track("o.i", changes=1, repeats=3)
    assert with_load(seldom, passing(), None) is not None
    assert with_load(stands, passing(), None) is None
    assert with_load(track("ooooiiii", changes=1, repeats=3), passing(), None) is not None


def test_tag_that_is_known_to_stand_beside_the_gate_does_not_go_with_a_load() -> None:
    stands = track("ooooiiii")
    stands.home, stands.settled = 0, True
    assert with_load(stands, passing(), None) is None
    stands.settled = False
    assert with_load(stands, passing(), None) is not None
    stands.told = True
    assert with_load(stands, passing(), None) is None
