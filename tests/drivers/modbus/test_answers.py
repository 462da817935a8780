import pytest

from drivers.modbus.answers import (
    ABANDONED_MAX,
    DesyncError,
    RtuAnswers,
    TcpAnswers,
    UnitError,
    read_answer,
    write_answer,
)
from tests.drivers.modbus.peer import crc

TWO_REGISTERS = b"\x03\x04\x00\x01\x86\xa0"


def mbap(pdu: bytes, transaction: int = 7, unit: int = 5, protocol: int = 0) -> bytes:
    header = transaction.to_bytes(2, "big") + protocol.to_bytes(2, "big")
    return header + (len(pdu) + 1).to_bytes(2, "big") + bytes([unit]) + pdu


def rtu(pdu: bytes, unit: int = 5) -> bytes:
    frame = bytes([unit]) + pdu
    return frame + crc(frame)


def asked_tcp(transaction: int = 7) -> TcpAnswers:
    answers = TcpAnswers()
    answers.await_answer(read_answer(5, 3, 2))
    answers.sent(transaction.to_bytes(2, "big") + b"\0\0\0\x06\x05\x03\0\0\0\x02")
    return answers


def asked_rtu() -> RtuAnswers:
    answers = RtuAnswers()
    answers.await_answer(read_answer(5, 3, 2))
    return answers


@pytest.mark.parametrize("pdu", [TWO_REGISTERS, b"\x83\x02"])
def test_tcp_answer_is_handed_on_whole_at_every_split(pdu: bytes) -> None:
    frame = mbap(pdu)

    for cut in range(len(frame)):
        answers = asked_tcp()
        assert answers.received(frame[:cut]) == b""
        assert answers.received(frame) == frame


@pytest.mark.parametrize("pdu", [TWO_REGISTERS, b"\x83\x02"])
def test_rtu_answer_is_handed_on_whole_at_every_split(pdu: bytes) -> None:
    frame = rtu(pdu)

    for cut in range(1, len(frame)):
        answers = asked_rtu()
        assert answers.received(frame[:cut]) == b""
        assert answers.received(frame) == frame


@pytest.mark.parametrize(
    "frame",
    [
        mbap(TWO_REGISTERS, transaction=8),
        mbap(TWO_REGISTERS, protocol=1),
        b"\x00\x07\x00\x00\x00\x00\x05\x03",
        b"\x00\x07\x00\x00\xff\xff\x05\x03",
        b"GET / HTTP/1.1\r\n",
    ],
)
def test_tcp_stream_out_of_step_is_given_up(frame: bytes) -> None:
    with pytest.raises(DesyncError):
        asked_tcp().received(frame)


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (mbap(TWO_REGISTERS, unit=6), "wrong_unit"),
        (mbap(b"\x03\x02\x00\x01"), "short_answer"),
        (mbap(b"\x03\x06\x00\x01\x00\x02\x00\x03"), "short_answer"),
        (mbap(b"\x03\x04\x00\x01"), "short_answer"),
        (mbap(b"\x04\x04\x00\x01\x86\xa0"), "short_answer"),
        (mbap(b"\x83\x02\x00"), "short_answer"),
    ],
)
def test_tcp_answer_that_was_not_asked_for_is_the_units_fault(frame: bytes, kind: str) -> None:
    with pytest.raises(UnitError) as refusal:
        asked_tcp().received(frame)

    assert refusal.value.kind == kind


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (rtu(TWO_REGISTERS, unit=6), "wrong_unit"),
        (rtu(b"\x03\x02\x00\x01"), "short_answer"),
        (rtu(b"\x03\x06\x00\x01\x00\x02\x00\x03"), "short_answer"),
        (rtu(b"\x04\x04\x00\x01\x86\xa0"), "garbage"),
        (rtu(TWO_REGISTERS) + b"\x00", "garbage"),
        (b"\x05\xff\xff\xff", "garbage"),
    ],
)
def test_rtu_answer_that_was_not_asked_for_is_refused(frame: bytes, kind: str) -> None:
    with pytest.raises(UnitError) as refusal:
        asked_rtu().received(frame)

    assert refusal.value.kind == kind


def test_late_tcp_answer_is_counted_once_and_the_next_one_taken() -> None:
    answers = asked_tcp(7)
    answers.give_up()
    answers.await_answer(read_answer(5, 3, 2))
    answers.sent(b"\x00\x08")
    late, right = mbap(TWO_REGISTERS, 7), mbap(TWO_REGISTERS, 8)

    assert answers.received(late[:9]) == b""
    assert answers.received(late) == late
    assert answers.received(late + right) == late + right
    assert answers.late == 1


def test_late_tcp_answer_between_two_requests_is_not_handed_on() -> None:
    answers = asked_tcp(7)
    answers.give_up()

    assert answers.received(mbap(TWO_REGISTERS, 7)) == b""
    assert answers.late == 1


def test_second_answer_to_one_tcp_request_is_out_of_step() -> None:
    answers = asked_tcp(7)
    assert answers.received(mbap(TWO_REGISTERS, 7))
    answers.answered()

    with pytest.raises(DesyncError, match="belongs to no request"):
        answers.received(mbap(TWO_REGISTERS, 7))


def test_abandoned_transactions_stay_bounded() -> None:
    answers = TcpAnswers()
    for transaction in range(1, 3 * ABANDONED_MAX):
        answers.await_answer(read_answer(5, 3, 2))
        answers.sent(transaction.to_bytes(2, "big"))
        answers.give_up()

    assert len(answers._abandoned) == ABANDONED_MAX


def test_rtu_bytes_while_nothing_is_asked_are_late() -> None:
    answers = asked_rtu()
    answers.give_up()

    assert answers.received(rtu(TWO_REGISTERS)) == b""
    assert answers.late == 1


def test_tcp_device_that_is_asked_as_unit_0_may_answer_as_any_unit() -> None:
    answers = TcpAnswers()
    answers.await_answer(read_answer(0, 3, 2))
    answers.sent(b"\x00\x07")

    assert answers.received(mbap(TWO_REGISTERS, unit=255))


def test_write_is_answered_by_its_echo_alone() -> None:
    for answers, wrap in ((TcpAnswers(), mbap), (RtuAnswers(), rtu)):
        answers.await_answer(write_answer(5, 5, 8))
        answers.sent(b"\x00\x07")
        assert answers.received(wrap(b"\x06\x00\x05\x00\x08"))
        with pytest.raises(UnitError):
            answers.received(wrap(b"\x06\x00\x05\x00\x09"))
