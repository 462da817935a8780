"""Who goes with whom, and who only stands beside."""

import pytest

from gateway.model import Ns
from rules.gate_company import Company, companies
from rules.gate_joining import load_of
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


def outgoing() -> Company:
    [company] = companies(load("iiiioooo"))
    return company


def test_tag_that_came_with_loads_belongs_to_the_one_that_its_reads_speak_for() -> None:
    inward, outward = passing(), outgoing()
    assert load_of(track(".o...i"), [inward, outward], 0.5) is inward
    assert load_of(track(".i...o"), [inward, outward], 0.5) is outward
    assert load_of(track("ooooiiii", 130), [inward, outward], 0.5) is None


def test_load_takes_along_what_came_with_it_unless_its_reads_speak_against_it() -> None:
    assert load_of(track("oo", 94), [passing()], 0.5) is None, "silent when the load came"
    for sides in ("..oo", "...oi", "....ii"):
        assert load_of(track(sides), [passing()], 0.5) is not None
    for sides in ("......oo", "iiioo"):
        assert load_of(track(sides), [passing()], 0.5) is None


@pytest.mark.parametrize(("lead", "decided"), [(0.5, True), (3.0, False)])
def test_knob_sets_how_far_a_load_must_be_ahead_of_another(lead: float, decided: bool) -> None:
    loads = [passing(), outgoing()]
    assert (load_of(track("o"), loads, lead) is not None) is decided


def test_tag_that_was_in_view_before_must_fit_the_pattern() -> None:
    before = track("o..................o....", 88)
    before.silent_from = 110 * BIN_NS
    assert load_of(track("..oo"), [passing()], 0.5) is not None
    assert load_of(before, [passing()], 0.5) is None
    stands = track("....oo")
    stands.home = 0
    assert load_of(stands, [passing()], 0.5) is None
    after_blind = track("....oo")
    after_blind.blind = True
    assert load_of(after_blind, [passing()], 0.5) is None


def test_tag_that_stood_while_its_load_waited_goes_with_it() -> None:
    stands = track("o.i", changes=1, repeats=3)
    assert with_load(stands, passing(), None) is None
    members = load("ooooiiii")
    for one in members:
        one.levels.since = one.since + BIN_NS
    [waited] = companies(members)
    assert with_load(stands, waited, None) is not None
    stands.home = 0
    assert with_load(stands, waited, None) is None


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
