"""What makes ROSpecs run: triggers in, reads gathered, reports and events out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from simulators.llrp import events
from simulators.llrp.clock import ReaderClock
from simulators.llrp.field import Sighting
from simulators.llrp.operation import Operation
from simulators.llrp.radio import Radio
from simulators.llrp.report import Accumulator, Origin
from simulators.llrp.requests import Requests
from simulators.llrp.rospec import GPI_START, PERIODIC, RoSpec
from simulators.llrp.settings import AI_SPEC, HOPPING, ROSPEC


class Runner:
    """Keeps the one running operation in step with the table of ROSpecs.

    `announce` takes an event's kind and its parameter, `report` the body of a report.
    """

    def __init__(
        self,
        requests: Requests,
        radio: Radio,
        clock: ReaderClock,
        announce: Callable[[int, bytes], None],
        report: Callable[[bytes], None],
    ) -> None:
        self.reads = 0
        self.failure: BaseException | None = None
        self._requests = requests
        self._radio = radio
        self._clock = clock
        self._announce = announce
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._operation: Operation | None = None
        self._task: asyncio.Task[None] | None = None
        self._accumulator: Accumulator | None = None
        self._starts_seen = 0
        self._timers: dict[int, asyncio.TimerHandle] = {}

    @property
    def running(self) -> bool:
        """Whether a ROSpec is being carried out."""
        return self._task is not None

    def reconcile(self) -> None:
        """Stop what should not run any more and start what should."""
        rospecs = self._requests.rospecs
        if self._starts_seen != rospecs.starts or rospecs.active is None:
            self.stop()
        if rospecs.active is not None and self._task is None:
            self._start(rospecs.active)
        self._starts_seen = rospecs.starts
        self._arm_periodic()

    def input_changed(self, port: int, level: bool) -> None:
        """Let the edge of an input reach the triggers."""
        if self._operation is not None:
            self._operation.input_changed(port, level)
        self._requests.rospecs.triggered(
            lambda rospec: (
                rospec.start.kind == GPI_START
                and (rospec.start.port, rospec.start.level) == (port, level)
            )
        )
        self.reconcile()

    def take(self) -> bytes:
        """Return a report body of what was gathered so far, as GET_REPORT asks."""
        return b"" if self._accumulator is None else self._accumulator.take()

    def stop(self) -> None:
        """Stop the running operation and report what it gathered."""
        if self._task is not None and self._operation is not None:
            self._task.cancel()
            self._task = None
            self._finish(self._operation)

    def close(self) -> None:
        """Stop for good."""
        self.stop()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def usable(self, antenna: int) -> bool:
        """Tell whether an antenna is connected."""
        return self._requests.condition.connected[antenna]

    def read(self, sighting: Sighting, origin: Origin, at_s: float) -> None:
        """Take one read, and report when one is due."""
        self.reads += 1
        if self._accumulator is not None:
            body = self._accumulator.add(sighting, origin, self._clock.stamp_us(at_s))
            if body is not None:
                self._report(body)

    def hopped(self, channel: int) -> None:
        """Announce another channel."""
        self._announce(HOPPING, events.hopping(1, channel))

    def ai_spec_ended(self, spec_index: int) -> None:
        """Report what is due at the end of an AISpec."""
        if self._accumulator is None or self._operation is None:
            return
        self._report_rest(self._accumulator.end_of_ai_spec())
        self._announce(AI_SPEC, events.ai_spec_end(self._operation.rospec.number, spec_index))

    def _start(self, rospec: RoSpec) -> None:
        device = self._requests.device
        self._accumulator = Accumulator(rospec.report, device.has_utc_clock)
        operation = Operation(rospec, self._radio, device, self, self._clock.now)
        self._operation = operation
        self._announce(ROSPEC, events.rospec(events.STARTED, rospec.number))
        self._task = self._loop.create_task(self._carry_out(operation))
        self._task.add_done_callback(self._keep_failure)

    async def _carry_out(self, operation: Operation) -> None:
        await operation.run()
        self._task = None
        self._finish(operation)
        self._requests.rospecs.ended()
        self.reconcile()

    def _keep_failure(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self.failure = task.exception() or self.failure

    def _finish(self, operation: Operation) -> None:
        if self._accumulator is not None:
            self._report_rest(self._accumulator.end_of_rospec())
        self._accumulator = None
        self._operation = None
        self._announce(ROSPEC, events.rospec(events.ENDED, operation.rospec.number))

    def _report_rest(self, body: bytes) -> None:
        if body:
            self._report(body)

    def _arm_periodic(self) -> None:
        waiting = {
            rospec.number: rospec.start
            for rospec in self._requests.rospecs.inactive()
            if rospec.start.kind == PERIODIC
        }
        for number in set(self._timers) - set(waiting):
            self._timers.pop(number).cancel()
        for number in set(waiting) - set(self._timers):
            start = waiting[number]
            wait_ms = start.period_ms if self._starts_seen else start.offset_ms
            timer = self._loop.call_later(wait_ms / 1000, self._periodic, number)
            self._timers[number] = timer

    def _periodic(self, number: int) -> None:
        self._timers.pop(number, None)
        self._requests.rospecs.triggered(lambda rospec: rospec.number == number)
        self.reconcile()
