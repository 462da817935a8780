from pathlib import Path

import pytest

from gateway.telemetry import resources
from gateway.telemetry.resources import Place


@pytest.fixture
def board(tmp_path: Path) -> Place:
    """A board with two thermal zones, one of them broken."""
    proc, thermal = tmp_path / "proc", tmp_path / "thermal"
    for number, text in enumerate(["48312\n", "61000\n", "n/a\n"]):
        (thermal / f"thermal_zone{number}").mkdir(parents=True)
        (thermal / f"thermal_zone{number}" / "temp").write_text(text)
    proc.mkdir()
    (proc / "statm").write_text("9000 1000 300 1 0 400 0\n")
    (proc / "io").write_text("rchar: 1\nwrite_bytes: 81920\ncancelled_write_bytes: 4096\n")
    return Place(tmp_path, proc, thermal)


def test_resources_of_a_board(board: Place) -> None:
    gauges = resources.read(board)
    assert gauges["temperature_c"] == 61.0
    assert gauges["written_bytes"] == 81920.0
    assert gauges["memory_bytes"] in {1000 * 4096.0, 1000 * 16384.0, 1000 * 65536.0}
    assert gauges["disk_free_bytes"] > 0
    assert 0 <= gauges["disk_used_percent"] <= 100


def test_resources_not_told_are_left_out(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    assert resources.read(Place(nowhere, nowhere, nowhere)) == {}


def test_resources_of_this_process_are_told(tmp_path: Path) -> None:
    assert {"memory_bytes", "disk_free_bytes"} <= resources.read(Place(tmp_path)).keys()
    assert resources.processor_ns() > 0
