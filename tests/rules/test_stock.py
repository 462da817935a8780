from gateway.model import (
    UNKNOWN_LOCATION,
    Movement,
    MovementKind,
    Snapshot,
    SnapshotLine,
    SnapshotRequest,
    TagsFollow,
)
from rules.stock import Stock
from tests.rules.play import OTHER, TAG, Play


def move(
    source: str, target: str, quantity: int = 1, epcs: tuple[str, ...] = (), item: str = "BOLT"
) -> Movement:
    kind: MovementKind = "transfer"
    return Movement(
        "id", kind, "observed", item, quantity, "pcs", source, target, 0, 0, 990, epcs=epcs
    )


def told(play: Play, location: str = "") -> dict[str, tuple[SnapshotLine, ...]]:
    before = len(play.told)
    play.feed(play.now_s + 1, SnapshotRequest("requested", location))
    found = [fact for _, fact in play.told[before:]]
    return {fact.location: fact.lines for fact in found if isinstance(fact, Snapshot)}


def test_movements_add_and_subtract() -> None:
    play = Play([Stock])
    play.feed(1.0, move(UNKNOWN_LOCATION, "A", 5), move("A", "B", 2), move("B", UNKNOWN_LOCATION))
    assert told(play) == {
        "A": (SnapshotLine("BOLT", 3, "pcs"),),
        "B": (SnapshotLine("BOLT", 1, "pcs"),),
    }
    assert not any(UNKNOWN_LOCATION in key for key in play.rows)


def test_stock_is_never_told_below_nothing_and_what_is_told_is_what_counts_from_then_on() -> None:
    play = Play([Stock])
    play.feed(1.0, move("A", UNKNOWN_LOCATION, 2))
    assert play.rows["A\tBOLT"]["quantity"] == -2
    assert told(play) == {"A": (SnapshotLine("BOLT", 0, "pcs"),)}
    assert play.rows["A\tBOLT"]["quantity"] == 0


def test_epcs_go_where_their_movements_go() -> None:
    play = Play([Stock])
    play.feed(1.0, move(UNKNOWN_LOCATION, "A", 2, (TAG, OTHER)), move("A", "B", 1, (TAG,)))
    lines = told(play)
    assert lines["A"][0].epcs == (OTHER,)
    assert lines["B"][0].epcs == (TAG,)


def test_snapshot_sets_all_of_its_location() -> None:
    play = Play([Stock])
    play.feed(1.0, move(UNKNOWN_LOCATION, "A", 5), move(UNKNOWN_LOCATION, "A", 7, item="NUT"))
    play.feed(2.0, move(UNKNOWN_LOCATION, "B", 1))
    line = SnapshotLine("BOLT", 2, "pcs", (TAG,))
    play.feed(3.0, Snapshot("id", "first_start", "A", (line,), 0))
    assert told(play) == {"A": (line,), "B": (SnapshotLine("BOLT", 1, "pcs"),)}
    assert set(play.rows) == {"A\tBOLT", f"A\tBOLT\t{TAG}", "B\tBOLT"}


def test_request_for_one_location_tells_that_one() -> None:
    play = Play([Stock])
    play.feed(1.0, move(UNKNOWN_LOCATION, "A"), move(UNKNOWN_LOCATION, "B"))
    assert set(told(play, "B")) == {"B"}
    assert told(play, "C") == {}


def test_told_snapshot_changes_no_row() -> None:
    play = Play([Stock])
    play.feed(1.0, move(UNKNOWN_LOCATION, "A", 2, (TAG, OTHER)))
    rows = dict(play.rows)
    assert told(play) == told(play)
    assert play.rows == rows


def test_movement_writes_what_it_moves_and_not_what_stands_beside_it() -> None:
    play = Play([Stock])
    epcs = tuple(f"3034{number:020x}" for number in range(500))
    play.feed(1.0, move(UNKNOWN_LOCATION, "A", 500, epcs))
    before = play.puts
    play.feed(2.0, move("A", "B", 1, epcs[:1]))
    assert play.puts - before == 4  # both balances, one EPC, and the bucket of the demand
    assert max(len(str(value)) for value in play.rows.values()) < 100
    assert (play.rows["A\tBOLT"]["quantity"], f"A\tBOLT\t{epcs[0]}" in play.rows) == (499, False)
    assert told(Play([Stock], rows=play.rows)) == told(play)


def test_balances_outlive_a_restart() -> None:
    play = Play([Stock])
    play.feed(1.0, move(UNKNOWN_LOCATION, "A", 2, (TAG, OTHER)))
    assert told(Play([Stock], rows=play.rows)) == told(play)


def test_tags_that_follow_their_movement_are_known_to_be_there_or_gone() -> None:
    play = Play([Stock])
    play.feed(
        1.0, move(UNKNOWN_LOCATION, "A", 2), TagsFollow("id", "BOLT", "A", (TAG, OTHER), True)
    )
    assert told(play)["A"] == (SnapshotLine("BOLT", 2, "pcs", (TAG, OTHER)),)
    play.feed(
        2.0, move("A", UNKNOWN_LOCATION), TagsFollow("id", "BOLT", "A", (TAG,), arriving=False)
    )
    assert told(play)["A"] == (SnapshotLine("BOLT", 1, "pcs", (OTHER,)),)
    assert set(play.rows) == {"A\tBOLT", f"A\tBOLT\t{OTHER}", "buckets"}
    play.feed(3.0, TagsFollow("id", "NUT", "A", (TAG,), arriving=True))
    assert "A\tNUT" not in play.rows
