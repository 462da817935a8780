"""What a running gateway knows of its broker and its core is told, with a fix."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.doctor.broker import examine_settlement, examine_uplink
from gateway.doctor.finding import Finding
from gateway.settings import load_configuration
from tests.gateway.doctor.findings import named

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
