"""A core that dies, comes back, and comes back as it was long ago."""

import asyncio
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tests.conformance.gateway import FakeGateway
from tests.conformance.records import epoch_of
from tests.conformance.rig import Rig

KILLS = 3
RECORDS = 150
WINDOW = 20


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


CASES = (lost_ack, core_restarts, lost_hour, killed_at_random)
