"""Commands as each family takes them, and writes that no gateway may send."""

from random import Random

import pytest

from simulators.modbus.families import FAMILIES
from simulators.modbus.scale import Display, Exceptional, ForbiddenWriteError, ModbusError
from simulators.modbus.shelf import FixedLoads, Shelf, Transmitter
from simulators.modbus.unit import Unit

HOLDING, INPUT = 3, 4


def _unit(family: str, weight_g: float, cells: int = 1) -> Unit:
    names = [str(number) for number in range(cells)]
    loads = FixedLoads(dict.fromkeys(names, weight_g))
    device = FAMILIES[family](Display())
    return Unit(device, Shelf(names, loads, device.display, Transmitter(), Random(1)))


def _gross_and_tare(unit: Unit, cell: int = 0) -> tuple[float, float]:
    state = unit.shelf.states(1.0)[cell]
    return round(state.gross_g, 3), round(state.tare_g, 3)


# Family, cell, the writes of one command, gross and tare of 1,000 g after it.
COMMANDS = [
    ("laumas-tlb-w", 0, [(5, (8,))], (0.0, 0.0)),
    ("laumas-tlb-w", 0, [(72, (0, 400)), (5, (130,))], (1_000.0, 400.0)),
    ("hbk-wtx120", 0, [(0, (1,)), (0, (0,))], (1_000.0, 1_000.0)),
    ("hbk-wtx120", 0, [(0, (0x40,)), (0, (0,))], (0.0, 0.0)),
    ("siwarex-wp351", 0, [(909, (21, 1))], (0.0, 0.0)),
    ("siwarex-wp351", 0, [(909, (21,)), (910, (1,))], (0.0, 0.0)),
    ("dini-dgt4x-input", 0, [(0, (1,))], (0.0, 0.0)),
    ("dini-dgt4x-input", 0, [(0, (2,))], (1_000.0, 1_000.0)),
    ("dini-dgt4x-input", 0, [(0, (3, 0, 400))], (1_000.0, 400.0)),
    ("dini-dgt1s", 0, [(1, (0, 400)), (0, (3,))], (1_000.0, 400.0)),
    ("baykon-mx08-pt113", 0, [(8, (1,))], (0.0, 0.0)),
    ("baykon-mx08-pt113", 0, [(8, (2,))], (1_000.0, 1_000.0)),
    ("baykon-mx08-pt113", 0, [(8, (2,)), (8, (3,))], (1_000.0, 0.0)),
    ("mt-smart-cell", 0, [(1005, (0x01,))], (1_000.0, 1_000.0)),
    ("mt-smart-cell", 0, [(1005, (0x10,)), (1005, (0x02,))], (1_000.0, 0.0)),
    ("mt-smart-cell", 0, [(1005, (0x04,))], (0.0, 0.0)),
    ("mt-smart-cell", 0, [(1005, (0x20,))], (0.0, 0.0)),
    ("tuna-id551", 0, [(5, (0x0800,))], (0.0, 0.0)),
    ("tuna-id551", 3, [(35, (0x1000,))], (1_000.0, 1_000.0)),
    ("tuna-id551", 3, [(35, (0x1000,)), (35, (0x2000,))], (1_000.0, 0.0)),
]


@pytest.mark.parametrize(("family", "cell", "writes", "expected"), COMMANDS)
def test_command_changes_its_scale(
    family: str,
    cell: int,
    writes: list[tuple[int, tuple[int, ...]]],
    expected: tuple[float, float],
) -> None:
    unit = _unit(family, 1_000.0, cells=4 if family == "tuna-id551" else 1)

    for address, words in writes:
        unit.write(address, words, at_s=1.0)

    assert _gross_and_tare(unit, cell) == expected
    assert len(unit.writes) == len(writes)
    assert not unit.forbidden_writes


FORBIDDEN = [
    ("laumas-tlb-w", 5, (99,), "save to EEPROM"),
    ("laumas-tlb-w", 5, (100,), "zero calibration"),
    ("laumas-tlb-w", 5, (101,), "span calibration"),
    ("laumas-tlb-w", 5, (77,), "unknown command 77"),
    ("laumas-tlb-w", 36, (0, 1_000), "calibration sample weight"),
    ("hbk-wtx120", 0, (0x80,), "adjust zero"),
    ("hbk-wtx120", 0, (0x100,), "adjust nominal"),
    ("hbk-wtx120", 0, (0x8000,), "unknown control bits 0x8000"),
    ("hbk-wtx120", 50, (0, 1_000), "calibration weight"),
    ("siwarex-wp351", 909, (1, 1), "service mode on"),
    ("siwarex-wp351", 909, (82, 1), "automatic calibration"),
    ("siwarex-wp351", 909, (4003, 1), "write data record 3"),
    ("dini-dgt4x-input", 0, (34,), "reboot"),
    ("dini-dgt1s", 0, (34,), "reboot"),
    ("baykon-mx08-pt113", 8, (9,), "unknown command 9"),
    ("mt-smart-cell", 990, (1,), "configuration register 990"),
    ("mt-smart-cell", 1005, (0x40,), "unknown operation 0x0040"),
    ("tuna-id551", 5, (0x0001,), "unknown demand bits 0x0001"),
]


@pytest.mark.parametrize(("family", "address", "words", "reason"), FORBIDDEN)
def test_forbidden_write_is_refused_and_remembered(
    family: str, address: int, words: tuple[int, ...], reason: str
) -> None:
    unit = _unit(family, 1_000.0)

    with pytest.raises(ForbiddenWriteError, match=reason) as refusal:
        unit.write(address, words, at_s=1.0)

    assert refusal.value.code is Exceptional.ILLEGAL_VALUE
    assert [(write.address, write.words, write.refusal) for write in unit.forbidden_writes] == [
        (address, words, reason)
    ]
    assert _gross_and_tare(unit) == (1_000.0, 0.0)


