from hypothesis import given
from hypothesis import strategies as st

from gateway.telemetry.spool import POINT_OVERHEAD_BYTES, Spool


def numbered(first: int, last: int) -> list[bytes]:
    return [b"%06d" % number for number in range(first, last)]


def test_spool_overflow_drops_oldest_and_counts() -> None:
    spool = Spool(points_max=10)
    assert spool.put(numbered(0, 10)) == 0
    assert spool.put(numbered(10, 13)) == 3
    assert spool.dropped == 3
    assert spool.take(100) == numbered(3, 13)
    assert spool.bytes_held == 0


def test_spool_bytes_bound_it_too() -> None:
    spool = Spool(points_max=100, bytes_max=5 * (6 + POINT_OVERHEAD_BYTES))
    assert spool.put(numbered(0, 7)) == 2
    assert spool.take(100) == numbered(2, 7)


def test_spool_line_larger_than_the_bound_is_dropped_alone() -> None:
    spool = Spool(points_max=10, bytes_max=100)
    assert spool.put([b"x" * 101]) == 1
    assert len(spool) == 0
    assert spool.bytes_held == 0


def test_spool_batch_given_back_comes_first_again() -> None:
    spool = Spool(points_max=10)
    spool.put(numbered(0, 6))
    batch = spool.take(4)
    spool.put(numbered(6, 8))
    assert spool.give_back(batch) == 0
    assert spool.take(100) == numbered(0, 8)


def test_spool_batch_given_back_to_a_full_spool_drops_its_oldest() -> None:
    spool = Spool(points_max=6)
    spool.put(numbered(0, 6))
    batch = spool.take(4)
    spool.put(numbered(6, 9))
    assert spool.give_back(batch) == 3
    assert spool.take(100) == numbered(3, 9)


STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "take", "give_back"]), st.integers(0, 30)), max_size=40
)


@given(STEPS)
def test_spool_any_use_keeps_order_and_accounts_for_every_line(
    steps: list[tuple[str, int]],
) -> None:
    spool, made, delivered = Spool(points_max=20), 0, 0
    held: list[bytes] = []
    for step, size in steps:
        if step == "put":
            spool.put(numbered(made, made + size))
            made += size
        elif step == "take":
            delivered += len(held)
            held = spool.take(size)
        else:
            spool.give_back(held)
            held = []
        assert len(spool) <= 20
    rest = spool.take(1000)
    assert rest == sorted(rest)
    assert delivered + len(held) + len(rest) + spool.dropped == made
