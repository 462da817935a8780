import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.llrp.frames import FRAME_MAX_BYTES, FrameCutter, frame_of, id_of, shown, type_of
from gateway.ports import ProtocolError
from tests.drivers.llrp.wire import event, message, report, tag

FRAMES = [
    event(),
    message(62),
    report(tag(bytes(12), antenna=1), tag(bytes(12))),
    message(100, b"abc"),
    report(),
]


def test_stream_is_cut_the_same_at_every_split_point() -> None:
    stream = b"".join(FRAMES)
    for split in range(len(stream) + 1):
        cutter = FrameCutter()
        found = [*cutter.feed(stream[:split]), *cutter.feed(stream[split:])]
        assert found == FRAMES, split


def test_stream_is_cut_the_same_byte_by_byte() -> None:
    cutter = FrameCutter()
    stream = b"".join(FRAMES)
    assert [frame for byte in stream for frame in cutter.feed(bytes((byte,)))] == FRAMES


@given(st.lists(st.integers(0, 300), max_size=8), st.lists(st.integers(1, 400), min_size=1))
def test_any_frames_in_any_pieces_come_out_whole(sizes: list[int], pieces: list[int]) -> None:
    frames = [message(62, bytes(size)) for size in sizes]
    stream, cutter, found = b"".join(frames), FrameCutter(), []
    for piece in pieces:
        found += cutter.feed(stream[:piece])
        stream = stream[piece:]
    found += cutter.feed(stream)
    assert found == frames


@pytest.mark.parametrize("length", [0, 9, FRAME_MAX_BYTES + 1, 0xFFFF_FFFF])
def test_impossible_length_costs_its_ten_bytes(length: int) -> None:
    header = struct.pack("!HII", 0x43D, length, 1)
    cutter = FrameCutter()
    assert list(cutter.feed(header[:9])) == []
    with pytest.raises(ProtocolError, match=str(length)):
        list(cutter.feed(header[9:]))
    assert len(cutter._pending) <= len(header)


def test_frames_before_an_impossible_length_are_delivered() -> None:
    found: list[bytes] = []
    with pytest.raises(ProtocolError):
        found.extend(FrameCutter().feed(FRAMES[0] + FRAMES[2] + b"\x04\x3d" + b"\xff" * 16))
    assert found == [FRAMES[0], FRAMES[2]]


def test_cap_is_configurable() -> None:
    assert list(FrameCutter(max_bytes=12).feed(message(62, b"ab"))) == [message(62, b"ab")]
    with pytest.raises(ProtocolError):
        list(FrameCutter(max_bytes=12).feed(message(62, b"abc")))


def test_large_frame_in_small_pieces_is_assembled() -> None:
    frame = message(61, bytes(1_500_000))
    cutter = FrameCutter()
    found = [f for at in range(0, len(frame), 4096) for f in cutter.feed(frame[at : at + 4096])]
    assert found == [frame]


def test_header_fields_are_read_and_written() -> None:
    frame = frame_of(1023, b"xy", 0xDEADBEEF)
    assert frame == message(1023, b"xy", 0xDEADBEEF)
    assert (type_of(frame), id_of(frame)) == (1023, 0xDEADBEEF)


def test_shown_bytes_are_bounded() -> None:
    assert shown(b"ab") == "6162"
    assert len(shown(bytes(1_000_000))) < 200