@pytest.mark.parametrize("family", FAMILIES)
def test_write_to_a_register_that_is_not_there_is_an_illegal_address(family: str) -> None:
    unit = _unit(family, 0.0)

    with pytest.raises(ModbusError) as refusal:
        unit.write(60_000, (1,), at_s=1.0)

    assert refusal.value.code is Exceptional.ILLEGAL_ADDRESS
    assert [write.refusal for write in unit.forbidden_writes] == ["ILLEGAL_ADDRESS"]


def test_hbk_shakes_hands_once_per_command() -> None:
    unit = _unit("hbk-wtx120", 1_000.0)

    def mode() -> int:
        return unit.read(HOLDING, 5, 1, at_s=1.0)[0]

    assert mode() == 0x0030
    unit.write(0, (0x40,), at_s=1.0)
    assert mode() == 0xC030  # handshake and status ok
    unit.write(0, (0x40,), at_s=1.0)
    assert mode() == 0xC030
    unit.write(0, (0,), at_s=1.0)
    assert mode() == 0x8030  # the status stays, the handshake falls


def test_hbk_status_tells_a_refused_command() -> None:
    unit = _unit("hbk-wtx120", 10_000.0)

    unit.write(0, (0x40,), at_s=1.0)

    assert unit.read(HOLDING, 5, 1, at_s=1.0) == [0x4030]
    assert _gross_and_tare(unit) == (10_000.0, 0.0)


def test_hbk_toggles_between_gross_and_net_without_changing_the_weights() -> None:
    unit = _unit("hbk-wtx120", 1_000.0)
    for control in (1, 0, 2, 0):
        unit.write(0, (control,), at_s=1.0)

    assert unit.read(HOLDING, 0, 5, at_s=1.0) == [0, 0, 0, 0x03E8, 0x0000]


def test_dini_repeats_a_command_only_after_zero() -> None:
    unit = _unit("dini-dgt4x-input", 1_000.0)

    def status() -> int:
        return unit.read(INPUT, 5, 1, at_s=1.0)[0]

    unit.write(0, (2,), at_s=1.0)
    unit.write(0, (2,), at_s=1.0)
    assert status() == 0x0201
    unit.write(0, (0,), at_s=1.0)
    unit.write(0, (2,), at_s=1.0)
    assert status() == 0x0202


def test_dini_command_status_tells_a_refusal() -> None:
    unit = _unit("dini-dgt4x-input", 10_000.0)

    unit.write(0, (1,), at_s=1.0)

    assert unit.read(INPUT, 5, 1, at_s=1.0) == [0x0111]


def test_tuna_runs_a_demand_on_its_rising_edge_only() -> None:
    unit = _unit("tuna-id551", 1_000.0, cells=1)
    unit.write(5, (0x1000,), at_s=1.0)
    unit.shelf.clear_tare(0)

    unit.write(5, (0x1000,), at_s=1.0)
    assert _gross_and_tare(unit) == (1_000.0, 0.0)

    unit.write(5, (0x0000,), at_s=1.0)
    unit.write(5, (0x1000,), at_s=1.0)
    assert _gross_and_tare(unit) == (1_000.0, 1_000.0)


def test_wp351_counts_its_refreshes() -> None:
    unit = _unit("siwarex-wp351", 0.0)

    first, second = (unit.read(HOLDING, 3035, 1, at_s=1.0)[0] for _ in range(2))

    assert second == first + 1


@pytest.mark.parametrize(
    ("family", "function", "address", "count", "code"),
    [
        ("laumas-tlb-w", INPUT, 6, 8, Exceptional.ILLEGAL_FUNCTION),
        ("dini-dgt4x-input", HOLDING, 0, 7, Exceptional.ILLEGAL_ADDRESS),
        ("laumas-tlb-w", HOLDING, 4, 2, Exceptional.ILLEGAL_ADDRESS),
        ("laumas-tlb-w", HOLDING, 5, 33, Exceptional.ILLEGAL_VALUE),
        ("hbk-wtx120", HOLDING, 0, 39, Exceptional.ILLEGAL_ADDRESS),
        ("hbk-wtx120", HOLDING, 0, 0, Exceptional.ILLEGAL_VALUE),
        ("hbk-wtx120", HOLDING, 0, 126, Exceptional.ILLEGAL_VALUE),
        ("siwarex-wp251", HOLDING, 3002, 2, Exceptional.ILLEGAL_ADDRESS),
    ],
)
def test_read_outside_the_map_is_refused(
    family: str, function: int, address: int, count: int, code: Exceptional
) -> None:
    with pytest.raises(ModbusError) as refusal:
        _unit(family, 0.0).read(function, address, count, at_s=1.0)

    assert refusal.value.code is code


def test_frozen_unit_thaws_when_its_time_is_over() -> None:
    loads = FixedLoads({"0": 1_000.0})
    device = FAMILIES["laumas-tlb-w"](Display())
    unit = Unit(device, Shelf(["0"], loads, device.display, Transmitter(), Random(1)))
    unit.states(0.0)
    unit.freeze(until_s=30.0)
    loads.loads_g["0"] = 500.0

    assert unit.states(29.9)[0].gross_g == 1_000.0
    assert unit.states(40.0)[0].gross_g == 500.0
