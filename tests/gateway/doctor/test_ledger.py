"""What is wrong with the store is found, and its fix is named."""

import sqlite3
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gateway.assembly import STORE_FILE, assemble, product_version
from gateway.clock import boot_id
from gateway.doctor.finding import Finding
from gateway.doctor.ledger import examine_ledger
from gateway.model import Alert
from gateway.outcome import Outcome
from gateway.rule_record import RuleRecord
from gateway.settings import Configuration, load_configuration
from tests.gateway.doctor.findings import named


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
