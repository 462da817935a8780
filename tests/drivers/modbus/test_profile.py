import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.modbus.profile import Profile
from drivers.modbus.profiles_folder import CHECKOUT_FOLDER, find_folder, load_profile
from gateway.ports import ConfigError

SHIPPED = sorted(path.stem for path in CHECKOUT_FOLDER.glob("*.toml"))

# Maps that give no weight addresses, or that are graded C.
LEFT_OUT = {"seneca-z-sg2", "mt-ind570", "pavone-dat400"}

MINIMAL: dict[str, Any] = {
    "id": "mine",
    "models": ["mine"],
    "grade": "own",
    "sources": ["my own measurement"],
    "block": {"function": 3, "start": 10, "count": 4},
    "value": {"type": "s32"},
    "decimals": {"source": "setting"},
    "unit": {"source": "setting"},
    "cells": [{"gross": 10, "status": 12, "command": 20}],
}


def profile(**changes: object) -> Profile:
    return Profile.model_validate({**MINIMAL, **changes})


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_profile_tells_grade_and_sources(name: str) -> None:
    loaded = load_profile(name, find_folder())

    assert loaded.grade in ("A", "B")
    assert loaded.sources


def _maps(data_folder: Path) -> list[dict[str, Any]]:
    text = (data_folder / "modbus" / "weight_maps.json").read_text(encoding="utf-8")
    maps: list[dict[str, Any]] = json.loads(text)["devices"]
    return maps


def test_every_graded_map_with_weights_has_a_profile(data_folder: Path) -> None:
    wanted = {device["id"] for device in _maps(data_folder)} - LEFT_OUT

    assert wanted == set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_profile_reads_the_addresses_of_its_map(name: str, data_folder: Path) -> None:
    registers = next(d for d in _maps(data_folder) if d["id"] == name)["registers"]
    cells = load_profile(name, find_folder()).cells
    seen = 0

    for number, cell in enumerate(cells, 1):
        for kind in ("gross", "net", "tare", "status"):
            keys = (kind, f"{kind}{number}", f"scale{number}_{kind}")
            told = next((registers[key] for key in keys if key in registers), None)
            ours = getattr(cell, kind)
            if told is not None and ours is not None:
                assert ours == told.get("addr", told.get("addr_doc"))
                seen += 1
    assert seen >= 2


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_profile_sends_no_command_that_its_map_forbids(
    name: str, data_folder: Path
) -> None:
    device = next(d for d in _maps(data_folder) if d["id"] == name)
    forbidden = set(device.get("never_send_from_gateway", ()))
    words = ("eeprom", "calibration", "adjust", "reboot", "service", "write data")
    for key, meaning in device.get("commands", {}).items():
        number = re.fullmatch(r"\d+", key)
        if number and any(word in meaning.lower() for word in words):
            forbidden.add(int(key))
    loaded = load_profile(name, find_folder())

    for command in loaded.commands.values():
        assert command.value not in forbidden
        for register in {command.number, *(cell.command for cell in loaded.cells)} - {None}:
            assert register is not None
            for value in forbidden:
                assert loaded.forbidden(register, value) is not None


def test_profile_with_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="colour"):
        profile(colour="red")


def test_profile_with_a_register_outside_its_block_is_refused() -> None:
    with pytest.raises(ValidationError, match="register 14 is outside the block"):
        profile(cells=[{"gross": 13}])


def test_profile_without_gross_needs_net_and_tare() -> None:
    with pytest.raises(ValidationError, match="needs `gross`"):
        profile(cells=[{"net": 10}])


@pytest.mark.parametrize(
    "never",
    [
        {"register": 20, "values": [99], "reason": "EEPROM"},
        {"register": 20, "mask": 0x60, "reason": "EEPROM"},
        {"register": 20, "reason": "EEPROM"},
    ],
)
def test_profile_with_a_command_that_is_never_to_be_sent_is_refused(
    never: dict[str, object],
) -> None:
    with pytest.raises(ValidationError, match="never to be sent: EEPROM"):
        profile(commands={"zero": {"value": 99}}, never_send=[never])


def test_only_registers_of_commands_may_be_written() -> None:
    loaded = profile(commands={"zero": {"value": 8}})

    assert loaded.forbidden(20, 8) is None
    assert loaded.forbidden(21, 8) == "no command of the profile writes there"


def test_missing_profile_is_named_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match="did you mean 'laumas-tlb-w'"):
        load_profile("laumas-tbl-w", find_folder())


def test_broken_profile_is_named_with_file_and_key(tmp_path: Path) -> None:
    text = (CHECKOUT_FOLDER / "laumas-tlb-w.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(text.replace("function = 3", "function = 5"), encoding="utf-8")

    with pytest.raises(ConfigError, match=r"mine\.toml: block\.function"):
        load_profile("mine", find_folder(tmp_path))


def test_profile_whose_id_is_not_its_file_name_is_refused(tmp_path: Path) -> None:
    text = (CHECKOUT_FOLDER / "laumas-tlb-w.toml").read_text(encoding="utf-8")
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match="expected 'mine'"):
        load_profile("mine", tmp_path)


def test_profiles_folder_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no folder"):
        find_folder(tmp_path / "absent")
