"""Order, numbers and acknowledgements."""

from typing import Any

from tests.conformance.gateway import FakeGateway
from tests.conformance.records import (
    AT,
    BLOCKED,
    amendment,
    digest,
    dismissal,
    epoch_of,
    movement,
    proposed,
    snapshot,
)
from tests.conformance.rig import Rig


async def in_order(rig: Rig) -> None:
    """Records in order are booked, each once."""
    async with rig.gateway("in-order") as gateway:
        epoch = epoch_of("in-order")
        await gateway.send(epoch, *range(1, 21))
        await gateway.settled(epoch, 20)
        gateway.judge_documents(epoch, set(range(1, 21)))


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


async def gap_from_the_start(rig: Rig) -> None:
    """An epoch that is not known begins at 1, whatever comes first."""
    async with rig.gateway("start") as gateway:
        epoch = epoch_of("start")
        await gateway.send(epoch, 5)
        await _replay_asked(gateway, epoch, 1)
        gateway.judge(gateway.hw(epoch) == 0, f"acknowledged {gateway.hw(epoch)}, not 0")


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


async def amendments(rig: Rig) -> None:
    """What is known later of a movement is taken once, whether the movement was taken or not."""
    async with rig.gateway("amended") as gateway:
        epoch = epoch_of("amended")
        pieces = {"amends_movement": f"{epoch}-1", "epcs": ["30340a", "30340b"]}
        records = [
            movement("amended", epoch, 1, quantity=2),
            amendment("amended", epoch, 2, **pieces),
            amendment("amended", epoch, 3, reason="clock", amends_seq=1, at_event_wall=AT),
            movement("amended", epoch, 4, item=BLOCKED),
            amendment("amended", epoch, 5, **pieces | {"amends_movement": f"{epoch}-4"}),
            amendment("amended", epoch, 6, amends_seq=1, epcs=[]),
            amendment("amended", epoch, 7, reason="lot", amends_movement=f"{epoch}-1", lot="L7"),
        ]
        for record in records:
            await gateway.send_record(record)
        await gateway.settled(epoch, 7)
        await gateway.send_record(records[1])
        await gateway.until(lambda: len(gateway.outcomes(epoch, 2)) == 2, "its duplicate")
        told = [gateway.outcomes(epoch, seq) for seq in range(1, 8)]
        wanted = [
            "accepted",
            "accepted",
            "accepted",
            "rejected",
            "accepted",
            "rejected",
            "accepted",
        ]
        gateway.judge([each[0] for each in told] == wanted, f"amendments were {told}")
        gateway.judge(told[1][1] == "duplicate", f"2 came twice and was {told[1]}")
        gateway.judge_documents(epoch, {1, 2, 3, 5, 7})


async def proposals(rig: Rig) -> None:
    """A proposal is taken, and so are what it comes to and what closes it, each once."""
    async with rig.gateway("proposing") as gateway:
        epoch = epoch_of("proposing")
        code = f"{epoch}-1"
        records = [
            proposed("proposing", epoch, 1),
            movement("proposing", epoch, 2, kind="adjustment", supersedes=code, actor="eva"),
            dismissal("proposing", epoch, 3, reason="approved", actor="eva"),
            proposed("proposing", epoch, 4, kind="reconcile", lines=[]),
            dismissal("proposing", epoch, 5, unresolved_id=f"{epoch}-4", reason="outdated"),
            proposed("proposing", epoch, 6, kind="wish"),
        ]
        for record in records:
            await gateway.send_record(record)
        await gateway.settled(epoch, 6)
        told = [gateway.outcomes(epoch, seq) for seq in range(1, 7)]
        wanted = [["accepted"]] * 5 + [["rejected"]]
        gateway.judge(told == wanted, f"proposals were {told}")


async def digests(rig: Rig) -> None:
    """Where a digest differs from the core's book of then, the core says what that has."""
    async with rig.gateway("digested") as gateway:
        epoch = epoch_of("digested")
        records = [
            movement("digested", epoch, 1, quantity=5),
            digest("digested", epoch, 2, {"M6-NUT": 5}),
            snapshot("digested", epoch, 3, reason="daily"),
            digest("digested", epoch, 4, {"M6-NUT": 4}),
            movement("digested", epoch, 5, quantity=2),
        ]
        for record in records:
            await gateway.send_record(record)
        await gateway.settled(epoch, 5)
        gateway.judge_documents(epoch, set(range(1, 6)))
        asked: list[Any] = []

        def told() -> bool:
            asked[:] = [each for each in gateway.requests if each["command"] == "reconcile"]
            return bool(asked)

        await gateway.until(told, "what the core's book has")
        place = {"location": "shelf-digested", "epoch": epoch, "seq": 4}
        wanted = place | {"lines": [{"item": "M6-NUT", "quantity": 5}]}
        gateway.judge([each["args"] for each in asked] == [wanted], f"asked {asked}")


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


async def _replay_asked(gateway: FakeGateway, epoch: str, seq: int) -> None:
    await gateway.until(
        lambda: any(
            request["command"] == "replay-from" and request["args"] == {"epoch": epoch, "seq": seq}
            for request in gateway.requests
        ),
        f"a request to replay from {seq}",
    )


CASES = (
    in_order,
    ack_is_cumulative,
    duplicate,
    conflict,
    gap,
    gap_from_the_start,
    out_of_order,
    two_gateways,
    new_epoch,
    pruned_records,
    amendments,
    proposals,
    digests,
    results_from,
)
