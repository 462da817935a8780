"""Makes observations of what a reader says unasked: reports, events, keepalives."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.model import (
    NS_PER_S,
    DeviceFault,
    Heartbeat,
    InputChange,
    Ns,
    Observation,
    TagRead,
)
from gateway.ports import DriverContext, ProtocolError

from .faults import PassingFaults
from .frames import type_of
from .outbox import Outbox
from .report import RO_ACCESS_REPORT, ReportDecoder
from .session import unreadable
from .settings import LlrpSettings
from .tag_reads import TagReads

ANTENNA_DISCONNECTED = "antenna_disconnected"
BAD_FRAME = "bad_frame"
BUFFER_FILLING = "report_buffer_filling"
BUFFER_OVERFLOW = "report_buffer_overflow"
READER_EXCEPTION = "reader_exception"
PASSING_FAULTS = (BAD_FRAME, BUFFER_FILLING, BUFFER_OVERFLOW, READER_EXCEPTION)


class Observer:
    """The listener of one connection. `reports` counts the reports with tags in them.

    `armed` is set while the ROSpec is known to run: only then does a keepalive prove that the
    field is being read. `ended` is set when the reader says that the ROSpec ended. While it is
    known not to run, nothing that the reader says proves anything.
    """

    def __init__(
        self,
        settings: LlrpSettings,
        context: DriverContext,
        outbox: Outbox,
        connected: dict[int, bool],
    ) -> None:
        """`connected` is what is known of each antenna, over all connections."""
        only = settings.antennas[0] if len(settings.antennas) == 1 else None
        self.reports = 0
        self.armed = False
        self.ended = asyncio.Event()
        self._stopped = False
        self._connected = connected
        self._doubted: dict[int, Ns] = {}
        self._used = frozenset(settings.antennas)
        self._device = context.device
        self._clock = context.clock
        self._count = context.count
        self._outbox = outbox
        self._decoder = ReportDecoder(only)
        self._tag_reads = TagReads(
            context.device,
            settings.rssi_floor_dbm,
            round(settings.lateness_s * NS_PER_S),
            context.count,
        )
        self._faults = PassingFaults(context.device, self._put)
        self._given_up = 0
        self._clock_steps = 0
        self._handlers = {
            "GPIEvent": self._gpi_event,
            "AntennaEvent": self._antenna_event,
            "ROSpecEvent": self._rospec_event,
            "ReportBufferLevelWarning": self._buffer_warning,
            "ReportBufferOverflowErrorEvent": self._buffer_overflow,
            "ReaderExceptionEvent": self._exception,
        }

    def on_report(self, frame: bytes) -> None:
        """Take an RO_ACCESS_REPORT. Tags that cannot be read make the time blind."""
        records = self._decoder.decode(frame)
        if records:
            now = self._clock.now()
            report_at = self._outbox.report_at(now)
            reads = self._tag_reads.build(records, now, report_at, uptime=self._decoder.uptime)
            if not self.ended.is_set():
                self.is_reading()
            if self._doubted:
                self._believe(reads, report_at)
            self._outbox.put_reads(reads)
            self.reports += 1
        if self._decoder.tags_given_up != self._given_up:
            lost = self._decoder.tags_given_up - self._given_up
            self._given_up = self._decoder.tags_given_up
            self._count("tags_given_up", lost)
            self._outbox.lose(lost, "unknown_parameter")
        if self._tag_reads.reader_time.steps != self._clock_steps:
            self._count("reader_clock_steps")
            self._clock_steps = self._tag_reads.reader_time.steps

    def on_keepalive(self) -> None:
        """Take a keepalive: the reader lives, and reads if it is armed."""
        if self.armed:
            self._put(Heartbeat(self._device))

    def on_bad_frame(self, error: ProtocolError, frame: bytes) -> None:
        """Raise a fault that shows the bytes; a report that is lost makes the time blind."""
        self._faults.happened(BAD_FRAME, unreadable(error, frame))
        if type_of(frame) == RO_ACCESS_REPORT:
            self._outbox.lose(1, "bad_report")

    def on_event(self, event: Mapping[str, Any]) -> None:
        """Take an event notification (LLRP 1.1 section 17.2.7.6)."""
        for clock in ("UTCTimestamp", "Uptime"):
            stamp = event.get(clock)
            if isinstance(stamp, Mapping):
                self._tag_reads.reader_time.see_event(
                    self._clock.now(),
                    int(stamp.get("Microseconds", 0)),
                    uptime=clock == "Uptime",
                )
        for name, handle in self._handlers.items():
            fields = event.get(name)
            if isinstance(fields, Mapping):
                handle(fields)

    def forget_faults(self) -> None:
        """Clear the passing faults of earlier connections, perhaps of an earlier process."""
        self._faults.forget(PASSING_FAULTS)

    def antennas_connected(self, states: Mapping[int, bool], used: Iterable[int]) -> None:
        """Take what the reader's configuration says of its antennas at the start.

        Where it says nothing, an antenna that was disconnected still is, and one of which nothing
        is known may be so since an earlier run: what it reads from now on proves it connected.
        """
        for antenna in used:
            connected = states.get(antenna, self._connected.get(antenna))
            if connected is None:
                self._doubted[antenna] = self._clock.now()
            elif antenna in states or not connected:
                self._antenna(antenna, connected)

    def input_level(self, port: int, level: bool) -> None:
        """Take the level of an input."""
        self._put(InputChange(self._device, port, level))

    def was_not_reading(self) -> None:
        """Take note that the ROSpec does not run: the time until it does proves nothing."""
        self._count("rospec_not_running")
        self._stop()

    def is_reading(self) -> None:
        """Take note that the ROSpec runs, by the reader's own word or by its reports."""
        if self._stopped:
            self._stopped = False
            self._outbox.lose(1, "not_reading")
        self.armed = True

    def is_reading_deeply(self) -> None:
        """Take note that tags keep silent that are there: the time until now proves no absence."""
        self._outbox.lose(1, "deep_inventory")

    def close(self) -> None:
        """End with the connection."""
        self._faults.close()

    def _put(self, observation: Observation) -> None:
        """Hand over; from a reader that does not read, it covers no time."""
        if self._stopped:
            self._outbox.lose(1, "not_reading")
        self._outbox.put(observation)

    def _stop(self) -> None:
        self.armed = False
        self._stopped = True

    def _gpi_event(self, fields: Mapping[str, Any]) -> None:
        self.input_level(int(fields["GPIPortNumber"]), bool(fields["GPIEvent"]))

    def _antenna_event(self, fields: Mapping[str, Any]) -> None:
        antenna = int(fields["AntennaID"])
        if not self._used or antenna in self._used:  # nobody misses one that reads nothing
            self._antenna(antenna, fields["EventType"] == "Connected")

    def _believe(self, reads: Iterable[TagRead], report_at: Ns) -> None:
        """Antennas that read after they were held for disconnected are connected."""
        for read in reads:
            antenna = int(read.read_point.rpartition(":")[2])
            since = self._doubted.get(antenna)
            if since is not None and report_at - read.age_ns > since:
                self._antenna(antenna, True)

    def _antenna(self, antenna: int, connected: bool) -> None:
        self._connected[antenna] = connected
        if connected:
            self._doubted.pop(antenna, None)
        else:
            self._doubted[antenna] = self._clock.now()
        self._put(
            DeviceFault(
                self._device,
                ANTENNA_DISCONNECTED,
                active=not connected,
                antenna=antenna,
                blinds=True,
            )
        )

    def _rospec_event(self, fields: Mapping[str, Any]) -> None:
        if fields["EventType"] == "Start_of_ROSpec":
            self.is_reading()
            return
        self._count("rospec_ended")
        self._stop()
        self.ended.set()

    def _buffer_warning(self, fields: Mapping[str, Any]) -> None:
        percent = fields.get("ReportBufferPercentageFull")
        self._faults.happened(BUFFER_FILLING, f"{percent} % full")

    def _buffer_overflow(self, _: Mapping[str, Any]) -> None:
        self._count("report_buffer_overflows")
        self._faults.happened(BUFFER_OVERFLOW, "the reader has dropped reports")
        self._outbox.lose(1, "reader_buffer_overflow")

    def _exception(self, fields: Mapping[str, Any]) -> None:
        message = fields.get("Message", b"")
        text = message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
        self._count("reader_exceptions")
        self._faults.happened(READER_EXCEPTION, text)
