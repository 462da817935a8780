"""What any inventory core must do, as cases: NonconformityError where the core does not.

Each case takes gateways and epochs of its own, so that all may run against one core.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tests.conformance.gateway import FakeGateway
from tests.conformance.records import BLOCKED, encode, envelope, epoch_of, movement, snapshot
from tests.conformance.rig import SITE, Rig

Case = Callable[[Rig], Awaitable[None]]
CASES: dict[str, Case] = {}

KILLS = 3
RECORDS = 150
WINDOW = 20


def case(function: Case) -> Case:
    """Enter a case under its name."""
    CASES[function.__name__] = function
    return function


@case
async def in_order(rig: Rig) -> None:
    """Records in order are booked, each once."""
    async with rig.gateway("in-order") as gateway:
        epoch = epoch_of("in-order")
        await gateway.send(epoch, *range(1, 21))
        await gateway.settled(epoch, 20)
        gateway.judge_documents(epoch, set(range(1, 21)))


@case
async def ack_is_cumulative(rig: Rig) -> None:
    """hw never falls, never passes what was sent, and covers every result."""
    async with rig.gateway("cumulative") as gateway:
        epoch = epoch_of("cumulative")
        for sent in (1, 2, 3):
            await gateway.send(epoch, sent)
            await gateway.settled(epoch, sent)
        await gateway.send(epoch, *range(4, 31))
        await gateway.settled(epoch, 30)
        marks = [ack["hw"] for ack in gateway.acks]
        gateway.judge(marks == sorted(marks), f"hw fell: {marks}")
        for ack in gateway.acks:
            seqs = [result["seq"] for result in ack["results"]]
            gateway.judge(max(seqs, default=0) <= ack["hw"], f"results beyond hw: {ack}")


@case
async def duplicate(rig: Rig) -> None:
    """A record that comes again is said to be a duplicate, and not booked again."""
    async with rig.gateway("duplicate") as gateway:
        epoch = epoch_of("duplicate")
        await gateway.send(epoch, 1, 2)
        await gateway.settled(epoch, 2)
        await gateway.send(epoch, 1, 2, 1)
        await gateway.until(lambda: len(gateway.results(epoch)) == 5, "results of duplicates")
        gateway.judge(
            gateway.outcomes(epoch, 1) == ["accepted", "duplicate", "duplicate"],
            f"1 was {gateway.outcomes(epoch, 1)}",
        )
        gateway.judge_documents(epoch, {1, 2})
        gateway.judge(gateway.acks[-1]["hw"] == 2, f"hw is {gateway.acks[-1]['hw']}")


@case
async def conflict(rig: Rig) -> None:
    """Another record under a seq that was taken is a conflict, and the first one stands."""
    async with rig.gateway("conflict") as gateway:
        epoch = epoch_of("conflict")
        await gateway.send(epoch, 1)
        await gateway.settled(epoch, 1)
        await gateway.send(epoch, 1, quantity=99)
        await gateway.until(lambda: "conflict" in gateway.outcomes(epoch, 1), "a conflict")
        await gateway.send(epoch, 1)
        await gateway.until(lambda: "duplicate" in gateway.outcomes(epoch, 1), "a duplicate")
        gateway.judge_documents(epoch, {1})


@case
async def gap(rig: Rig) -> None:
    """A record too early is not acknowledged; the core asks for what is missing."""
    async with rig.gateway("gap") as gateway:
        epoch = epoch_of("gap")
        await gateway.send(epoch, 1, 3)
        await _replay_asked(gateway, epoch, 2)
        gateway.judge(gateway.hw(epoch) == 1, f"acknowledged {gateway.hw(epoch)}, not 1")
        await gateway.send(epoch, 2, 3)
        await gateway.settled(epoch, 3)
        gateway.judge_documents(epoch, {1, 2, 3})


@case
async def gap_from_the_start(rig: Rig) -> None:
    """An epoch that is not known begins at 1, whatever comes first."""
    async with rig.gateway("start") as gateway:
        epoch = epoch_of("start")
        await gateway.send(epoch, 5)
        await _replay_asked(gateway, epoch, 1)
        gateway.judge(gateway.hw(epoch) == 0, f"acknowledged {gateway.hw(epoch)}, not 0")


@case
async def out_of_order(rig: Rig) -> None:
    """Records in the wrong order are not booked in the wrong order."""
    async with rig.gateway("disorder") as gateway:
        epoch = epoch_of("disorder")
        await gateway.send(epoch, 3, 2, 1)
        await gateway.until(lambda: gateway.requests, "a request to replay")
        await gateway.send(epoch, 1, 2, 3, 4)
        await gateway.settled(epoch, 4)
        gateway.judge_documents(epoch, {1, 2, 3, 4})
        first = [each["seq"] for each in gateway.results(epoch) if each["status"] == "accepted"]
        gateway.judge(first == [1, 2, 3, 4], f"booked in the order {first}")


@case
async def wrong_leaf_hash(rig: Rig) -> None:
    """A record that its leafhash does not fit is rejected, and the next one is taken."""
    async with rig.gateway("leaf") as gateway:
        epoch = epoch_of("leaf")
        await gateway.send_record(movement("leaf", epoch, 1), leafhash="0" * 64)
        await gateway.send(epoch, 2)
        await gateway.settled(epoch, 2)
        gateway.judge(gateway.outcomes(epoch, 1) == ["rejected"], f"{gateway.outcomes(epoch, 1)}")
        gateway.judge_documents(epoch, {2})


@case
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


@case
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


@case
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


@case
async def foreign_gateway(rig: Rig) -> None:
    """A record of another gateway on this one's topic is rejected, and books nothing there."""
    async with rig.gateway("foreign") as gateway, rig.gateway("victim") as victim:
        epoch = epoch_of("foreign")
        await gateway.send_record(movement("victim", epoch, 1))
        await gateway.settled(epoch, 1)
        gateway.judge(gateway.outcomes(epoch, 1) == ["rejected"], f"{gateway.outcomes(epoch, 1)}")
        hello = await victim.say_hello(epoch, 0)
        victim.judge(hello["hw"] == 0, f"hw of the victim is {hello['hw']}")


