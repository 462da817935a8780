"""Requests in, exact bytes out: frames typed by hand, and every fault."""

from random import Random

import pytest

from simulators.modbus.bus import Bus
from simulators.modbus.families import FAMILIES
from simulators.modbus.faults import Fault, Faults
from simulators.modbus.frame import (
    BadFrameError,
    Request,
    crc16,
    parse_rtu,
    rtu_frame,
    rtu_request_bytes,
    take_tcp,
)
from simulators.modbus.scale import Display
from simulators.modbus.shelf import FixedLoads, Shelf, Transmitter
from simulators.modbus.unit import Unit

# One kilogram on unit 2; gross and net, registers 7..10.
ASK = bytes.fromhex("03 0007 0004")
TCP_ANSWER = bytes.fromhex("1234 0000 000b 02 03 08 0000 03e8 0000 03e8")
RTU_ANSWER = bytes.fromhex("02 03 08 0000 03e8 0000 03e8")
NOT_ON_TCP = {Fault.BAD_CHECKSUM}
NOT_ON_RTU = {Fault.WRONG_TRANSACTION}


def _unit(family: str = "laumas-tlb-w") -> Unit:
    device = FAMILIES[family](Display())
    loads = FixedLoads({"a": 1_000.0})
    return Unit(device, Shelf(["a"], loads, device.display, Transmitter(), Random(1)))


def _bus(family: str = "laumas-tlb-w") -> Bus:
    return Bus({2: _unit(family), 3: _unit(family)}, lambda: 1.0, Faults(Random(1)))


def _tcp(bus: Bus, pdu: bytes = ASK, unit: int = 2) -> bytes | None:
    reply = bus.reply_tcp(Request(unit, pdu, 0x1234))
    return None if reply is None else reply.data


def _rtu(bus: Bus, pdu: bytes = ASK, unit: int = 2) -> bytes | None:
    reply = bus.reply_rtu(Request(unit, pdu))
    return None if reply is None else reply.data


def test_answer_equals_the_bytes_typed_by_hand() -> None:
    assert _tcp(_bus()) == TCP_ANSWER
    assert _rtu(_bus()) == RTU_ANSWER + crc16(RTU_ANSWER)


def test_crc_equals_a_published_example() -> None:
    assert rtu_frame(1, bytes.fromhex("03 0000 0002")).hex() == "010300000002c40b"
    assert crc16(b"123456789") == (0x4B37).to_bytes(2, "little")


@pytest.mark.parametrize(
    ("pdu", "answer"),
    [
        ("05 0005 ff00", "85 01"),  # no coils here
        ("03 0004 0002", "83 02"),
        ("03 0007 0021", "83 03"),
        ("03 0007", "83 03"),  # cut request
        ("06 0005 0063", "86 03"),  # save to EEPROM
        ("06 0005 0008", "06 0005 0008"),
        ("10 0048 0002 04 0000 0190", "10 0048 0002"),
        ("10 0048 0002 03 0000 0190", "90 03"),  # byte count does not fit
        ("10 0048 0002 04 0000", "90 03"),
        ("10 0048 0002 02 0190", "90 03"),
    ],
)
def test_request_is_answered_as_the_protocol_says(pdu: str, answer: str) -> None:
    reply = _tcp(_bus(), bytes.fromhex(pdu))

    assert reply is not None
    assert reply[7:] == bytes.fromhex(answer)
    assert reply[4:6] == (len(reply) - 6).to_bytes(2)


def test_unknown_unit_is_silent_on_a_serial_line_and_exception_11_on_tcp() -> None:
    assert _rtu(_bus(), unit=9) is None
    assert _tcp(_bus(), unit=9) == bytes.fromhex("1234 0000 0003 09 83 0b")


def test_broadcast_write_reaches_all_units_and_is_not_answered() -> None:
    bus = _bus()

    assert _rtu(bus, bytes.fromhex("06 0005 0008"), unit=0) is None

    assert [len(unit.writes) for unit in bus.units.values()] == [1, 1]
    assert bus.units[3].states(1.0)[0].gross_g == 0.0


