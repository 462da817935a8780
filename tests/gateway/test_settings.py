"""Every error of the configuration names file, line, key path and what was expected."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.model import Cell, Light, Scanner, Zone
from gateway.ports import ConfigError
from gateway.settings import load_configuration

ROOT = Path(__file__).resolve().parents[2]
READERS = '[[device]]\nid = "aisle"\ndriver = "llrp"\nhost = "192.0.2.1"\n'


def line_number(path: Path, text: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def refusal(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_configuration(path)
    return str(caught.value).splitlines()


def test_load_a_whole_site(write_site: Callable[..., Path]) -> None:
    rest = READERS + '[[zone]]\nlocation = "BIN-1"\nantennas = ["aisle:1"]\n'
    configuration = load_configuration(write_site("gross_g = 5.0", rest))
    assert [device.device for device in configuration.devices] == ["scale", "aisle"]
    assert configuration.devices[0].settings.model_dump()["gross_g"] == 5.0
    assert configuration.site.cells == (Cell("scale:1", "BIN-1", "BOLT"),)
    assert configuration.site.zones == (Zone("BIN-1", ("aisle:1",)),)
    assert [rule.name for rule in configuration.rules][:3] == ["presence", "portal", "weight"]
    assert configuration.telemetry is None


def test_zones_and_gates_may_have_knobs_of_their_own(write_site: Callable[..., Path]) -> None:
    zone = '[[zone]]\nlocation = "BIN-1"\nantennas = ["aisle:1"]\nsure = 0.9\n'
    gate = '[[portal]]\nportal = "G"\nouter = ["aisle:2"]\ninner = ["aisle:3"]\ninside = "X"\n'
    site = load_configuration(write_site("", READERS + zone + gate + "sure = 0.2\n")).site
    assert (site.zones[0].sure, site.portals[0].sure) == (0.9, 0.2)
    assert load_configuration(write_site("", READERS + gate)).site.portals[0].sure is None


SCANNER = '[[scanner]]\ndevice = "aisle"\nlocation = "BIN-1"\n'


def test_scanners_stand_at_a_location(write_site: Callable[..., Path]) -> None:
    site = load_configuration(write_site("", READERS + SCANNER)).site
    assert site.scanners == (Scanner("aisle", "BIN-1"),)


@pytest.mark.parametrize(
    ("scanners", "expected"),
    [
        (SCANNER + SCANNER, "scanner[1].device: 'aisle' stands twice; it must be unique"),
        (
            SCANNER.replace("aisle", "aisles"),
            "scanner[0].device: no [[device]] has the id 'aisles'; did you mean 'aisle'?",
        ),
        (
            SCANNER.replace("BIN-1", "BIN-2"),
            "scanner[0].location: nothing moves at a location 'BIN-2'; did you mean 'BIN-1'?",
        ),
    ],
)
def test_wrong_wiring_of_scanners(
    write_site: Callable[..., Path], scanners: str, expected: str
) -> None:
    [line] = refusal(write_site("", READERS + scanners))
    assert line.endswith(expected)


LIGHTS = '[[light]]\nlight = "aisle:stack"\nkind = "stack"\n'
PICK = '[[light]]\nlight = "aisle:a"\nkind = "pick"\nlocation = "BIN-1"\n'


def test_lights_are_wired(write_site: Callable[..., Path]) -> None:
    site = load_configuration(write_site("", READERS + LIGHTS + PICK)).site
    assert site.lights == (Light("aisle:stack", "stack"), Light("aisle:a", "pick", "BIN-1"))


@pytest.mark.parametrize(
    ("lights", "expected"),
    [
        (PICK + PICK, "light[1].light: 'aisle:a' stands twice; it must be unique"),
        (
            PICK.replace("aisle", "aisles"),
            "light[0].light: no [[device]] has the id 'aisles'; did you mean 'aisle'?",
        ),
        (
            PICK.replace("BIN-1", "BIN-2"),
            "light[0].location: nothing moves at a location 'BIN-2'; did you mean 'BIN-1'?",
        ),
        (PICK.replace('location = "BIN-1"', ""), "light[0]: location: a pick light needs one"),
        (LIGHTS + 'location = "BIN-1"', "light[0]: location: a stack tells of the whole gateway"),
        (PICK.replace('"pick"', '"lamp"'), "light[0].kind: Input should be 'pick', 'stack' or"),
    ],
)
def test_wrong_wiring_of_lights(
    write_site: Callable[..., Path], lights: str, expected: str
) -> None:
    [line] = refusal(write_site("", READERS + lights))
    assert expected in line


def test_load_the_shipped_sample() -> None:
    configuration = load_configuration(ROOT / "config" / "gateway.toml")
    assert {device.driver for device in configuration.devices} == {"llrp", "modbus"}
    assert len(configuration.site.cells) == 6
    assert len(configuration.site.portals) == 1


def test_load_the_sample_with_all_that_is_commented_out(tmp_path: Path) -> None:
    text = (ROOT / "config" / "gateway.toml").read_text(encoding="utf-8")
    lines = []
    for line in text.splitlines():
        bare = line.removeprefix("# ")
        commented = line.startswith("# ") and (bare.startswith("[") or " = " in bare)
        lines.append(bare if commented else line)
    path = tmp_path / "gateway.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    configuration = load_configuration(path)
    assert configuration.telemetry is not None
    assert configuration.mqtt.tls is not None
    assert configuration.mqtt.broker_port == 8883


@pytest.mark.parametrize(
    ("device", "rest", "marked", "expected"),
    [
        ("gros_g = 1.0", "", "gros_g", "device[0].gros_g: unknown key; did you mean 'gross_g'?"),
        ('gross_g = "x"', "", "gross_g", "device[0].gross_g: Input should be a valid number"),
        ("", "[mqqt]\n", "[mqqt]", "mqqt: unknown key; did you mean 'mqtt'?"),
        (
            "",
            '[[device]]\nid = "b"\ndriver = "fak"\n',
            'driver = "fak"',
            "device[1].driver: no driver 'fak'; did you mean 'fake'?",
        ),
        (
            "",
            '[[cell]]\ncell = "scales:2"\nlocation = "X"\n',
            "scales:2",
            "cell[1].cell: 'scales:2': no [[device]] has the id 'scales'; did you mean 'scale'?",
        ),
        (
            "",
            '[[cell]]\ncell = "scale:2"\nlocation = "X"\nzone = "AISLE"\n',
            "AISLE",
            "cell[1].zone: no [[zone]] has the location 'AISLE'",
        ),
        (
            "",
            '[[cell]]\ncell = "scale:1"\nlocation = "X"\n',
            "[[cell]]",
            "cell[1].cell: 'scale:1' stands twice; it must be unique",
        ),
        (
            "",
            (
                '[[zone]]\nlocation = "X"\nantennas = ["scale:1"]\n'
                '[[zone]]\nlocation = "Y"\nantennas = ["scale:2", "scale:1"]\n'
            ),
            '"scale:2"',
            "zone[1].antennas: 'scale:1' watches another place already; it can watch one",
        ),
        (
            "",
            '[[portal]]\nportal = "G"\nouter = ["scale:1"]\ninner = ["scale:1"]\ninside = "X"\n',
            "inner",
            "portal[0].inner: 'scale:1' watches another place already; it can watch one",
        ),
        (
            "",
            "[rules.presense]\nsettle_s = 1\n",
            "presense",
            "rules.presense: no rule of that name; did you mean 'presence'?",
        ),
        (
            "",
            "[rules.presence]\nstill_db = 0\n",
            "still_db",
            "rules.presence.still_db: Input should be greater than 0",
        ),
    ],
)
def test_load_names_file_line_key_and_expectation(
    write_site: Callable[..., Path], device: str, rest: str, marked: str, expected: str
) -> None:
    path = write_site(device, rest)
    told = refusal(path)
    assert len(told) == 1
    assert f": {expected}" in told[0]
    if marked != "[[cell]]":
        assert told[0].startswith(f"{path}:{line_number(path, marked)}: ")


def test_load_names_a_missing_key_at_its_table(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text('[gateway]\nid = "a"\nsite = "b"\n[mqtt]\nport = 1883\n', encoding="utf-8")
    assert refusal(path) == [f"{path}:4: mqtt.host: this key is missing"]


def test_load_names_a_missing_section(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text('[gateway]\nid = "a"\nsite = "b"\n', encoding="utf-8")
    assert refusal(path) == [f"{path}: mqtt: this key is missing"]


def test_load_names_all_problems_at_once(write_site: Callable[..., Path]) -> None:
    told = refusal(write_site("gros_g = 1", '[rules.wait]\n[[cell]]\ncell = "x:1"\nlocation = "X"'))
    assert len(told) == 3


def test_load_names_the_devices_problems_beside_those_of_other_sections(
    write_site: Callable[..., Path],
) -> None:
    path = write_site("gros_g = 1")
    path.write_text(path.read_text(encoding="utf-8").replace("host =", "hots ="), encoding="utf-8")
    told = "\n".join(refusal(path))
    assert "mqtt.hots: unknown key; did you mean 'host'?" in told
    assert "mqtt.host: this key is missing" in told
    assert "device[0].gros_g: unknown key; did you mean 'gross_g'?" in told


def test_load_survives_devices_of_the_wrong_shape(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    for devices in ("device = 3", "device = [3]", '[device]\nid = "a"', "[[device]]\nid = 3"):
        path.write_text(f"{devices}\n", encoding="utf-8")
        told = refusal(path)
        assert any(line.startswith(f"{path}:1: device") for line in told)


def test_load_says_where_toml_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text("[gateway\n", encoding="utf-8")
    assert refusal(path)[0].startswith(f"{path}: not TOML: ")
    assert "line 1" in refusal(path)[0]


def test_load_says_why_a_file_cannot_be_read(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    assert refusal(missing) == [f"{missing}: cannot be read: No such file or directory"]


def test_environment_overrides_the_file(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELFGATE__MQTT__HOST", "broker.test")
    monkeypatch.setenv("SHELFGATE__MQTT__PORT", "2883")
    configuration = load_configuration(site)
    assert (configuration.mqtt.host, configuration.mqtt.port) == ("broker.test", 2883)
    assert configuration.gateway.id == "edge-t"


def test_environment_with_a_wrong_value_is_named(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELFGATE__MQTT__PORT", "many")
    (told,) = refusal(site)
    assert told.startswith("environment SHELFGATE__MQTT__PORT: mqtt.port: Input should be a valid")


def test_environment_with_an_unknown_section_is_named(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELFGATE__MQT__HOST", "x")
    assert refusal(site) == [
        f"{site}: $SHELFGATE__MQT__HOST: no section 'mqt'; did you mean 'mqtt'?"
    ]


def test_environment_with_an_unknown_key_is_named(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELFGATE__MQTT__HOTS", "x")
    (told,) = refusal(site)
    assert told == (
        "environment SHELFGATE__MQTT__HOTS: mqtt.hots: unknown key; did you mean 'host'?"
    )


def test_secret_values_do_not_stand_in_errors(write_site: Callable[..., Path]) -> None:
    (told,) = refusal(write_site('gross_g = "hunter2"'))
    assert "hunter2" not in told


CELL = '[[cell]]\ncell = "scale:2"\nlocation = "BIN-2"\n'


def test_plate_of_several_items_is_planned_with_all_of_them(
    write_site: Callable[..., Path],
) -> None:
    path = write_site(rest=CELL + 'items = ["A", "B"]\n')
    assert load_configuration(path).site.cells[-1].planned == ("A", "B")


@pytest.mark.parametrize(
    ("planned", "expected"),
    [
        ('item = "A"\nitems = ["A", "B"]', "item is for one, items is for several"),
        ('items = ["A", "A"]', "items names one twice"),
        ('items = ["A", "B", "C", "D", "E", "F"]', "at most 5 items"),
    ],
)
def test_plate_planned_in_two_ways_or_with_too_many_is_refused(
    write_site: Callable[..., Path], planned: str, expected: str
) -> None:
    [told] = refusal(write_site(rest=CELL + planned + "\n"))
    assert expected in told
    assert ": cell[1]" in told
