"""Records that cannot be taken, and payloads that are none."""

import json

from tests.conformance.records import (
    BLOCKED,
    acknowledgement,
    alert,
    confirmation,
    encode,
    envelope,
    epoch_of,
    movement,
    snapshot,
)
from tests.conformance.rig import SITE, Rig


async def wrong_leaf_hash(rig: Rig) -> None:
    """A record that its leafhash does not fit is rejected, and the next one is taken."""
    async with rig.gateway("leaf") as gateway:
        epoch = epoch_of("leaf")
        await gateway.send_record(movement("leaf", epoch, 1), leafhash="0" * 64)
        await gateway.send(epoch, 2)
        await gateway.settled(epoch, 2)
        gateway.judge(gateway.outcomes(epoch, 1) == ["rejected"], f"{gateway.outcomes(epoch, 1)}")
        gateway.judge_documents(epoch, {2})


async def rejected(rig: Rig) -> None:
    """A record against a rule of the core is rejected with a reason, and does not block."""
    async with rig.gateway("rejected") as gateway:
        epoch = epoch_of("rejected")
        await gateway.send(epoch, 1, item=BLOCKED)
        await gateway.send(epoch, 2)
        await gateway.settled(epoch, 2)
        results = [each for each in gateway.results(epoch) if each["seq"] == 1]
        gateway.judge([each["status"] for each in results] == ["rejected"], f"{results}")
        gateway.judge(bool(results[0].get("reason")), "rejected without a reason")
        await gateway.send(epoch, 1, item=BLOCKED)
        await gateway.until(lambda: len(gateway.outcomes(epoch, 1)) == 2, "its duplicate")
        again = [each for each in gateway.results(epoch) if each["seq"] == 1][-1]
        gateway.judge(again["status"] == "duplicate", f"again: {again}")
        gateway.judge(bool(again.get("reason")), "a rejected one's duplicate tells no reason")
        await gateway.send(epoch, 3, supersedes=f"{epoch}-1")
        await gateway.settled(epoch, 3)
        gateway.judge_documents(epoch, {2, 3})


async def invalid_payload(rig: Rig) -> None:
    """Records against the schema are rejected one by one."""
    async with rig.gateway("invalid") as gateway:
        epoch = epoch_of("invalid")
        good = [movement("invalid", epoch, seq) for seq in range(1, 8)]
        await gateway.send_record(good[0] | {"quantity": -1})
        await gateway.send_record(good[1] | {"kind": "theft"})
        await gateway.send_record(good[2] | {"surprise": 1})
        await gateway.send_record({k: v for k, v in good[3].items() if k != "item"})
        await gateway.send_record(good[4], type="shelfgate.rumour.v1")
        await gateway.send_record(good[5], subject=[])
        await gateway.send_record(good[6])
        await gateway.settled(epoch, 7)
        for seq in range(1, 7):
            outcomes = gateway.outcomes(epoch, seq)
            gateway.judge(outcomes == ["rejected"], f"{seq} was {outcomes}")
        gateway.judge_documents(epoch, {7})


async def task_confirmations(rig: Rig) -> None:
    """What became of a task is taken as any record is; one against the schema is rejected."""
    async with rig.gateway("tasks") as gateway:
        epoch = epoch_of("tasks")
        good = [
            confirmation("tasks", epoch, seq, task=f"{epoch}-{seq}", movement_ids=[f"{epoch}-1"])
            for seq in range(2, 7)
        ]
        short = {"quantity_done": 3, "quantity_difference": -1, "exception": "SHORT"}
        await gateway.send(epoch, 1)
        await gateway.send_record(good[0])
        await gateway.send_record(good[1] | {"state": "short"} | short)
        await gateway.send_record(good[2] | {"state": "perhaps"})
        await gateway.send_record(good[3] | {"exception": "TIRED"})
        await gateway.send_record({k: v for k, v in good[4].items() if k != "quantity_done"})
        await gateway.send(epoch, 7)
        await gateway.settled(epoch, 7)
        for seq in range(4, 7):
            outcomes = gateway.outcomes(epoch, seq)
            gateway.judge(outcomes == ["rejected"], f"{seq} was {outcomes}")
        await gateway.send_record(good[0])
        await gateway.until(lambda: len(gateway.outcomes(epoch, 2)) == 2, "its duplicate")
        outcomes = gateway.outcomes(epoch, 2)
        gateway.judge(outcomes == ["accepted", "duplicate"], f"confirmation was {outcomes}")
        gateway.judge_documents(epoch, {1, 2, 3, 7})


