"""Alerts in a whole gateway: listed, acknowledged, told again."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway import daemon
from gateway.alerts import LISTED_BYTES_MAX
from gateway.assembly import Gateway
from gateway.model import Alert, Severity
from gateway.outcome import Outcome
from gateway.settings import load_configuration
from gateway.status import RefusedError, ask
from tests.gateway.serving import command, serving
from tests.polling import until


@pytest.fixture
def site_file(write_site: Callable[..., Path]) -> Path:
    return write_site()


@pytest.fixture
async def gateway(site_file: Path) -> AsyncIterator[Gateway]:
    async with serving(load_configuration(site_file)) as gateway:
        yield gateway


async def tell(gateway: Gateway, *alerts: Alert) -> None:
    await (await gateway.booker.submit([Outcome(gateway.clock.now(), events=alerts)]))


def up(key: str, severity: Severity = "warning", *, raised: bool = True) -> Alert:
    return Alert("made_up", key, raised, severity, f"look at {key}", 0)


async def keys(gateway: Gateway) -> list[str]:
    return [each["key"] for each in (await command(gateway, "alert-ls"))["alerts"]]


async def test_alerts_are_listed_the_unseen_and_the_gravest_first(gateway: Gateway) -> None:
    await tell(gateway, up("A", "info"), up("B", "critical"), up("C"), up("D", "critical"))
    assert [key for key in await keys(gateway) if len(key) == 1] == ["B", "D", "C", "A"]
    await command(gateway, "alert-ack", key="B", actor="ana", note="on my way")
    told = (await command(gateway, "alert-ls"))["alerts"][-1]
    at = told["acknowledged"].pop("at")
    assert told == {
        "code": "made_up",
        "key": "B",
        "severity": "critical",
        "text": "look at B",
        "texts": {"en": "look at B", "zh": "look at B"},
        "epoch": gateway.store.epoch.uuid,
        "seq": told["seq"],
        "acknowledged": {"actor": "ana", "note": "on my way"},
    }
    (record,) = [r for r in await gateway.store.records_after(0, 1000) if r.seq == told["seq"] + 3]
    body = json.loads(record.body)
    assert (body["event"], body["key"], body["actor"]) == ("acknowledgement", "B", "ana")
    assert body["at_event"] == at


async def test_acknowledgement_outlives_a_restart_and_is_in_health(site_file: Path) -> None:
    configuration = load_configuration(site_file)
    async with serving(configuration) as gateway:
        await tell(gateway, up("A"))
        await command(gateway, "alert-ack", key="A", actor="ana")
    async with serving(configuration) as gateway:
        assert await command(gateway, "alert-ack", key="A", actor="ben") == {
            "key": "A",
            "codes": ["made_up"],
        }
        (told,) = [
            each for each in (await command(gateway, "alert-ls"))["alerts"] if each["key"] == "A"
        ]
        assert told["acknowledged"]["actor"] == "ana"
        await gateway.health.look()
        figures = gateway.health.report()["alerts"]
        assert isinstance(figures, dict)
        assert figures["acknowledged"] == 1
        folder = gateway.configuration.gateway.state_folder
        status = (await asyncio.to_thread(ask, folder, {"request": "status"}))["status"]
        assert {"key": "A", "actor": "ana"} in [
            {"key": each["key"], "actor": each.get("acknowledged", {}).get("actor")}
            for each in status["alerts"]
        ]


async def test_list_fits_into_one_payload_and_says_what_it_leaves_off(gateway: Gateway) -> None:
    long = [Alert("made_up", f"{n}" * 100, True, "warning", "\u5b57" * 1024, 0) for n in range(80)]
    await tell(gateway, *long)
    told = await command(gateway, "alert-ls")
    assert len(json.dumps(told, ensure_ascii=False).encode()) < LISTED_BYTES_MAX + 1000
    standing = (await gateway.store.read(lambda reader: reader.alert_figures()))["raised"]
    assert len(told["alerts"]) + told["left_off"] == standing
    assert told["left_off"] > 0


@pytest.mark.parametrize(
    ("args", "refusal"),
    [
        ({"key": "Z", "actor": "ana"}, "no alert 'Z' stands"),
        ({"key": "A"}, "actor: a key of 1 to 128 characters is wanted"),
        ({"actor": "ana"}, "key: a line of 1 to 512 characters is wanted"),
        ({"key": "A" * 513, "actor": "ana"}, "key: a line of 1 to 512 characters is wanted"),
        ({"key": "A", "actor": "ana", "note": "a\nb"}, "note: a line of 1 to 250 characters"),
        ({"key": "A", "actor": "ana", "note": 3}, "note: a line of 1 to 250 characters"),
        ({"key": "A", "actor": ["ana"]}, "actor: a key of 1 to 128 characters is wanted"),
    ],
)
async def test_acknowledgement_that_cannot_be_recorded_is_refused(
    gateway: Gateway, args: dict[str, Any], refusal: str
) -> None:
    await tell(gateway, up("A"))
    with pytest.raises(RefusedError, match=refusal):
        await command(gateway, "alert-ack", **args)
    records = await gateway.store.records_after(0, 1000)
    assert "acknowledgement" not in {record.kind for record in records}


async def test_running_gateway_tells_again_what_nobody_has_seen(
    write_site: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon, "REMIND_S", 0.05)
    configuration = load_configuration(write_site())
    section = configuration.gateway.model_copy(update={"alert_reraise_s": 0.3})
    object.__setattr__(configuration, "gateway", section)

    async def raised(key: str) -> int:
        records = await gateway.store.records_after(0, 1000)
        bodies = [json.loads(record.body) for record in records if record.kind == "alert"]
        return sum(body["key"] == key for body in bodies)

    async with serving(configuration) as gateway:
        await tell(gateway, up("A"), up("B"))
        await command(gateway, "alert-ack", key="B", actor="ana")
        seen = await raised("B")
        before = gateway.store.last_seq
        await until(lambda: gateway.store.last_seq >= before + 2)
        assert await raised("A") >= 2
        assert await raised("B") == seen == 1
