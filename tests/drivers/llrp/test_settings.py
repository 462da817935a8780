import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from pydantic import ValidationError

import drivers.llrp
from drivers.llrp import LlrpDriver
from drivers.llrp.settings import LlrpSettings, TlsSettings
from gateway.ports import Actuator, PluginSettings

FOLDER = Path(drivers.llrp.__file__).parent
SAMPLE = (FOLDER / "sample.toml").read_text()


def device_of(text: str) -> dict[str, object]:
    [device] = tomllib.loads(text)["device"]
    assert device.pop("id") == "dock-reader"
    assert device.pop("driver") == "llrp"
    return device


def test_sample_loads_as_it_stands() -> None:
    assert LlrpSettings(**device_of(SAMPLE)) == LlrpSettings(host="192.0.2.20")


def test_every_setting_stands_in_the_sample() -> None:
    everything = re.sub(r"^# ", "", SAMPLE, flags=re.MULTILINE)
    device = device_of(everything)
    settings = LlrpSettings(**device)
    assert set(device) == set(LlrpSettings.model_fields)
    assert isinstance(device["tls"], dict)
    assert set(device["tls"]) == set(TlsSettings.model_fields)
    assert settings.power_of(3) == 24.0
    assert settings.power_of(1) == 30.0


def test_defaults_that_the_sample_shows_are_the_defaults() -> None:
    shown = device_of(
        re.sub(r"^# (?!\[device|ca_|cert|key_file|check)", "", SAMPLE, flags=re.MULTILINE)
    )
    defaults = LlrpSettings(host="192.0.2.20")
    examples = {
        "antennas",
        "power_dbm_by_antenna",
        "mode",
        "search_mode",
        "gpi_ports",
        "port",
        "lights",
    }
    for name, value in shown.items():
        if name not in examples | {"rssi_floor_dbm"}:
            assert value == getattr(defaults, name), name


def test_port_follows_tls() -> None:
    assert LlrpSettings(host="reader").tcp_port == 5084
    assert LlrpSettings(host="reader", tls=TlsSettings(ca_file="ca.pem")).tcp_port == 5085
    assert LlrpSettings(host="reader", port=1234).tcp_port == 1234


@pytest.mark.parametrize(
    "wrong",
    [
        {"antenas": [1]},
        {"session": 4},
        {"antennas": [0]},
        {"keepalive_s": 0},
        {"power_dbm": 99},
        {"tls": {"ca_file": "ca.pem", "key_file": "key.pem"}},
        {"report_every_n_tags": 10},
    ],
)
def test_wrong_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        LlrpSettings(host="reader", **wrong)  # type: ignore[arg-type]


def test_driver_is_found_by_its_entry_point() -> None:
    [entry] = entry_points(group="shelfgate.drivers", name="llrp")
    assert entry.load() is LlrpDriver
    assert issubclass(LlrpDriver.Settings, PluginSettings)
    assert issubclass(LlrpDriver, Actuator)


def test_readme_is_short() -> None:
    assert len((FOLDER / "README.md").read_text().splitlines()) <= 60
