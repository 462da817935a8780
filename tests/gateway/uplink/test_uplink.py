"""The whole uplink against a real broker, a strict core and a proxy that fails on demand."""

import asyncio
import json

import pytest

from gateway.model import ExpectedSet, Item, Location, OrderReference, ReferenceDeleted, Task
from gateway.ports import LinkError
from tests.fault_proxy import FaultProxy
from tests.gateway.uplink.conftest import Mosquitto, listening
from tests.gateway.uplink.peers import BASE, EPOCH, NEXT_EPOCH, Gateway, StrictCore
from tests.polling import until

pytestmark = pytest.mark.server


def settled(gateway: Gateway, number: int) -> object:
    return lambda: gateway.outbox.high_water == number


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_records_reach_the_core_once_and_in_order(mosquitto: Mosquitto, version: str) -> None:
    await mosquitto.start()
    patient = Gateway(mosquitto.port, version=version, ack_timeout_s=20.0)
    async with StrictCore(mosquitto.port) as core, patient as g:
        await g.outbox.record(300)
        await until(settled(g, 300))
        assert core.applied[EPOCH] == list(range(1, 301))
        assert core.gaps == 0
        assert g.uplink.state.mqtt_version == version
        assert {result.status for result in g.outbox.results.values()} == {"accepted"}
        assert len(g.outbox.results) == 300


