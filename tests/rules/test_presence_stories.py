from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model import Arrival, Coverage, Departure, Fact, Stall
from rules.presence import Presence
from tests.rules.play import Play, S, read, report

MOMENTS = st.lists(
    st.tuples(
        st.floats(0.01, 4.0),
        st.sampled_from(["read", "strong", "other", "cover", "resumed", "blind", "stall", "late"]),
        st.integers(1, 20),
    ),
    max_size=150,
)


def fact_of(what: str, gap_s: float) -> Fact:
    if what == "cover":
        return Coverage("r", int(gap_s * S))
    if what == "resumed":
        return Coverage("r", 0, resumed=True)
    if what == "blind":
        return Coverage("r", int(gap_s * S), (1,))
    if what == "stall":
        return Stall(S)
    point = "r:3" if what in {"strong", "other"} else "r:1"
    age_ns = 2 * S if what == "late" else 0
    return report(read(point, dbm=-40.0 if what == "strong" else -55.0, age_ns=age_ns))


def run(moments: list[tuple[float, str, int]]) -> Play:
    play = Play([Presence])
    for gap_s, what, times in moments:
        for _ in range(times):
            play.feed(play.now_s + gap_s, fact_of(what, gap_s))
    return play


@settings(max_examples=150, deadline=None)
@given(MOMENTS)
def test_arrivals_and_departures_alternate(moments: list[tuple[float, str, int]]) -> None:
    play = run(moments)
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
    assert run(moments).told == play.told


@settings(max_examples=100, deadline=None)
@given(MOMENTS)
def test_without_coverage_nothing_departs(moments: list[tuple[float, str, int]]) -> None:
    blind = [moment for moment in moments if moment[1] not in {"cover", "resumed", "blind"}]
    play = run(blind)
    assert [fact for fact in play.kinds(Departure) if not fact.to_zone] == []
