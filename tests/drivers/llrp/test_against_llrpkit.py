"""Inventory against a reader that somebody else wrote: llrpkit's emulator."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from random import Random

import pytest
from llrpkit.emulator.core import EmulatedTag, LLRPEmulator
from llrpkit.protocol import LLRPMessage, enums, messages

from drivers.llrp import LlrpDriver
from drivers.llrp.settings import LightSettings, LlrpSettings
from gateway.model import DeviceFault, InputChange, ShowLight
from gateway.ports import DriverContext, LinkError
from tests.drivers.llrp.desk import Emitted
from tests.virtual_time import VirtualClock

EPCS = [bytes([0x30, 0x34, *range(9), number]) for number in range(40)]

pytestmark = pytest.mark.server


class Emulator(LLRPEmulator):
    """The emulator, mended where it leaves the standard.

    ENABLE_EVENTS_AND_REPORTS has no answer, DELETE_ROSPEC 0 means all, and an Immediate ROSpec
    becomes active when it is enabled.
    """

    async def _handle_message(self, msg: LLRPMessage) -> None:
        if isinstance(msg, messages.ENABLE_EVENTS_AND_REPORTS):
            return
        if isinstance(msg, messages.DELETE_ROSPEC) and msg.ro_spec_id == 0:
            self._rospecs.clear()
            self._sync_reporting()
            answer = messages.DELETE_ROSPEC_RESPONSE(llrp_status=self._status_ok())
            await self._send(answer, message_id=msg.message_id)
            return
        await super()._handle_message(msg)
        if isinstance(msg, messages.ENABLE_ROSPEC) and msg.ro_spec_id in self._rospecs:
            spec, _ = self._rospecs[msg.ro_spec_id]
            assert spec.ro_boundary_spec.ro_spec_start_trigger.ro_spec_start_trigger_type == (
                enums.ROSpecStartTriggerType.Immediate
            )
            self._rospecs[msg.ro_spec_id] = (spec, "Active")
            self._sync_reporting()


class Run:
    """The driver at work against an emulator."""

    def __init__(self, emulator: LLRPEmulator) -> None:
        self.emulator = emulator
        self.emitted = Emitted(VirtualClock())
        self.counts: dict[str, int] = {}
        context = DriverContext("dock", self.emitted.clock, Random(1), self.count)
        settings = LlrpSettings(
            host="127.0.0.1",
            port=emulator.port,
            antennas=(1, 2),
            gpi_ports=(1,),
            lights=(LightSettings(light="lamp-2", port=2),),
            keepalive_s=0.2,
        )
        self.driver = LlrpDriver(settings, context)
        self.task = asyncio.create_task(self.driver.run(self.emitted))

    def count(self, name: str, amount: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + amount

    async def until_reads(self, wanted: int) -> None:
        async with asyncio.timeout(10):
            while len(self.emitted.reads()) < wanted:
                assert not self.task.done(), self.task.exception()
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(kind: type[LLRPEmulator]) -> AsyncIterator[Run]:
    tags = [EmulatedTag(epc, (1 + number % 2,)) for number, epc in enumerate(EPCS)]
    async with kind(tags=tags, reads_per_sec=800, antenna_count=2) as emulator:
        run = Run(emulator)
        try:
            yield run
        finally:
            run.task.cancel()
            with contextlib.suppress(asyncio.CancelledError, LinkError):
                await run.task


async def test_every_tag_of_the_emulator_is_read() -> None:
    async with running(Emulator) as run:
        async with asyncio.timeout(20):
            while {read.epc for read in run.emitted.reads()} != {epc.hex() for epc in EPCS}:
                await run.until_reads(len(run.emitted.reads()) + 1)
        reads = run.emitted.reads()
        assert {read.read_point for read in reads} == {"dock:1", "dock:2"}
        assert all(read.rssi_cdbm is not None and read.rssi_cdbm % 100 for read in reads[:1])
        assert all(0 <= read.age_ns < 10**9 for read in reads)
        assert run.counts.get("bad_frames", 0) == 0
        assert run.emitted.blinds == []


async def test_inputs_outputs_and_antennas_of_the_emulator() -> None:
    async with running(Emulator) as run:
        await run.until_reads(10)
        await run.driver.act(ShowLight("dock:lamp-2", "red"))
        assert run.emulator._gpo_states[2]
        await run.emulator.set_gpi(1, True)
        await run.emulator.set_antenna_connected(2, False)
        # What was said before the next read has come before it.
        await run.until_reads(len(run.emitted.reads()) + 5)
        assert run.emitted.of(InputChange)[-1] == InputChange("dock", 1, True)
        antenna = [f for f in run.emitted.of(DeviceFault) if f.code == "antenna_disconnected"]
        # It does not tell its antennas at the start: those that read are taken for connected.
        # The emulator may read on at the one that it says is gone, and then it is believed.
        assert [(f.antenna, f.blinds) for f in antenna if f.active] == [(2, True)]


async def test_second_client_is_told_that_the_slot_is_held() -> None:
    async with running(Emulator) as run:
        await run.until_reads(1)
        second = Run(run.emulator)
        with pytest.raises(LinkError, match="slot held"):
            await second.task
        await run.until_reads(len(run.emitted.reads()) + 10)


async def test_slot_is_free_again_after_a_stop() -> None:
    async with running(Emulator) as run:
        await run.until_reads(1)
        run.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await run.task
        again = Run(run.emulator)
        await again.until_reads(1)
        again.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await again.task
        assert again.counts.get("bad_frames", 0) == 0