def test_silent_unit_does_not_answer_while_its_neighbour_does() -> None:
    bus = _bus()
    bus.units[2].silent = True

    assert _tcp(bus) is None
    assert _rtu(bus) is None
    assert _tcp(bus, unit=3) is not None


SPOILED_TCP = {
    Fault.WRONG_TRANSACTION: "1235 0000 000b 02 03 08 0000 03e8 0000 03e8",
    Fault.WRONG_UNIT: "1234 0000 000b 03 03 08 0000 03e8 0000 03e8",
    Fault.ILLEGAL_ADDRESS: "1234 0000 0003 02 83 02",
    Fault.DEVICE_FAILURE: "1234 0000 0003 02 83 04",
    Fault.BUSY: "1234 0000 0003 02 83 06",
    Fault.SHORT: "1234 0000 0009 02 03 06 0000 03e8 0000",
    Fault.CUT: "1234 0000 000b 02 03",
}


@pytest.mark.parametrize(("fault", "answer"), SPOILED_TCP.items())
def test_fault_spoils_one_answer_byte_by_byte(fault: Fault, answer: str) -> None:
    bus = _bus()
    bus.faults.order(fault)

    assert _tcp(bus) == bytes.fromhex(answer)
    assert _tcp(bus) == TCP_ANSWER
    assert bus.faults.counts == {fault: 1}


SPOILED_RTU = {
    Fault.WRONG_UNIT: "03 03 08 0000 03e8 0000 03e8",
    Fault.BUSY: "02 83 06",
    Fault.SHORT: "02 03 06 0000 03e8 0000",
}


@pytest.mark.parametrize(("fault", "body"), SPOILED_RTU.items())
def test_spoiled_rtu_answer_has_a_good_checksum(fault: Fault, body: str) -> None:
    bus = _bus()
    bus.faults.order(fault)

    assert _rtu(bus) == bytes.fromhex(body) + crc16(bytes.fromhex(body))


def test_cut_answer_closes_the_connection_after_half_of_the_frame() -> None:
    bus = _bus()
    bus.faults.order(Fault.CUT)

    reply = bus.reply_tcp(Request(2, ASK, 0x1234))

    assert reply is not None
    assert reply.close
    assert reply.data == TCP_ANSWER[:8]


def test_garbage_has_the_length_of_the_answer_and_none_of_its_sense() -> None:
    bus = _bus()
    bus.faults.order(Fault.GARBAGE, Fault.GARBAGE)

    first, second = _rtu(bus), _rtu(bus)

    assert first is not None
    assert len(first) == len(RTU_ANSWER) + 2
    assert first != second
    assert parse_rtu(first) is None


def test_bad_checksum_flips_one_bit() -> None:
    bus = _bus()
    bus.faults.order(Fault.BAD_CHECKSUM)

    spoiled = _rtu(bus)

    assert spoiled is not None
    good = RTU_ANSWER + crc16(RTU_ANSWER)
    assert (int.from_bytes(spoiled) ^ int.from_bytes(good)).bit_count() == 1
    assert parse_rtu(spoiled) is None


def test_slow_answer_holds_the_line_and_a_late_one_does_not() -> None:
    bus = _bus()
    bus.faults.order(Fault.SLOW, Fault.LATE)
    bus.faults.slow_s, bus.faults.late_s = 0.2, 3.0

    slow, late = (bus.reply_tcp(Request(2, ASK, 0x1234)) for _ in range(2))

    assert slow is not None
    assert late is not None
    assert (slow.delay_s, slow.detached) == (0.2, False)
    assert (late.delay_s, late.detached) == (3.0, True)
    assert slow.data == late.data == TCP_ANSWER


def test_not_a_number_replaces_the_weights_of_one_answer() -> None:
    bus = _bus("siwarex-wp251")
    bus.faults.order(Fault.NOT_A_NUMBER)
    ask = bytes.fromhex("03 0bbf 0002")  # gross, documented as 3008

    assert _tcp(bus, ask) == bytes.fromhex("1234 0000 0007 02 03 04 7fc0 0000")
    assert _tcp(bus, ask) == bytes.fromhex("1234 0000 0007 02 03 04 3f80 0000")