async def acknowledgements(rig: Rig) -> None:
    """Who sees to an alert is taken, of one that stands or not; one without a name is rejected."""
    async with rig.gateway("seen") as gateway:
        epoch = epoch_of("seen")
        nobody = acknowledgement("seen", epoch, 4)
        del nobody["actor"]
        for record in (
            alert("seen", epoch, 1),
            acknowledgement("seen", epoch, 2, note="counting it tonight"),
            alert("seen", epoch, 3, raised=False),
            nobody,
            acknowledgement("seen", epoch, 5),
        ):
            await gateway.send_record(record)
        await gateway.settled(epoch, 5)
        told = [gateway.outcomes(epoch, seq)[0] for seq in range(1, 6)]
        wanted = ["accepted", "accepted", "accepted", "rejected", "accepted"]
        gateway.judge(told == wanted, f"they were {told}")


async def unreadable_payload(rig: Rig) -> None:
    """A payload that names no record is dropped: nothing is acknowledged, and the core lives."""
    async with rig.gateway("unreadable") as gateway:
        epoch = epoch_of("unreadable")
        record = envelope(SITE, movement("unreadable", epoch, 1))
        fraction = json.dumps(record).replace('"quantity": 1', '"quantity": 1.0')
        for payload in (
            b"",
            b"\xff\xfe",
            b"{",
            b"[]",
            b"null",
            b'{"id": 3, "data": []}',
            b"[" * 100_000,
            b"1" * 10_000,
            fraction.encode(),
            json.dumps(record | {"subject": "\ud800"}).encode(),
            encode(record)[:-1] + b',"subject":"twice"}',
            encode(record | {"subject": "x" * 300_000}),
        ):
            await gateway.send_raw(payload)
        for seq in (1, 2):
            await gateway.send(epoch, seq)
            await gateway.settled(epoch, seq)
        gateway.judge(gateway.outcomes(epoch, 1) == ["accepted"], f"{gateway.outcomes(epoch, 1)}")


async def bulk_goods_and_lots(rig: Rig) -> None:
    """Grams of a lot are booked as they are told; no lot and no amount are rejected by name."""
    async with rig.gateway("bulk") as gateway:
        epoch = epoch_of("bulk")
        poured = {"item": "GRANULATE", "quantity": 12_500, "uom": "g", "lot": "L-2026-11"}
        good = [movement("bulk", epoch, seq, **poured) for seq in range(1, 6)]
        await gateway.send_record(good[0])
        await gateway.send_record(good[1] | {"quantity": "12.500", "uom": "kg"})
        await gateway.send_record(good[2] | {"lot": ""})
        await gateway.send_record(good[3] | {"quantity": "0.000", "uom": "kg"})
        lines = [{"item": "GRANULATE", "quantity": 12_500, "uom": "g", "epcs": []}]
        await gateway.send_record(snapshot("bulk", epoch, 5, lines=lines))
        await gateway.settled(epoch, 5)
        for seq in (3, 4):
            results = [each for each in gateway.results(epoch) if each["seq"] == seq]
            gateway.judge([each["status"] for each in results] == ["rejected"], f"{results}")
            gateway.judge(bool(results[0].get("reason")), "rejected without a reason")
        gateway.judge_documents(epoch, {1, 2, 5})


async def foreign_gateway(rig: Rig) -> None:
    """A record of another gateway on this one's topic is rejected, and books nothing there."""
    async with rig.gateway("foreign") as gateway, rig.gateway("victim") as victim:
        epoch = epoch_of("foreign")
        await gateway.send_record(movement("victim", epoch, 1))
        await gateway.settled(epoch, 1)
        gateway.judge(gateway.outcomes(epoch, 1) == ["rejected"], f"{gateway.outcomes(epoch, 1)}")
        hello = await victim.say_hello(epoch, 0)
        victim.judge(hello["hw"] == 0, f"hw of the victim is {hello['hw']}")


CASES = (
    wrong_leaf_hash,
    rejected,
    invalid_payload,
    task_confirmations,
    acknowledgements,
    unreadable_payload,
    bulk_goods_and_lots,
    foreign_gateway,
)
