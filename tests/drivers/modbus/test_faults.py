from drivers.modbus.faults import FaultBoard
from gateway.model import DeviceFault

SILENT_1 = DeviceFault("shelf", "unit_silent", detail="unit 1: no answer")


def test_fault_is_told_once_and_names_every_unit() -> None:
    board = FaultBoard("shelf", 3)
    board.note(2, {"unit_silent": ""}, answered=True)

    assert board.note(1, {"unit_silent": "no answer"}, answered=False) == [SILENT_1]
    assert board.note(1, {"unit_silent": "no answer"}, answered=False) == []
    (both,) = board.note(3, {"unit_silent": "busy"}, answered=False)
    assert both.detail == "unit 1: no answer; unit 3: busy"


def test_fault_is_over_when_every_unit_is_known_to_be_without_it() -> None:
    board = FaultBoard("shelf", 2)
    over = DeviceFault("shelf", "unit_silent", active=False)

    assert board.note(1, {"unit_silent": ""}, answered=True) == []
    assert board.note(2, {"unit_silent": ""}, answered=True) == [over]
    board.note(1, {"unit_silent": "no answer"}, answered=False)
    board.note(2, {"unit_silent": "no answer"}, answered=False)
    assert board.note(2, {"unit_silent": ""}, answered=True) == [SILENT_1]
    assert board.note(1, {"unit_silent": ""}, answered=True) == [over]


def test_nothing_is_told_before_a_unit_has_answered() -> None:
    board = FaultBoard("shelf", 2)

    assert board.note(1, {"unit_silent": "no answer"}, answered=False) == []
    assert board.note(2, {"unit_silent": ""}, answered=True) == [SILENT_1]
    board.connect()
    assert board.note(1, {"self_test_failed": "why"}, answered=False) == []
    assert len(board.note(2, {"unit_silent": ""}, answered=True)) == 2
