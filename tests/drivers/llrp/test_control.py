import struct
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from llrpkit.protocol import decode_message, impinj, messages

from drivers.llrp import control
from drivers.llrp.frames import frame_of, id_of, type_of
from drivers.llrp.report import RO_ACCESS_REPORT
from gateway.ports import ProtocolError
from tests.drivers.llrp.captures import edgex_frame, read, split
from tests.drivers.llrp.wire import event, message, status, tlv

REQUESTS = {1, 2, 3, 14, 20, 21, 22, 24, 25, 26, 40, 41, 42, 43, 44, 60, 64, 72}
"""What a client says: our own direction, which sllurp encodes and cannot decode."""


def decoded(path: Path) -> tuple[int, Counter[int]]:
    """How many frames that a reader sends decode, and the types of those that do not."""
    good, bad = 0, Counter[int]()
    for frame in split(read(path)):
        kind = type_of(frame)
        if kind == RO_ACCESS_REPORT or kind in REQUESTS:
            continue
        try:
            if kind == control.GET_ROSPECS + 10:
                control.installed_rospecs(frame)
            else:
                message = control.decode(frame)
                assert message.message_id == id_of(frame)
            good += 1
        except ProtocolError:
            bad[kind] += 1
    return good, bad


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("ltk_dx101_a.bin", 911),
        ("ltk_dx101_b.bin", 0),
        ("ltk_dx301_a.bin", 78),
        ("ltkjava_READER_EVENT_NOTIFICATION.bin", 1),
        ("sllurp_r220_get_reader_capabilities_response.bin", 1),
    ],
)
def test_all_that_readers_said_decodes(data_folder: Path, name: str, good: int) -> None:
    assert decoded(data_folder / "llrp" / name) == (good, Counter())


def test_bodies_of_an_r420_decode(data_folder: Path) -> None:
    paths = [
        path
        for path in (data_folder / "llrp").glob("edgex_*.payload.bin")
        if "ROAccessReport" not in path.name
    ]
    names = sorted(control.decode(edgex_frame(path)).name for path in paths)
    assert names == [
        "GET_READER_CAPABILITIES_RESPONSE",
        "GET_READER_CONFIG_RESPONSE",
        "READER_EVENT_NOTIFICATION",
    ]


def test_frames_that_the_dictionary_cannot_read_are_counted(data_folder: Path) -> None:
    # Generated: 73 AISpecEvents with the standard's own singulation details, and 2 custom ones.
    good, bad = decoded(data_folder / "llrp" / "ltk_dx101_e.bin.gz")
    assert (good, bad) == (325, Counter({control.READER_EVENT_NOTIFICATION: 73, 1023: 2}))


def test_malformed_message_keeps_its_first_bytes() -> None:
    frame = message(63, b"\x00\xf6\x00\x14" + bytes(300))
    with pytest.raises(ProtocolError, match=frame[:20].hex()) as caught:
        control.decode(frame)
    assert len(str(caught.value)) < 500


def test_unknown_message_type_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError, match="type 999"):
        control.decode(message(999, b"abc"))


def test_short_op_spec_result_is_a_protocol_error() -> None:
    inner = tlv(349, b"\x00")
    with pytest.raises(ProtocolError):
        control.decode(message(61, tlv(240, b"\x8d" + bytes(12) + inner)))


WHOLE = [
    event(tlv(248, b"\x00\x01\x80")),
    event(tlv(254, struct.pack("!BIH", 0, 1, 1) + b"\x92\x00\x01\x00\x02")),
    event(tlv(252, b"\x00\x04oops\x81\x00\x01")),
    message(13, status(101, b"text") + tlv(288, b"\x00\x01\x00\x65")),
    message(1023, struct.pack("!IB", 25882, 22) + status()),
]


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(WHOLE),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 255)), max_size=5),
    st.integers(0, 80),
)
def test_mutated_message_raises_protocol_errors_only(
    frame: bytes, changes: list[tuple[int, int]], size: int
) -> None:
    mutated = bytearray(frame)
    for position, value in changes:
        mutated[position % len(mutated)] = value
    cut = bytes(mutated[: max(10, size)])
    for read_it in (control.decode, control.installed_rospecs):
        try:
            result = read_it(cut)
        except ProtocolError:
            continue
        assert isinstance(result, (control.Message, list))


def same_in_llrpkit(frame: bytes) -> object:
    """What another codec makes of a frame, which it must encode to the same bytes."""
    decoded_frame = decode_message(frame)
    assert decoded_frame.to_bytes(message_id=id_of(frame)) == frame
    return decoded_frame


def test_output_is_written_as_the_standard_says() -> None:
    message_read = same_in_llrpkit(control.set_output(3, True, 9))
    assert isinstance(message_read, messages.SET_READER_CONFIG)
    [write] = message_read.gpo_write_datas
    assert (write.gpo_port_number, write.gpo_data) == (3, True)
    assert not message_read.reset_to_factory_default
    low = same_in_llrpkit(control.set_output(4, False, 9))
    assert isinstance(low, messages.SET_READER_CONFIG)
    assert not low.gpo_write_datas[0].gpo_data


def test_impinj_extensions_are_enabled_in_its_own_words() -> None:
    read_back = same_in_llrpkit(control.enable_impinj_extensions(5))
    assert isinstance(read_back, impinj.IMPINJ_ENABLE_EXTENSIONS)


@pytest.mark.parametrize(
    "kind",
    [
        control.CLOSE_CONNECTION,
        control.GET_ROSPECS,
        control.ENABLE_EVENTS_AND_REPORTS,
        control.KEEPALIVE_ACK,
    ],
)
def test_messages_without_a_body_are_known_to_others(kind: int) -> None:
    assert kind == type(same_in_llrpkit(frame_of(kind, b"", 77))).MESSAGE_TYPE


def test_message_that_cannot_be_encoded_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError, match="NO_SUCH_MESSAGE"):
        control.encode("NO_SUCH_MESSAGE", {}, 1)


def test_installed_rospecs_are_listed() -> None:
    specs = tlv(177, struct.pack("!IBB", 1, 0, 2)) + tlv(177, struct.pack("!IBB", 9, 3, 0))
    found = control.installed_rospecs(message(36, status() + specs))
    assert [(spec.rospec_id, spec.state) for spec in found] == [(1, 2), (9, 0)]


def test_failed_listing_of_rospecs_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError, match="GET_ROSPECS failed"):
        control.installed_rospecs(message(36, status(401)))


def test_refusal_names_code_text_and_place() -> None:
    field = tlv(288, struct.pack("!HH", 7, 101))
    body = tlv(287, struct.pack("!HH", 100, 3) + b"bad" + field)
    reason = control.refusal(control.decode(message(13, body)).fields)
    assert reason is not None
    assert "ParameterError, bad" in reason
    assert "'FieldNum': 7" in reason
    assert control.refusal(control.decode(message(13, status())).fields) is None


def test_unknown_status_code_is_a_refusal() -> None:
    fields = control.decode(message(13, status(9999, b"?"))).fields
    assert control.refusal(fields) == "unknown status, ?"
