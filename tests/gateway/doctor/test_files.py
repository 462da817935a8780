"""What is wrong with a site's files and its state folder is found, and its fix is named."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import doctor
from gateway.doctor.finding import Finding
from gateway.settings import load_configuration
from tests.gateway.doctor.findings import named

Write = Callable[..., Path]


def of_files(path: Path, check: str) -> Finding:
    return named(doctor.examine_files(load_configuration(path)), check)


def of_folder(path: Path) -> Finding:
    return named(doctor.examine_state_folder(load_configuration(path)), "state folder")


def test_a_sound_site_has_nothing_wrong_with_its_files(site: Path) -> None:
    findings = list(doctor.examine_files(load_configuration(site)))
    assert {finding.verdict for finding in findings} == {"ok"}


def test_a_wrong_reference_row_is_named(site: Path) -> None:
    (site.parent / "items.csv").write_text("code,unit_g\nBOLT,heavy\n", encoding="utf-8")
    finding = of_files(site, "reference files")
    assert finding.verdict == "fail"
    assert f"{site.parent}/items.csv:2: unit_g" in finding.text
    assert finding.fix == "correct the rows that are named"


def test_a_driver_that_refuses_its_settings_is_named_by_file_and_device(write_site: Write) -> None:
    unit = '[[device.units]]\nunit_id = 1\nprofile = "dini-dgt4y"\ncapacity_g = 100\n'
    rest = f'[[device]]\nid = "s"\ndriver = "modbus"\nlink = "tcp"\nhost = "h"\n{unit}'
    path = write_site(rest=rest)
    finding = of_files(path, "drivers")
    assert finding.verdict == "fail"
    assert finding.text.startswith(f"{path}: device[1] (s): profile 'dini-dgt4y'")
    assert finding.fix


def test_a_rule_that_refuses_its_settings_is_named(write_site: Write) -> None:
    path = write_site(rest='[rules.person]\ndemanded = ["BIN-9"]\n')
    finding = of_files(path, "rules")
    assert finding.verdict == "fail"
    assert finding.text.endswith("rules.person.demanded: nothing moves at a location 'BIN-9'")


@pytest.mark.parametrize(
    ("secret", "verdict", "told"),
    [
        (None, "fail", "credential gateway.pseudonym_key"),
        ("too short", "fail", "rules"),
        ("sixteen bytes it", "ok", "credential gateway.pseudonym_key"),
    ],
)
def test_the_key_of_pseudonyms(
    write_site: Write, tmp_path: Path, secret: str | None, verdict: str, told: str
) -> None:
    key = tmp_path / "key"
    if secret is not None:
        key.write_text(secret, encoding="utf-8")
        key.chmod(0o600)
    path = write_site(rest="[rules.person]\npseudonym = true\n")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[gateway]\n", f'[gateway]\npseudonym_key = "{key}"\n'))
    assert of_files(path, told).verdict == verdict


def with_password(write_site: Write, name: str) -> Path:
    path = write_site()
    text = path.read_text(encoding="utf-8")
    text = text.replace("[mqtt]\n", f'[mqtt]\nusername = "edge"\npassword = "{name}"\n')
    path.write_text(text, encoding="utf-8")
    return path


def test_a_secret_that_is_missing(write_site: Write, tmp_path: Path) -> None:
    finding = of_files(with_password(write_site, f"{tmp_path}/none"), "credential mqtt.password")
    assert finding.verdict == "fail"
    assert f"no file at {tmp_path}/none" in finding.text
    assert "put the file there" in finding.fix


def test_a_secret_that_everybody_can_read(write_site: Write, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hunter2", encoding="utf-8")
    secret.chmod(0o644)
    finding = of_files(with_password(write_site, str(secret)), "credential mqtt.password")
    assert finding.verdict == "warn"
    assert finding.fix == f"chmod 600 {secret}"
    secret.chmod(0o600)
    assert of_files(tmp_path / "gateway.toml", "credential mqtt.password").verdict == "ok"


def test_a_credential_of_the_unit_cannot_be_seen_from_outside(
    write_site: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    finding = of_files(with_password(write_site, "mqtt-password"), "credential mqtt.password")
    assert finding.verdict == "warn"
    assert "systemctl status" in finding.fix


def test_a_credential_of_the_unit_that_is_missing_inside(
    write_site: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    finding = of_files(with_password(write_site, "mqtt-password"), "credential mqtt.password")
    assert finding.verdict == "fail"


def test_certificates_that_do_not_load(write_site: Write, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate", encoding="utf-8")
    path = write_site(rest=f'[mqtt.tls]\nca = "{tmp_path}/ca.pem"\n')
    finding = of_files(path, "certificates")
    assert finding.verdict == "fail"
    assert "PEM" in finding.fix


def test_a_state_folder_that_everybody_can_read(site: Path) -> None:
    folder = site.parent / "state"
    folder.mkdir(mode=0o755)
    assert of_folder(site).fix == f"chmod 750 {folder}"
    folder.chmod(0o750)
    assert of_folder(site).verdict == "ok"


def test_a_state_folder_that_is_not_ours(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    finding = of_folder(site)
    assert finding.verdict == "fail"
    assert "chown" in finding.fix


def test_a_state_folder_too_deep_for_a_socket(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELFGATE__GATEWAY__STATE_FOLDER", f"{site.parent}/{'x' * 100}")
    finding = of_folder(site)
    assert finding.verdict == "warn"
    assert "shorter" in finding.fix