@case
async def two_gateways(rig: Rig) -> None:
    """Two gateways' numbers do not mix, be their epochs the same."""
    async with rig.gateway("left") as left, rig.gateway("right") as right:
        epoch = epoch_of("two")
        await left.send(epoch, 1, 2, movement_id="left-1")
        await right.send(epoch, 1)
        await left.send(epoch, 3)
        await left.settled(epoch, 3)
        await right.settled(epoch, 1)
        right.judge(right.outcomes(epoch, 1) == ["accepted"], f"{right.outcomes(epoch, 1)}")


@case
async def new_epoch(rig: Rig) -> None:
    """A new epoch starts at 0, and the old one stays as it was."""
    async with rig.gateway("epochs") as gateway:
        old, new = epoch_of("old"), epoch_of("new")
        await gateway.send(old, 1, 2, 3)
        await gateway.settled(old, 3)
        hello = await gateway.say_hello(new, 2)
        gateway.judge(hello["hw"] == 0, f"a new epoch starts at {hello['hw']}")
        await gateway.send(new, 1, 2)
        await gateway.settled(new, 2)
        hello = await gateway.say_hello(old, 3)
        gateway.judge(hello["hw"] == 3, f"the old epoch is at {hello['hw']}")
        gateway.judge_documents(new, {1, 2})


@case
async def pruned_records(rig: Rig) -> None:
    """Records that are gone at the gateway are passed over, and a snapshot is asked for."""
    async with rig.gateway("pruned") as gateway:
        epoch = epoch_of("pruned")
        await gateway.send(epoch, 1, 2)
        await gateway.settled(epoch, 2)
        hello = await gateway.say_hello(epoch, 8, first_kept=6)
        gateway.judge(hello["hw"] == 5, f"hw is {hello['hw']}")
        await gateway.until(
            lambda: any(request["command"] == "snapshot" for request in gateway.requests),
            "a request for a snapshot",
        )
        await gateway.send(epoch, 6, 7)
        await gateway.send_record(snapshot("pruned", epoch, 8))
        await gateway.settled(epoch, 8)
        gateway.judge_documents(epoch, {1, 2, 6, 7, 8})


@case
async def results_from(rig: Rig) -> None:
    """Results can be asked for again, as they were first given."""
    async with rig.gateway("results") as gateway:
        epoch = epoch_of("results")
        await gateway.send(epoch, 1, 2)
        await gateway.send(epoch, 3, item=BLOCKED)
        await gateway.send(epoch, 4, 5)
        await gateway.settled(epoch, 5)
        given = [each for each in gateway.results(epoch) if each["seq"] >= 2]
        heard = len(gateway.acks)
        await gateway.ask_results(epoch, 2)
        await gateway.until(lambda: len(gateway.results(epoch, heard)) >= 4, "results 2 to 5")
        again = gateway.results(epoch, heard)
        gateway.judge(again == given, f"given {given}, and again {again}")
        other = epoch_of("results of nobody")
        await gateway.ask_results(other, 1)
        await gateway.until(lambda: gateway.acks[-1]["epoch"] == other, "an ack of nothing")
        gateway.judge(gateway.acks[-1] == {"epoch": other, "hw": 0, "results": []}, "not nothing")


