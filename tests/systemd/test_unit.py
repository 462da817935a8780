"""The unit is sound, hardened, and stays so with each drop-in that is shipped."""

import os
import shutil
import subprocess
from collections.abc import Callable
from configparser import RawConfigParser
from pathlib import Path

import pytest

from gateway.cli.exits import CONFIG
from gateway.uplink import credentials

FOLDER = Path(__file__).resolve().parents[2] / "systemd"
EXPOSURE_MAX = 20
"""systemd's own score times ten: 0 is shut, 100 is open."""

DROP_INS = (
    (),
    ("serial.conf",),
    ("keyboard.conf",),
    ("addresses.conf",),
    ("serial.conf", "keyboard.conf", "addresses.conf"),
)


@pytest.fixture
def root(tmp_path: Path, require: Callable[[str], str]) -> Path:
    """A file system that holds just what the unit names."""
    require("systemd-analyze")
    units = tmp_path / "etc" / "systemd" / "system"
    units.mkdir(parents=True)
    shutil.copy(FOLDER / "shelfgate.service", units)
    program = tmp_path / "opt" / "shelfgate" / "current" / "bin" / "shelfgate"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for target in ("network-online", "time-sync", "sysinit", "basic", "shutdown"):
        (units / f"{target}.target").write_text("[Unit]\nDescription=there\n")
    return tmp_path


def _drop_in(root: Path, *names: str) -> None:
    folder = root / "etc" / "systemd" / "system" / "shelfgate.service.d"
    folder.mkdir()
    for name in names:
        shutil.copy(FOLDER / name, folder)


def _analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
    )


def _settings() -> dict[str, dict[str, str]]:
    """The unit, with the last word for a key that stands more than once."""
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # systemd minds the case
    parser.read(FOLDER / "shelfgate.service")
    return {name: dict(parser[name]) for name in parser.sections()}


@pytest.mark.server
@pytest.mark.parametrize("drop_ins", DROP_INS, ids=lambda names: "+".join(names) or "alone")
def test_exposure_stays_low(root: Path, drop_ins: tuple[str, ...]) -> None:
    _drop_in(root, *drop_ins)
    told = _analyze(
        "security",
        "--offline=true",
        f"--threshold={EXPOSURE_MAX}",
        f"--root={root}",
        "shelfgate.service",
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "Overall exposure level" in told.stdout


@pytest.mark.server
@pytest.mark.parametrize("drop_ins", DROP_INS, ids=lambda names: "+".join(names) or "alone")
def test_systemd_understands_every_line(root: Path, drop_ins: tuple[str, ...]) -> None:
    _drop_in(root, *drop_ins)
    told = _analyze("verify", "--man=no", f"--root={root}", "shelfgate.service")
    assert (told.returncode, told.stderr) == (0, "")


def test_watchdog_and_restart_are_told_what_the_daemon_does() -> None:
    service = _settings()["Service"]
    assert service["Type"] == "notify"
    assert 10 <= int(service["WatchdogSec"]) <= 60
    assert service["Restart"] == "always"
    assert int(service["RestartPreventExitStatus"]) == CONFIG
    assert int(service["RestartSec"]) >= 1
    assert _settings()["Unit"]["StartLimitIntervalSec"] == "0"


def test_credentials_bear_the_name_that_the_gateway_looks_for() -> None:
    name, _, folder = _settings()["Service"]["LoadCredential"].partition(":")
    assert (name, folder) == (credentials.CREDENTIALS_ID, "/etc/shelfgate/credentials")


def test_credential_is_found_as_the_unit_hands_it_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "shelfgate_mqtt-password").write_text("of the folder\n")
    (tmp_path / "influx-token").write_text("of a LoadCredential= of its own\n")
    assert credentials.read("mqtt-password") == "of the folder"
    assert credentials.read("influx-token") == "of a LoadCredential= of its own"
