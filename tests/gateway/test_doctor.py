"""Each thing that can be wrong is found, and its fix is named."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gateway import doctor
from gateway.assembly import STORE_FILE, Gateway, assemble, product_version
from gateway.clock import BootClock, boot_id
from gateway.daemon import serve
from gateway.doctor import box, devices
from gateway.doctor.broker import examine_settlement, examine_uplink
from gateway.doctor.finding import Finding
from gateway.doctor.ledger import examine_ledger
from gateway.model import Alert
from gateway.outcome import Outcome
from gateway.rule_record import RuleRecord
from gateway.settings import Configuration, load_configuration

Write = Callable[..., Path]


def named(findings: Any, check: str) -> Finding:
    """The worst finding of a check."""
    found = [finding for finding in findings if finding.check == check]
    return min(found, key=lambda finding: ("fail", "warn", "ok").index(finding.verdict))


def of_files(path: Path, check: str) -> Finding:
    return named(doctor.examine_files(load_configuration(path)), check)


def of_folder(path: Path) -> Finding:
    return named(doctor.examine_state_folder(load_configuration(path)), "state folder")


def test_a_finding_that_is_not_ok_needs_a_fix() -> None:
    with pytest.raises(AssertionError):
        Finding("disk", "fail", "it is full")
    with pytest.raises(AssertionError):
        Finding("disk", "ok", "room enough", "nothing to mend")


# Files


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


# The machine


@pytest.mark.parametrize(
    ("free_bytes", "verdict"), [(10 << 20, "fail"), (500 << 20, "warn"), (5 << 30, "ok")]
)
def test_disk_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_bytes: int, verdict: str
) -> None:
    real = os.statvfs(tmp_path)
    fields = [*real]
    fields[1], fields[4] = 1, free_bytes  # f_frsize, f_bavail
    monkeypatch.setattr(os, "statvfs", lambda _folder: os.statvfs_result(fields))
    finding = named(box.examine_box(tmp_path, BootClock()), "disk space")
    assert finding.verdict == verdict
    assert ("free some space" in finding.fix) == (verdict != "ok")


@pytest.mark.parametrize(("worst_ms", "verdict"), [(5, "ok"), (150, "warn"), (2000, "fail")])
def test_disk_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worst_ms: int, verdict: str
) -> None:
    spans = [1_000_000] * 29 + [worst_ms * 1_000_000]
    monkeypatch.setattr(box, "measure_syncs", lambda _folder, _clock: spans)
    finding = named(box.examine_box(tmp_path, BootClock()), "disk sync")
    assert finding.verdict == verdict
    assert ("SSD" in finding.fix) == (verdict != "ok")


def test_disk_sync_is_measured_where_the_ledger_lies(tmp_path: Path) -> None:
    spans = box.measure_syncs(tmp_path, BootClock())
    assert len(spans) == box.SYNCS
    assert all(span > 0 for span in spans)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("synced", "verdict"), [(True, "ok"), (False, "warn")])
def test_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, synced: bool, verdict: str) -> None:
    monkeypatch.setattr(box, "synchronised", lambda: synced)
    finding = named(box.examine_box(tmp_path, BootClock()), "clock")
    assert finding.verdict == verdict
    assert ("chrony" in finding.fix) == (verdict != "ok")


# The ledger


@pytest.fixture
async def ledger(site: Path) -> Configuration:
    """A site whose store holds two alerts."""
    configuration = load_configuration(site)
    gateway = await assemble(configuration, Random(1))
    alerts = tuple(Alert("a", key, True, "warning", "text", 1) for key in "xy")
    await (await gateway.store.submit([Outcome(1, alerts)]))
    await gateway.store.close()
    return configuration


def of_ledger(configuration: Configuration, check: str, *, running: bool = False) -> Finding:
    return named(examine_ledger(configuration, running=running), check)


def test_no_store_yet_is_no_fault(site: Path) -> None:
    assert of_ledger(load_configuration(site), "store").verdict == "ok"


@pytest.mark.parametrize("running", [True, False])
async def test_a_sound_ledger(ledger: Configuration, running: bool) -> None:
    findings = list(examine_ledger(ledger, running=running))
    assert {finding.verdict for finding in findings} == {"ok"}
    assert "2 records are whole" in named(findings, "ledger").text
    assert "synchronous FULL" in named(findings, "store pragmas").text


def tamper(configuration: Configuration, sql: str, *values: Any) -> None:
    with sqlite3.connect(configuration.gateway.state_folder / STORE_FILE) as connection:
        connection.execute(sql, values)
    connection.close()


async def test_a_record_that_was_changed(ledger: Configuration) -> None:
    tamper(ledger, "UPDATE ledger SET body=CAST(replace(body, 'text', 'lies') AS BLOB)")
    finding = of_ledger(ledger, "ledger")
    assert finding.verdict == "fail"
    assert "does not fit its hash" in finding.text
    assert "restore a backup" in finding.fix


async def test_a_file_that_is_no_store(ledger: Configuration) -> None:
    path = ledger.gateway.state_folder / STORE_FILE
    path.write_bytes(b"garbage" * 1000)
    finding = of_ledger(ledger, "store", running=False)
    assert finding.verdict == "fail"
    assert "backup" in finding.fix


async def test_a_store_of_a_newer_release(ledger: Configuration) -> None:
    tamper(ledger, "UPDATE meta SET value=99 WHERE name='schema'")
    finding = of_ledger(ledger, "store pragmas")
    assert finding.verdict == "fail"
    assert "schema 99" in finding.text
    assert "release" in finding.fix


async def test_rows_that_the_rules_do_not_read(ledger: Configuration) -> None:
    tamper(ledger, "INSERT INTO state(rule, schema, key, value) VALUES('stock', 9, 'k', '{}')")
    finding = of_ledger(ledger, "rule rows")
    assert finding.verdict == "fail"
    assert "stock has rows of schema [9]" in finding.text
    assert finding.fix == "install the release that wrote them"


async def test_a_rule_that_is_left_out(ledger: Configuration) -> None:
    record = RuleRecord(ledger.gateway.state_folder, boot_id(), product_version())
    for at in (1, 2, 3):
        record.note("weight", at)
    finding = of_ledger(ledger, "rules")
    assert finding.verdict == "fail"
    assert finding.text.endswith(": weight")
    assert str(record.path) in finding.fix


def test_an_old_sqlite(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apsw.sqlite_lib_version", lambda: "3.40.1")
    finding = of_ledger(load_configuration(site), "sqlite")
    assert finding.verdict == "fail"
    assert "apsw" in finding.fix


# Devices


async def contacted(path: Path, timeout_s: float = 2.0) -> Finding:
    configuration = load_configuration(path)
    (finding,) = await devices.contact_devices(
        configuration.devices, BootClock(), Random(1), timeout_s
    )
    return finding


async def test_a_device_that_answers(site: Path) -> None:
    finding = await contacted(site)
    assert finding.verdict == "ok"
    assert "fake answers (WeightReport" in finding.text


@pytest.mark.parametrize(
    ("behaviour", "text", "fix"),
    [
        ("refuse", "192.0.2.9:502 refused the connection", "check power, cable, address"),
        ("silent", "heard nothing within 0 s", "check power, cable, address"),
        ("complain", "it reports unit 3 does not answer", "check power, cable, address"),
        ("bug", "bug in the driver: KeyError: 'channel'", "report it"),
    ],
)
async def test_a_device_that_does_not(
    write_site: Write, behaviour: str, text: str, fix: str
) -> None:
    path = write_site(f'behaviour = "{behaviour}"')
    finding = await contacted(path, timeout_s=0.05 if behaviour in {"silent", "complain"} else 2)
    assert finding.verdict == "fail"
    assert text in finding.text
    assert fix in finding.fix


# Broker and core

WELL: Mapping[str, Any] = {
    "uplink": {
        "connected": True,
        "since_s": 9,
        "reason": "",
        "broker": "b",
        "mqtt": "5",
        "settle": "core",
        "core": "flowing",
    },
    "last": 7,
    "settled": 7,
    "oldest_unsettled_ms": 0,
}


def of_uplink(site: Path, check: str, **changes: Any) -> Finding:
    status = {**WELL, **changes}
    return named(examine_uplink(load_configuration(site), status), check)


def test_an_uplink_that_works(site: Path) -> None:
    findings = examine_uplink(load_configuration(site), WELL)
    assert [finding.verdict for finding in findings] == ["ok", "ok"]


def test_an_uplink_that_is_down(site: Path) -> None:
    down = {**WELL["uplink"], "connected": False, "reason": "not authorised"}
    finding = of_uplink(site, "broker", uplink=down)
    assert finding.verdict == "fail"
    assert "not authorised" in finding.text
    assert "mqtt.host" in finding.fix


def test_a_core_that_never_answered(site: Path) -> None:
    finding = of_uplink(site, "core", uplink={**WELL["uplink"], "core": "greeting"})
    assert finding.verdict == "fail"
    assert "check that the core runs" in finding.fix


def test_a_core_that_stopped_to_acknowledge(site: Path) -> None:
    finding = of_uplink(site, "core", settled=5, oldest_unsettled_ms=60_000)
    assert finding.verdict == "fail"
    assert "2 records wait for the core, the oldest for 60 s" in finding.text


def test_a_core_that_is_not_asked_gives_up_proof(site: Path) -> None:
    path = site
    text = path.read_text(encoding="utf-8").replace("[mqtt]\n", '[mqtt]\nsettle = "broker"\n')
    path.write_text(text, encoding="utf-8")
    finding = examine_settlement(load_configuration(path))
    assert finding.verdict == "warn"
    assert 'settle = "core"' in finding.fix


# The whole


async def test_examine_without_a_gateway_contacts_all_from_here(site: Path) -> None:
    findings = await doctor.examine(load_configuration(site))
    assert named(findings, "gateway").verdict == "warn"
    assert named(findings, "gateway").fix == "systemctl start shelfgate"
    assert named(findings, "device scale").verdict == "ok"
    broker = named(findings, "broker")
    assert broker.verdict == "fail"
    assert "Connection refused" in broker.text


@pytest.fixture
async def gateway(write_site: Write) -> AsyncIterator[Gateway]:
    configuration = load_configuration(write_site('behaviour = "refuse"'))
    gateway = await assemble(configuration, Random(1))
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(gateway, stop))
    async with asyncio.timeout(10):
        while not (configuration.gateway.state_folder / "control.sock").exists():  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.01)
    yield gateway
    stop.set()
    await serving
    await gateway.store.close()


async def test_examine_asks_a_running_gateway(gateway: Gateway) -> None:
    device = gateway.supervisor.devices["scale"]
    async with asyncio.timeout(10):
        while device.state != "waiting":  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.01)
    configuration = gateway.configuration
    findings = await asyncio.to_thread(lambda: asyncio.run(doctor.examine(configuration)))
    assert named(findings, "gateway").verdict == "ok"
    down = named(findings, "device scale")
    assert down.verdict == "fail"
    assert "192.0.2.9:502 refused the connection" in down.text
    assert "check power" in down.fix
    assert named(findings, "broker").verdict == "fail"
