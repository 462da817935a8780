"""Scans are cut out of bytes, wherever these were split on their way."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.scanner.frames import FRAME_MAX_BYTES, FrameCutter, Garbled

STREAMS = {
    "any": (b"one\r\ntwo\rthree\n\n\nfour\n\r", [b"one", b"two", b"three", b"four"]),
    "cr": (b"a\nb\rc\r", [b"a\nb", b"c"]),
    "lf": (b"a\rb\nc\n", [b"a\rb", b"c"]),
    "crlf": (b"a\r\nb\rc\nd\r\n\r\n\re\r\n", [b"a", b"b\rc\nd", b"\re"]),
}


def cut(end: str, *chunks: bytes) -> list[bytes | Garbled]:
    cutter = FrameCutter(end)  # type: ignore[arg-type] # the keys above
    return [frame for chunk in chunks for frame in cutter.feed(chunk)]


@pytest.mark.parametrize("end", STREAMS)
def test_every_split_gives_the_same_scans(end: str) -> None:
    stream, expected = STREAMS[end]
    places = range(len(stream) + 1)
    assert cut(end, stream) == expected
    for first, second in combinations(places, 2):
        chunks = (stream[:first], stream[first:second], stream[second:])
        assert cut(end, *chunks) == expected, (first, second)
    assert cut(end, *(bytes([byte]) for byte in stream)) == expected


@pytest.mark.parametrize("end", STREAMS)
@pytest.mark.parametrize("split", [0, 1, FRAME_MAX_BYTES, FRAME_MAX_BYTES + 1])
def test_what_has_no_end_is_bounded_and_the_next_scan_is_whole(end: str, split: int) -> None:
    mark = {"cr": b"\r", "crlf": b"\r\n"}.get(end, b"\n")
    stream = b"x" * (FRAME_MAX_BYTES + 1) + mark + b"next" + mark
    [overlong, following] = cut(end, stream[:split], stream[split:])
    assert isinstance(overlong, Garbled)
    assert "longer than 8192 bytes" in overlong.detail
    assert following == b"next"


def test_what_has_no_end_at_all_is_not_kept() -> None:
    cutter = FrameCutter("any")
    for _ in range(100):
        assert cutter.feed(b"x" * 4096) == []
    assert len(cutter._kept) <= FRAME_MAX_BYTES
    assert cutter.torn
    assert len(cutter.feed(b"\rnext\r")) == 2
    assert not cutter.torn


def test_longest_scan_is_one() -> None:
    longest = b"7" * FRAME_MAX_BYTES
    assert cut("any", longest[:5000], longest[5000:], b"\r") == [longest]


@given(st.lists(st.binary(min_size=1).filter(lambda b: not set(b) & set(b"\r\n")), max_size=5))
def test_any_scans_come_back(scans: list[bytes]) -> None:
    stream = b"".join(scan + b"\r\n" for scan in scans)
    assert cut("any", stream) == cut("crlf", stream) == scans