def test_overload_is_reported_in_one_answer() -> None:
    bus = _bus()
    bus.faults.order(Fault.OVERLOAD)
    ask = bytes.fromhex("03 0006 0001")

    assert _tcp(bus, ask) == bytes.fromhex("1234 0000 0005 02 03 02 0804")
    assert _tcp(bus, ask) == bytes.fromhex("1234 0000 0005 02 03 02 0800")


def test_freezing_fault_keeps_the_weight_for_its_time() -> None:
    now_s = [1.0]
    loads = FixedLoads({"a": 1_000.0})
    device = FAMILIES["laumas-tlb-w"](Display())
    unit = Unit(device, Shelf(["a"], loads, device.display, Transmitter(), Random(1)))
    bus = Bus({2: unit}, lambda: now_s[0], Faults(Random(1), frozen_s=10.0))
    bus.faults.order(Fault.FROZEN)
    assert _tcp(bus) == TCP_ANSWER
    loads.loads_g["a"] = 2_000.0

    now_s[0] = 10.9
    assert _tcp(bus) == TCP_ANSWER

    now_s[0] = 20.0
    assert _tcp(bus) == bytes.fromhex("1234 0000 000b 02 03 08 0000 07d0 0000 07d0")


@pytest.mark.parametrize("fault", sorted(NOT_ON_TCP | NOT_ON_RTU, key=lambda fault: fault.value))
def test_fault_of_the_other_link_leaves_a_good_answer(fault: Fault) -> None:
    bus = _bus()
    bus.faults.order(fault)

    answer = _tcp(bus) if fault in NOT_ON_TCP else _rtu(bus)

    assert answer in (TCP_ANSWER, RTU_ANSWER + crc16(RTU_ANSWER))


def test_faults_of_a_unit_override_those_of_the_link() -> None:
    bus = _bus()
    bus.units[2].faults = Faults(Random(1), {Fault.BUSY: 1.0})

    assert _tcp(bus) == bytes.fromhex("1234 0000 0003 02 83 06")
    assert _tcp(bus, unit=3) is not None
    assert not bus.faults.counts


def test_probabilities_are_met_and_come_from_the_seed() -> None:
    def drawn(seed: int) -> list[Fault | None]:
        faults = Faults(Random(seed), {Fault.SILENT: 0.1, Fault.BUSY: 0.2})
        return [faults.draw() for _ in range(10_000)]

    sequence = drawn(5)

    assert sequence == drawn(5)
    assert sequence != drawn(6)
    assert 900 < sequence.count(Fault.SILENT) < 1_100
    assert 1_850 < sequence.count(Fault.BUSY) < 2_150
    assert 6_800 < sequence.count(None) < 7_200


def test_tcp_requests_are_taken_whole_at_every_split_point() -> None:
    stream = bytes.fromhex("0001 0000 0006 02 03 0007 0004 0002 0000 0006 03 03 0007 0004")

    for split in range(len(stream) + 1):
        buffer = bytearray()
        taken = []
        for part in (stream[:split], stream[split:]):
            buffer += part
            while (request := take_tcp(buffer)) is not None:
                taken.append(request)
        assert taken == [Request(2, ASK, 1), Request(3, ASK, 2)]
        assert not buffer


@pytest.mark.parametrize("header", ["0001 0001 0006 02", "0001 0000 0001 02", "0001 0000 00ff 02"])
def test_header_that_is_no_modbus_is_refused(header: str) -> None:
    with pytest.raises(BadFrameError):
        take_tcp(bytearray.fromhex(header))


@pytest.mark.parametrize(
    ("start", "length"),
    [
        ("02", None),
        ("02 03", 8),
        ("02 06", 8),
        ("02 10 0048 0002", None),
        ("02 10 0048 0002 04", 13),
        ("02 2b", None),
    ],
)
def test_rtu_request_length_follows_its_function(start: str, length: int | None) -> None:
    assert rtu_request_bytes(bytes.fromhex(start)) == length