@case
async def lost_ack(rig: Rig) -> None:
    """The core dies after its commit and before its ack arrived: nothing is booked twice."""
    epoch = epoch_of("lost ack")
    async with rig.gateway("lost-ack") as witness:
        async with rig.gateway("lost-ack") as gateway:
            await gateway.send(epoch, 1, 2, 3)
        await witness.settled(epoch, 3)
        await rig.restart()
        async with rig.gateway("lost-ack") as gateway:
            hello = await gateway.say_hello(epoch, 3)
            gateway.judge(hello["hw"] == 3, f"hw after the restart is {hello['hw']}")
            await gateway.send(epoch, 1, 2, 3, 4)
            await gateway.settled(epoch, 4)
            gateway.judge(gateway.outcomes(epoch, 3) == ["duplicate"], f"{gateway.results(epoch)}")
        witness.judge_documents(epoch, {1, 2, 3, 4})


@case
async def core_restarts(rig: Rig) -> None:
    """A core that comes back says hello by itself, and goes on where it was."""
    epoch = epoch_of("restart")
    async with rig.gateway("restart") as gateway:
        await gateway.send(epoch, 1, 2)
        await gateway.settled(epoch, 2)
        await rig.kill()
        await gateway.send(epoch, 3)
        await rig.start()
        await gateway.until(
            lambda: {"epoch": epoch, "hw": 2} in gateway.hellos, "hello of the core that came back"
        )
        await gateway.send(epoch, 3)
        await gateway.settled(epoch, 3)
        gateway.judge_documents(epoch, {1, 2, 3})


@case
async def lost_hour(rig: Rig) -> None:
    """A core set back to a backup says so in its hello, and takes again what it lost."""
    epoch = epoch_of("lost hour")
    async with rig.gateway("lost-hour") as gateway:
        await gateway.send(epoch, *range(1, 11))
        await gateway.settled(epoch, 10)
        await rig.kill()
        with TemporaryDirectory() as folder:
            rig.save(Path(folder) / "backup")
            await rig.start()
            await gateway.send(epoch, *range(11, 16))
            await gateway.settled(epoch, 15)
            await rig.kill()
            rig.restore(Path(folder) / "backup")
        await rig.start()
        hello = await gateway.say_hello(epoch, 15)
        gateway.judge(hello["hw"] == 10, f"hw after the lost hour is {hello['hw']}")
        heard = len(gateway.acks)
        await gateway.send(epoch, *range(11, 16))
        await gateway.until(
            lambda: len(gateway.results(epoch, heard)) == 5, "results of the replay"
        )
        statuses = {each["status"] for each in gateway.results(epoch, heard)}
        gateway.judge(statuses == {"accepted"}, f"the replay was {statuses}")
        gateway.judge(gateway.acks[-1]["hw"] == 15, f"hw is {gateway.acks[-1]['hw']}")


@case
async def killed_at_random(rig: Rig) -> None:
    """Killed again and again under load, the core still books each record once."""
    epoch = epoch_of("random")
    random = Random(7)
    async with rig.gateway("random") as gateway:
        sending = asyncio.create_task(_send_until_settled(gateway, epoch, RECORDS))
        try:
            for kill in range(1, KILLS + 1):
                goal = random.randrange(
                    RECORDS * kill // (KILLS + 2), RECORDS * kill // (KILLS + 1)
                )
                await gateway.until(lambda goal=goal: gateway.hw(epoch) >= goal, "acks under load")
                await rig.restart()
            await sending
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        heard = len(gateway.acks)
        await gateway.ask_results(epoch, 1)
        await gateway.until(lambda: len(gateway.results(epoch, heard)) >= RECORDS, "all results")
        gateway.judge_documents(epoch, set(range(1, RECORDS + 1)))


async def _send_until_settled(gateway: FakeGateway, epoch: str, last: int) -> None:
    """Send a window from above hw, and again when the core came back without it."""
    while (hw := gateway.hw(epoch)) < last:
        window = range(hw + 1, min(hw + WINDOW, last) + 1)
        hellos = len(gateway.hellos)
        await gateway.send(epoch, *window)
        await gateway.until(
            lambda goal=window[-1], heard=hellos: (
                gateway.hw(epoch) >= goal or len(gateway.hellos) > heard
            ),
            "an ack, or hello of a core that came back",
        )


async def _replay_asked(gateway: FakeGateway, epoch: str, seq: int) -> None:
    await gateway.until(
        lambda: any(
            request["command"] == "replay-from" and request["args"] == {"epoch": epoch, "seq": seq}
            for request in gateway.requests
        ),
        f"a request to replay from {seq}",
    )