async def test_records_made_while_the_core_is_away_wait_and_arrive(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with Gateway(mosquitto.port) as g:
        await g.outbox.record(200)
        await until(lambda: any(a.code == "core_silent" and a.raised for a in g.alarms))
        assert g.outbox.high_water == 0
        async with StrictCore(mosquitto.port) as core:
            await until(settled(g, 200))
            assert core.applied[EPOCH] == list(range(1, 201))
        assert any(a.code == "core_silent" and not a.raised for a in g.alarms)


async def test_core_that_lost_its_last_hour_gets_it_again(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    core = StrictCore(mosquitto.port)
    async with Gateway(mosquitto.port) as g:
        async with core:
            await g.outbox.record(100)
            await until(settled(g, 100))
        core.lose(keep=40)
        async with core:
            await until(lambda: core.high_water() == 100)
            await g.outbox.record(5)
            await until(settled(g, 105))
        assert core.applied[EPOCH] == list(range(1, 106))


async def test_core_that_misses_a_record_asks_and_gets_it(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with StrictCore(mosquitto.port) as core, Gateway(mosquitto.port) as g:
        await g.outbox.record(20)
        await until(settled(g, 20))
        core.lose(keep=7)  # and says no hello
        await g.outbox.record(1)
        await until(lambda: core.high_water() == 21)
        assert core.gaps >= 1
        assert g.counts["uplink_replays"] >= 1


async def test_broker_stopped_and_started_loses_nothing(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with StrictCore(mosquitto.port) as core, Gateway(mosquitto.port) as g:
        await g.outbox.record(50)
        await until(settled(g, 50))
        mosquitto.stop()
        await until(lambda: not g.uplink.state.connected)
        await g.outbox.record(50)
        await mosquitto.start()
        await until(settled(g, 100))
        assert core.applied[EPOCH] == list(range(1, 101))


async def test_cuts_in_mid_flight_lose_and_double_nothing(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with (
        FaultProxy(mosquitto.port) as proxy,
        StrictCore(mosquitto.port) as core,
        Gateway(proxy.port) as g,
    ):
        for _ in range(5):
            await g.outbox.record(100)
            await until(lambda: core.high_water() > g.outbox.high_water)
            proxy.cut()
        await until(settled(g, 500))
        assert core.applied[EPOCH] == list(range(1, 501))


async def test_new_epoch_begins_when_the_core_holds_more_than_the_ledger(
    mosquitto: Mosquitto,
) -> None:
    await mosquitto.start()
    core = StrictCore(mosquitto.port)
    core.applied[EPOCH] = list(range(1, 41))
    async with core, Gateway(mosquitto.port) as g:
        await until(lambda: g.outbox.epoch == NEXT_EPOCH and g.outbox.high_water == 1)
        assert core.applied == {EPOCH: list(range(1, 41)), NEXT_EPOCH: [1]}
        assert any(a.code == "ledger_went_back" and a.severity == "critical" for a in g.alarms)


async def test_new_epoch_for_which_there_is_no_space_is_tried_again(
    mosquitto: Mosquitto,
) -> None:
    await mosquitto.start()
    core = StrictCore(mosquitto.port)
    core.applied[EPOCH] = list(range(1, 41))
    g = Gateway(mosquitto.port)
    tries: list[int] = []
    begin = g.uplink._house.restored

    async def restored() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise LinkError("no space left")
        await begin()

    object.__setattr__(g.uplink._house, "restored", restored)
    async with core, g:
        await until(lambda: g.outbox.epoch == NEXT_EPOCH)
    assert len(tries) == 2


async def test_pruned_records_are_asked_for_as_a_snapshot(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with StrictCore(mosquitto.port) as core, Gateway(mosquitto.port) as g:
        await g.outbox.record(30)
        await until(settled(g, 30))
        g.outbox.first_kept = 21
        await core.say("hello/core", {"epoch": EPOCH, "hw": 5})
        await until(lambda: g.snapshots == 1)
        await until(lambda: core.hellos[-1]["first_kept"] == 21)
        assert core.hellos[-1]["last"] == 30


async def test_record_too_large_for_the_broker_does_not_stop_those_behind_it(
    mosquitto: Mosquitto,
) -> None:
    await mosquitto.start("allow_anonymous true", "max_packet_size 20000")
    async with StrictCore(mosquitto.port) as core, Gateway(mosquitto.port) as g:
        await g.outbox.record(3)
        await g.outbox.record(1, filler=30_000)
        await g.outbox.record(3)
        await until(settled(g, 7))
        assert core.applied[EPOCH] == list(range(1, 8))
        assert core.types[3] == "shelfgate.withheld.v1"
        assert g.outbox.results[4].status == "rejected"
        assert [a.code for a in g.alarms if a.severity == "critical"] == ["record_withheld"]
        assert g.counts["uplink_records_withheld"] >= 1


async def test_broker_that_forbids_events_is_named_and_retried(mosquitto: Mosquitto) -> None:
    acl = mosquitto.folder / "acl"
    rules = f"topic readwrite {BASE}/#\n"
    acl.write_text(f"{rules}topic deny {BASE}/event\n")
    await mosquitto.start("allow_anonymous true", f"acl_file {acl}")
    async with StrictCore(mosquitto.port) as core, Gateway(mosquitto.port) as g:
        await g.outbox.record(5)
        await until(lambda: any(a.code == "uplink_refused" for a in g.alarms))
        assert "Not authorized" in next(a for a in g.alarms if a.code == "uplink_refused").text
        assert core.high_water() == 0
        acl.write_text(rules)
        mosquitto.reload()
        await until(settled(g, 5))
        assert core.applied[EPOCH] == [1, 2, 3, 4, 5]
        assert any(a.code == "uplink_refused" and not a.raised for a in g.alarms)


async def test_broker_settles_by_its_word_when_told_so(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with listening(mosquitto.port) as heard, Gateway(mosquitto.port, settle="broker") as g:
        await g.outbox.record(100)
        await until(settled(g, 100))
        await until(lambda: heard.qsize() >= 100)
        assert g.outbox.results == {}


async def test_broker_word_does_not_settle_what_nobody_hears(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with Gateway(mosquitto.port, settle="broker") as g:
        await g.outbox.record(3)
        await until(lambda: g.counts.get("uplink_nobody_listens", 0) >= 1)
        assert g.outbox.high_water == 0
        async with listening(mosquitto.port):
            await until(settled(g, 3))


async def test_missing_results_are_asked_for(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with StrictCore(mosquitto.port) as core, Gateway(mosquitto.port) as g:
        core.silent_results = True
        await g.outbox.record(4)
        await until(settled(g, 4))
        await until(lambda: core.asked)
        assert core.asked[0]["command"] == "results-from"
        assert core.asked[0]["args"] == {"epoch": EPOCH, "seq": 1}


async def test_bad_payloads_are_counted_and_do_no_harm(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with StrictCore(mosquitto.port) as core, Gateway(mosquitto.port) as g:
        await until(lambda: core.hellos)
        for path in ("ack", "hello/core", "cmd/request", "item/A"):
            await core.say(path, b"\xff{nonsense")
            await core.say(path, [1, 2])
        await core.say("ack", {"epoch": EPOCH, "hw": 99, "results": []})
        await core.say("ack", {"epoch": NEXT_EPOCH, "hw": 0, "results": []})
        await until(lambda: g.counts.get("uplink_payloads_bad") == 8)
        await until(lambda: g.counts.get("uplink_epoch_foreign") == 1)
        await g.outbox.record(3)
        await until(settled(g, 3))
        assert core.applied == {EPOCH: [1, 2, 3]}
        assert g.counts["uplink_connects"] == 1


async def test_references_are_learned_from_retained_topics(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with StrictCore(mosquitto.port) as core:
        item = {"code": "M6/NUT+", "version": 3, "unit_mg": 10000, "epc_prefixes": ["30ab"]}
        task = {
            "task_id": "ASN-1",
            "version": 1,
            "type": "expected",
            "portal": "dock",
            "direction": "in",
            "epcs": ["30ab01"],
        }
        await core.say("item/M6%2FNUT%2B", item, retain=True)
        await core.say("location/shelf-1%2F3", {"code": "shelf-1/3", "version": 1}, retain=True)
        await core.say("task/ASN-1", task, retain=True)
        async with Gateway(mosquitto.port) as g:
            await until(lambda: len(g.learned) == 3)
            assert Item("M6/NUT+", unit_mg=10000, epc_prefixes=("30ab",), version=3) in g.learned
            assert Location("shelf-1/3", version=1) in g.learned
            assert ExpectedSet("ASN-1", "dock", "in", frozenset({"30ab01"}), 1) in g.learned
            await core.say("task/ASN-1", b"", retain=True)
            await until(lambda: ReferenceDeleted("task", "ASN-1") in g.learned)


async def test_task_is_learned_and_a_malformed_one_is_refused_by_name(
    mosquitto: Mosquitto,
) -> None:
    await mosquitto.start()
    task = {
        "task_id": "T 1",
        "version": 1,
        "type": "issue",
        "order": {"system": "erp", "type": "so", "number": "4711", "line": "10"},
        "item": "M6",
        "quantity": 4,
        "from": {"location": "shelf-1/3"},
    }
    async with (
        StrictCore(mosquitto.port) as core,
        listening(mosquitto.port, f"{BASE}/cmd/response") as heard,
        Gateway(mosquitto.port) as g,
    ):
        await core.say("task/T%201", task, retain=True)
        await until(lambda: len(g.learned) == 1)
        await core.say("task/T%201", task | {"version": 2, "quantity": 0}, retain=True)
        assert json.loads((await heard.get())[1]) == {
            "topic": "task/T%201",
            "ok": False,
            "error": "quantity: an integer from 1 is wanted",
        }
        order = OrderReference("erp", "so", "4711", "10")
        assert g.learned == [Task("T 1", "issue", order, "M6", 4, "shelf-1/3", version=1)]
        await core.say("cmd/request", {"command": "tare"})
        assert json.loads((await heard.get())[1]) == {
            "topic": "cmd/request",
            "ok": False,
            "error": "id: a string is wanted",
        }


async def test_command_is_carried_out_once_and_answered_each_time(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with (
        StrictCore(mosquitto.port) as core,
        listening(mosquitto.port, f"{BASE}/cmd/response") as heard,
        Gateway(mosquitto.port) as g,
    ):
        await until(lambda: core.hellos)
        request = {"id": "ops-1", "command": "tare", "args": {"cell": "shelf-1:3"}}
        await core.say("cmd/request", request)
        await core.say("cmd/request", request)
        await core.say("cmd/request", {"id": "ops-2", "command": "rm -rf", "args": {}})
        answers = [json.loads((await heard.get())[1]) for _ in range(3)]
        assert answers.count({"id": "ops-1", "ok": True}) == 2
        assert next(a for a in answers if a["id"] == "ops-2")["ok"] is False
        assert g.tares == ["{'cell': 'shelf-1:3'}"]


async def test_retained_command_is_never_carried_out(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with StrictCore(mosquitto.port) as core:
        request = {"id": "old", "command": "tare", "args": {}}
        await core.say("cmd/request", request, retain=True)
        async with Gateway(mosquitto.port) as g:
            await until(lambda: g.counts.get("uplink_messages_ignored") == 1)
            assert g.tares == []


async def test_status_and_state_are_retained_and_the_will_says_offline(
    mosquitto: Mosquitto,
) -> None:
    await mosquitto.start()
    async with FaultProxy(mosquitto.port) as proxy, Gateway(proxy.port) as g:
        g.uplink.publish_state(g.uplink.topics.stock("shelf 1/3", "M6"), b'{"quantity":1}')
        g.uplink.publish_state(g.uplink.topics.stock("shelf 1/3", "M6"), b'{"quantity":2}')
        async with listening(mosquitto.port) as heard:
            seen: dict[str, bytes] = {}
            while len(seen) < 3:
                topic, payload = await heard.get()
                if topic.rpartition("/")[2] in ("status", "health", "M6"):
                    seen[topic] = payload
            assert seen[f"{BASE}/stock/shelf%201%2F3/M6"] == b'{"quantity":2}'
            assert json.loads(seen[f"{BASE}/status"])["state"] == "online"
            assert json.loads(seen[f"{BASE}/health"]) == {"last": 0}
            proxy.refuse = True
            proxy.cut()
            async with asyncio.timeout(10):
                while json.loads(payload).get("state") != "offline":
                    topic, payload = await heard.get()
        assert topic == f"{BASE}/status"


async def test_state_is_told_again_to_a_broker_that_forgot_it(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with Gateway(mosquitto.port) as g:
        g.uplink.publish_state(f"{BASE}/stock/a/b", b"7")
        async with listening(mosquitto.port, f"{BASE}/stock/+/+") as heard:
            assert await heard.get() == (f"{BASE}/stock/a/b", b"7")
        mosquitto.stop()
        await until(lambda: not g.uplink.state.connected)
        await mosquitto.start()
        async with listening(mosquitto.port, f"{BASE}/stock/+/+") as heard:
            assert await heard.get() == (f"{BASE}/stock/a/b", b"7")


async def test_stop_says_offline(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with listening(mosquitto.port, f"{BASE}/status") as heard:
        async with Gateway(mosquitto.port):
            assert json.loads((await heard.get())[1])["state"] == "online"
        assert json.loads((await heard.get())[1])["state"] == "offline"


async def test_ack_is_given_back_to_the_broker_only_after_our_commit(mosquitto: Mosquitto) -> None:
    await mosquitto.start()
    async with (
        FaultProxy(mosquitto.port) as proxy,
        StrictCore(mosquitto.port) as core,
        Gateway(proxy.port) as g,
    ):
        await until(lambda: core.hellos)
        g.outbox.delay_s = 3600
        await g.outbox.record(1)
        await until(lambda: g.outbox.commits_begun == 1)
        core.mute = True  # nothing but the broker's own copy can settle it now
        proxy.cut()
        g.outbox.delay_s = 0
        await until(settled(g, 1))
        assert g.outbox.commits_begun == 2
