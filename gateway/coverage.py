"""Proof of watching: which time a device was demonstrably read, and which is blind.

A driver emits; this module stamps the emission, and turns the rhythm of emissions into
`Coverage` facts. A gap longer than the device may be silent, a stall of the event loop or lost
readings break the proof: the time until then is blind, and the next span says `resumed`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from gateway.inbox import Inbox
from gateway.model import NS_PER_MS, Coverage, DeviceFault, Heartbeat, Ns, Observation
from gateway.ports import Clock, Counter

COVERAGE_SPAN_NS = 250 * NS_PER_MS
"""How much proven time one Coverage fact carries: four a second and device cost nothing."""

STALL_MIN_NS = 250 * NS_PER_MS
"""The event loop standing still longer than this makes the time blind."""

TICK_NS = 50 * NS_PER_MS
"""How often the loop shows that it runs."""


class LoopPulse:
    """When the event loop last showed that it runs; `beat` is called every TICK_NS."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.last: Ns = clock.now()
        self._stall_end: Ns = self.last

    def beat(self) -> Ns:
        """Note a beat; return the length of the stall that it ends, else 0."""
        now = self._clock.now()
        gap, self.last = now - self.last, now
        if gap <= STALL_MIN_NS + TICK_NS:
            return 0
        self._stall_end = now
        return gap

    def ran(self, since: Ns, until: Ns) -> bool:
        """Whether the loop ran without a stall: what is read after one waited in a socket."""
        return since >= self._stall_end and until - self.last <= STALL_MIN_NS + TICK_NS


class DeviceEmit:
    """The `Emit` of one device: stamps, bounds the age, and proves coverage."""

    def __init__(self, device: str, inbox: Inbox, pulse: LoopPulse, clock: Clock) -> None:
        self.device = device
        self.silence_max_ns: Ns = 0
        self.lateness_max_ns: Ns = 0
        self.last_emit: Ns | None = None
        self.emitted = 0
        self._inbox = inbox
        self._pulse = pulse
        self._clock = clock
        self._span_from: Ns | None = None
        self._blind_faults: dict[int, set[str]] = {}
        self._count: Counter | None = None
        self._on_first: Callable[[], Awaitable[None]] | None = None

    def start(
        self,
        lateness_max_ns: Ns,
        silence_max_ns: Ns,
        count: Counter,
        on_first: Callable[[], Awaitable[None]],
    ) -> None:
        """Begin a new connection of the device: nothing before it proves anything.

        `on_first` is awaited before the first observation: it shows that the device is up.
        """
        self._on_first = on_first
        self.lateness_max_ns, self.silence_max_ns = lateness_max_ns, silence_max_ns
        self._count = count
        self._span_from = None
        self._blind_faults.clear()

    async def __call__(self, observation: Observation, age_ns: Ns = 0) -> None:
        """See `gateway.ports.Emit`."""
        if self._on_first is not None:
            on_first, self._on_first = self._on_first, None
            await on_first()
        now = self._clock.now()
        proven = self._proven(now)
        self.last_emit = now
        self.emitted += 1
        if age_ns > self.lateness_max_ns:
            self._tally("late_observations", 1)
            age_ns = self.lateness_max_ns
        if isinstance(observation, DeviceFault) and observation.blinds:
            self._note_blindness(observation)
        if type(observation) is not Heartbeat:
            await self._inbox.put(now - max(0, age_ns), observation)
        await self._cover(now, proven=proven)

    @property
    def blind_antennas(self) -> tuple[int, ...]:
        """The antennas that a standing fault makes blind; 0 is all of them."""
        return tuple(sorted(self._blind_faults))

    def blind(self, lost: int, reason: str) -> None:
        """See `gateway.ports.Emit`."""
        self._span_from = None
        self._tally(f"lost_{reason}", lost)

    def _proven(self, now: Ns) -> bool:
        """Whether the time since the last emit was watched."""
        return (
            self._span_from is not None
            and self.last_emit is not None
            and now - self.last_emit <= self.silence_max_ns
            and self._pulse.ran(self.last_emit, now)
        )

    async def _cover(self, now: Ns, *, proven: bool) -> None:
        blind_antennas = self.blind_antennas
        if not proven or self._span_from is None:
            self._span_from = now
            await self._inbox.put(now, Coverage(self.device, 0, blind_antennas, resumed=True))
            return
        span = now - self._span_from
        if span >= COVERAGE_SPAN_NS:
            self._span_from = now
            await self._inbox.put(now, Coverage(self.device, span, blind_antennas))

    def _note_blindness(self, fault: DeviceFault) -> None:
        codes = self._blind_faults.setdefault(fault.antenna, set())
        if fault.active:
            codes.add(fault.code)
        else:
            codes.discard(fault.code)
        if not codes:
            del self._blind_faults[fault.antenna]

    def _tally(self, name: str, amount: int) -> None:
        if self._count is not None:
            self._count(name, amount)
