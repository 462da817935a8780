from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.model import Arrival, Coverage, Departure, Fact, Stall
from rules.presence import Presence
from tests.rules.play import Play, S, read, report
from tests.rules.tags import ZONES

READS = {
    "read": ("r:1", -55.0),
    "shaded": ("r:1", -63.0),
    "lifted": ("r:1", -49.0),
    "second": ("r:2", -61.0),
    "strong": ("r:3", -40.0),
    "other": ("r:3", -55.0),
    "stray": ("r:3", -68.0),
    "far": ("p:1", -55.0),
    "untold": ("r:1", None),
    "late": ("r:1", -55.0),
}
"""Where a tag is read, and at which level."""

OTHERWISE = ["cover", "resumed", "blind", "stall"]

Moments = list[tuple[float, str, int]]

ONE = st.tuples(
    st.sampled_from([0.1, 0.2, 0.3, 0.5, 1.0, 3.0]) | st.floats(0.01, 4.0),
    st.sampled_from([*READS, *OTHERWISE, *["cover"] * 4]),
    st.integers(1, 20),
)

SCENES: list[Moments] = [
    *([(0.2, what, 8), (0.5, "cover", 2)] for what in ("read", "other", "second")),
    *([(0.3, "read", 1), (0.3, what, 1), (0.5, "cover", 1)] * 4 for what in ("stray", "second")),
    [(0.2, "lifted", 1), (0.3, "other", 1), (0.5, "cover", 12)],
    [(0.3, "stray", 10), (0.5, "cover", 6)],
    [(1.0, "cover", 22)],
]
"""It stands; stands with a stray level; is taken; is read as a stray only; falls silent."""

MOMENTS: st.SearchStrategy[Moments] = st.lists(
    ONE.map(lambda moment: [moment]) | st.sampled_from(SCENES), max_size=30
).map(lambda parts: [moment for part in parts for moment in part])

TURNED_BACK: Moments = [
    *[(0.1, "stray", 1), (0.2, "read", 20), (1.0, "cover", 1)] * 3,
    *[(0.2, "lifted", 1), (0.3, "other", 2), (1.0, "cover", 8)],
    *[(0.3, "other", 20), (1.0, "cover", 20), (0.2, "cover", 20), (0.3, "other", 20)],
    *[(1.0, "cover", 4), (0.3, "read", 20), (1.0, "cover", 5)],
]
"""A tag with a stray level elsewhere is lifted, taken for gone too soon and set down there; is
taken for gone in a shadow, and read again as it stood; and is put back.
"""


def fact_of(what: str, gap_s: float) -> Fact:
    if what in READS:
        point, dbm = READS[what]
        one = read(point, dbm=dbm, age_ns=2 * S if what == "late" else 0)
        return report(one, device=point.partition(":")[0])
    if what == "stall":
        return Stall(S)
    if what == "resumed":
        return Coverage("r", 0, resumed=True)
    return Coverage("r", int(gap_s * S), (1,) if what == "blind" else ())


def run(moments: Moments, *, known: bool = False) -> Play:
    play = Play([Presence], rows=ZONES if known else {})
    for gap_s, what, times in moments:
        for _ in range(times):
            play.feed(play.now_s + gap_s, fact_of(what, gap_s))
    return play


@settings(max_examples=150, deadline=None)
@example(TURNED_BACK, True)
@given(MOMENTS, st.booleans())
def test_arrivals_and_departures_alternate(moments: Moments, known: bool) -> None:
    play = run(moments, known=known)
    inside: set[str] = set()
    for fact in play.kinds(Arrival, Departure):
        if type(fact) is Arrival:
            assert inside == set()
            inside.add(fact.zone)
        else:
            assert inside == {fact.zone}
            inside.clear()
    kept = {row["zone"] for key, row in play.rows.items() if key.startswith("tag:")}
    assert kept == inside
    assert run(moments, known=known).told == play.told


@settings(max_examples=100, deadline=None)
@example(TURNED_BACK)
@given(MOMENTS)
def test_without_coverage_nothing_departs(moments: Moments) -> None:
    blind = [moment for moment in moments if moment[1] not in {"cover", "resumed", "blind"}]
    play = run(blind)
    assert [fact for fact in play.kinds(Departure) if not fact.to_zone] == []


@settings(max_examples=150, deadline=None)
@example(TURNED_BACK)
@given(MOMENTS)
def test_nothing_is_told_of_the_future_and_only_what_was_told_is_refuted(moments: Moments) -> None:
    play = run(moments, known=True)
    told: list[Arrival | Departure] = []
    for when_s, fact in play.told:
        if type(fact) is Arrival:
            assert fact.since <= round((1000.0 + when_s) * S) + 1000
            assert told or not (fact.refutes or fact.from_zone)
            assert (fact.unwatched_since or 0) <= fact.since
            told.append(fact)
        elif type(fact) is Departure:
            assert fact.last_seen <= round((1000.0 + when_s) * S) + 1000
            told.append(fact)


@settings(max_examples=100, deadline=None)
@example(TURNED_BACK, 30)
@given(MOMENTS, st.integers(0, 50))
def test_restart_forgets_no_tag_and_invents_none(moments: Moments, at: int) -> None:
    """Whenever it was: what stands in the rows goes on, and alternates from there."""
    before = run(moments[:at], known=True)
    play = Play([Presence], rows=before.rows, last_alive_s=before.now_s, now_s=before.now_s)
    inside = {row["zone"] for key, row in play.rows.items() if key.startswith("tag:")}
    for gap_s, what, times in moments[at:]:
        for _ in range(times):
            play.feed(play.now_s + gap_s, fact_of(what, gap_s))
    for fact in play.kinds(Arrival, Departure):
        assert inside == (set() if type(fact) is Arrival else {fact.zone})
        inside = {fact.zone} if type(fact) is Arrival else set()
    assert inside == {row["zone"] for key, row in play.rows.items() if key.startswith("tag:")}
