import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from drivers.scanner.settings import ScannerSettings

FOLDER = Path(__file__).parents[3] / "drivers" / "scanner"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"link": "tcp"}, "host: a tcp link needs one"),
        ({"link": "serial", "host": "h"}, "path: a serial link needs one, for example /dev/tty"),
        ({"link": "keyboard"}, "path: a keyboard link needs one, for example /dev/input"),
        ({"link": "tcp", "host": "h", "end": "etx"}, "end"),
        ({"link": "tcp", "host": "h", "prefix": "x" * 17}, "prefix"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        ScannerSettings.model_validate(settings)


def test_sample_is_a_device_and_shows_the_defaults() -> None:
    text = (FOLDER / "sample.toml").read_text(encoding="utf-8")
    (device,) = tomllib.loads(text)["device"]
    settings = {key: value for key, value in device.items() if key not in ("id", "driver")}
    assert device["driver"] == "scanner"
    assert ScannerSettings.model_validate(settings).host == "192.0.2.51"
    lines = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ")]
    shown = {key: value for key, _, value in (line.partition(" = ") for line in lines) if value}
    others = {"prefix", "suffix", "no_read", "device", "location"}
    for key in shown.keys() - others:
        assert (
            tomllib.loads(f"it = {shown[key]}")["it"] == ScannerSettings.model_fields[key].default
        )
    assert shown.keys() | {"link", "host"} == set(ScannerSettings.model_fields) | {
        "device",
        "location",
    }
