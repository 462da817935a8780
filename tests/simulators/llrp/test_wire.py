import random
import struct

import pytest

from simulators.llrp.device import IMPINJ_R420, PLAIN
from simulators.llrp.requests import Requests
from simulators.llrp.wire import (
    Frame,
    FrameCutter,
    FramingError,
    ParameterType,
    RequestError,
    Status,
    frame,
    parameters,
    tlv,
)
from tests.simulators.llrp import orders

THREE = frame(1, 7, b"\x00") + frame(72, 8) + frame(20, 9, orders.add(antennas=(1, 2)))


def test_frames_at_every_split_point_are_the_same() -> None:
    whole = list(FrameCutter().feed(THREE))
    assert [(f.version, f.type, f.message_id) for f in whole] == [(1, 1, 7), (1, 72, 8), (1, 20, 9)]
    for split in range(len(THREE) + 1):
        cutter = FrameCutter()
        assert [*cutter.feed(THREE[:split]), *cutter.feed(THREE[split:])] == whole


def test_frames_byte_by_byte_are_the_same() -> None:
    cutter = FrameCutter()
    single = [f for byte in THREE for f in cutter.feed(bytes([byte]))]
    assert single == list(FrameCutter().feed(THREE))


@pytest.mark.parametrize("length", [0, 9, 0xFFFFFFFF, 4 * 1024 * 1024 + 1])
def test_frame_of_impossible_length_ends_the_stream(length: int) -> None:
    with pytest.raises(FramingError):
        list(FrameCutter().feed(struct.pack("!HII", 0x401, length, 1)))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x8d" + bytes(12), Status.P_UNEXPECTED_PARAMETER),
        (b"\x00\xb1", Status.P_PARAMETER_ERROR),
        (b"\x00\xb1\x00\x03", Status.P_PARAMETER_ERROR),
        (b"\x00\xb1\x00\x09\x00\x00", Status.P_PARAMETER_ERROR),
    ],
)
def test_parameter_that_does_not_fit_is_refused(data: bytes, code: Status) -> None:
    with pytest.raises(RequestError) as caught:
        list(parameters(data))
    assert struct.pack("!H", code) in caught.value.detail


def test_parameters_are_walked_in_order() -> None:
    data = tlv(ParameterType.KEEPALIVE_SPEC, b"abc") + tlv(900)
    assert [(p.type, p.body) for p in parameters(data)] == [(220, b"abc"), (900, b"")]


def test_mutated_requests_always_get_one_answer_with_their_id() -> None:
    rng = random.Random(4)
    seeds = [
        (20, orders.add(antennas=(1, 2), search_mode=1, epc_filter="3034", mode_index=1000)),
        (3, orders.keepalive(1000)),
        (3, orders.events(*range(9))),
        (2, struct.pack("!HBHH", 0, 0, 0, 0)),
        (40, tlv(207, struct.pack("!IHBBI", 1, 0, 1, 0, 0))),
    ]
    codes = set()
    for turn in range(4000):
        requests = Requests(IMPINJ_R420 if turn % 2 else PLAIN)
        requests.extensions = bool(turn % 3)
        kind, body = rng.choice(seeds)
        spoilt = bytearray(body)
        for _ in range(rng.randrange(1, 4)):
            spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
        cut = bytes(spoilt[: rng.randrange(len(spoilt) + 1)]) if turn % 5 == 0 else bytes(spoilt)
        (answer,) = FrameCutter().feed(requests.answer(Frame(1, kind, turn, cut)))
        assert (answer.type, answer.message_id) == (kind + 10, turn)
        codes.add(int.from_bytes(answer.body[4:6], "big"))
    assert {0, 100} <= codes
