"""The simulated lamp module, by the bytes of the standard."""

import pytest

from simulators.modbus.lamps import LampModule
from simulators.modbus.scale import ModbusError


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("05 00ac ff00", "05 00ac ff00"),  # Modbus Application Protocol 1.1b3, 6.5
        ("06 0001 0003", "06 0001 0003"),  # the same, 6.6
        ("01 0000 0003", "01 01 05"),
        ("03 0007 0002", "03 04 0011 0000"),
    ],
)
def test_requests_of_the_standard_are_answered_as_it_says(asked: str, answered: str) -> None:
    module = LampModule(coils_count=200)
    module.coils |= {0: True, 2: True}
    module.registers[7] = 17
    assert module.answer(bytes.fromhex(asked)) == bytes.fromhex(answered)
    module.power_cycle()
    assert not any(module.coils.values())
    assert not any(module.registers.values())


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("05 0000 1234", "ILLEGAL_VALUE"),
        ("05 0020 ff00", "ILLEGAL_ADDRESS"),
        ("06 0040 0001", "ILLEGAL_ADDRESS"),
        ("01 001f 0002", "ILLEGAL_ADDRESS"),
        ("03 0000 007e", "ILLEGAL_VALUE"),
        ("10 0000 0001", "ILLEGAL_FUNCTION"),
        ("06 0000", "ILLEGAL_VALUE"),
    ],
)
def test_what_it_does_not_have_is_an_exception(asked: str, code: str) -> None:
    with pytest.raises(ModbusError) as caught:
        LampModule().answer(bytes.fromhex(asked))
    assert caught.value.code.name == code
