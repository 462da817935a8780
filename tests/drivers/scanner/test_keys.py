"""What a USB scanner types, written out by the kernel's struct: two longs, u16, u16, s32."""

import struct
from collections.abc import Iterator

import pytest

from drivers.scanner.frames import FRAME_MAX_BYTES, Garbled
from drivers.scanner.keys import KeyReader

LEFT_CTRL, LEFT_SHIFT, RIGHT_SHIFT, CAPS, NUM = 29, 42, 54, 58, 69
ENTER, PAD_ENTER = 28, 96
SCAN_CODE = (4, 4)  # EV_MSC, MSC_SCAN: what the kernel sends before each key of a USB keyboard


def record(kind: int, code: int, value: int) -> bytes:
    return struct.pack("@llHHi", 1_790_000_000, 123_456, kind, code, value)


SYN = record(0, 0, 0)


def press(code: int) -> bytes:
    return record(*SCAN_CODE, 0x70000 + code) + record(1, code, 1) + SYN


def release(code: int) -> bytes:
    return record(*SCAN_CODE, 0x70000 + code) + record(1, code, 0) + SYN


def typed(*codes: int) -> bytes:
    return b"".join(press(code) + release(code) for code in codes)


def with_key(held: int, *codes: int) -> bytes:
    return press(held) + typed(*codes) + release(held)


def read(*chunks: bytes) -> list[str | Garbled]:
    reader = KeyReader()
    return [scan for chunk in chunks for scan in reader.feed(chunk)]


B_17 = with_key(LEFT_SHIFT, 48) + typed(12, 2, 8, ENTER)  # B, minus, 1, 7
A_COLON = typed(30) + with_key(RIGHT_SHIFT, 39) + typed(71, 82, 83, PAD_ENTER)  # a : pad 7 0 .


def test_record_of_the_kernel_has_its_length() -> None:
    assert len(SYN) == 2 * struct.calcsize("@l") + 8


@pytest.mark.parametrize(
    ("stream", "text"),
    [
        (B_17, "B-17"),
        (A_COLON, "a:70."),
        (typed(*range(2, 14), ENTER), "1234567890-="),
        (with_key(LEFT_SHIFT, *range(2, 14)) + typed(ENTER), "!@#$%^&*()_+"),
        (typed(*range(16, 28), ENTER), "qwertyuiop[]"),
        (with_key(RIGHT_SHIFT, *range(16, 28)) + typed(ENTER), "QWERTYUIOP{}"),
        (typed(*range(30, 42), ENTER), "asdfghjkl;'`"),
        (with_key(LEFT_SHIFT, *range(30, 42)) + typed(ENTER), 'ASDFGHJKL:"~'),
        (typed(*range(43, 54), 57, 15, ENTER), "\\zxcvbnm,./ \t"),
        (with_key(LEFT_SHIFT, *range(43, 54)) + typed(ENTER), "|ZXCVBNM<>?"),
        (typed(*range(71, 84), 55, 98, 117, 121, ENTER), "789-456+1230.*/=,"),
        (typed(NUM, 71, ENTER), "7"),
        (with_key(LEFT_CTRL, 27) + typed(2, ENTER), "\x1d1"),
        (typed(CAPS, 30, 2, CAPS, 30, ENTER), "A1a"),
        (typed(CAPS) + with_key(LEFT_SHIFT, 30, 2) + typed(CAPS, ENTER), "a!"),
        (press(2) + record(1, 2, 2) * 3 + release(2) + typed(ENTER), "1"),
        (press(2) + press(3) + release(2) + release(3) + typed(ENTER), "12"),
    ],
)
def test_keys_make_a_text(stream: bytes, text: str) -> None:
    assert read(stream) == [text]


def test_every_split_gives_the_same_scans() -> None:
    stream = B_17 + typed(ENTER) + A_COLON
    for place in range(len(stream) + 1):
        assert read(stream[:place], stream[place:]) == ["B-17", "a:70."], place
    assert read(*(bytes([byte]) for byte in stream)) == ["B-17", "a:70."]


def dropped() -> Iterator[tuple[str, bytes]]:
    gap = record(0, 3, 0) + SYN
    yield "in the scan", B_17[: 8 * len(SYN)] + gap + typed(2, 8, ENTER) + A_COLON
    yield "with its end", B_17[: -6 * len(SYN)] + gap + A_COLON + A_COLON
    yield "with a released shift", press(LEFT_SHIFT) + gap + typed(2, ENTER) + A_COLON


@pytest.mark.parametrize(("where", "stream"), list(dropped()))
def test_keys_that_the_kernel_dropped_spoil_their_scan_alone(where: str, stream: bytes) -> None:
    scans = read(stream)
    assert len(scans) == 2, where
    assert isinstance(scans[0], Garbled)
    assert scans[1] == "a:70."


def test_keys_without_an_end_are_bounded() -> None:
    reader = KeyReader()
    assert reader.feed(typed(*[30] * (FRAME_MAX_BYTES + 5))) == []
    assert reader.torn
    [overlong, following] = reader.feed(typed(ENTER) + B_17)
    assert isinstance(overlong, Garbled)
    assert following == "B-17"
    assert not reader.torn
