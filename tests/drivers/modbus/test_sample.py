import tomllib
from pathlib import Path

from drivers.modbus import ModbusDriver
from drivers.modbus.profiles_folder import CHECKOUT_FOLDER
from drivers.modbus.settings import ModbusSettings
from tests.drivers.modbus.peer import Counts, context

FOLDER = Path(__file__).parents[3] / "drivers" / "modbus"


def test_sample_makes_a_driver_with_named_cells() -> None:
    (device,) = tomllib.loads((FOLDER / "sample.toml").read_text(encoding="utf-8"))["device"]
    settings = {key: value for key, value in device.items() if key not in ("id", "driver")}

    driver = ModbusDriver(ModbusSettings.model_validate(settings), context(Counts(), device["id"]))

    assert device["driver"] == "modbus"
    assert [cell for unit in driver.units for cell in unit.cells.ids] == [
        "shelf-1:top-left",
        "shelf-1:top-right",
        "shelf-1:bottom-left",
        "shelf-1:bottom-right",
        "shelf-1:pallet",
    ]


def test_sample_shows_the_defaults() -> None:
    text = (FOLDER / "sample.toml").read_text(encoding="utf-8")
    fields = ModbusSettings.model_fields

    shown = dict(
        line.removeprefix("# ").split(" = ", 1)
        for line in text.splitlines()
        if line.startswith("# ") and " = " in line
    )

    for key in ("port", "baud", "parity", "stop_bits", "poll_hz", "timeout_s", "quiet_gap_s"):
        assert tomllib.loads(f"it = {shown[key]}")["it"] == fields[key].default


def test_readme_names_every_shipped_profile_and_stays_short() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")

    for path in CHECKOUT_FOLDER.glob("*.toml"):
        assert f"| `{path.stem}` |" in text
    assert len(text.splitlines()) <= 60
