"""The real engine with the default rules, fed in virtual time with what a world's devices say.

Facts are made as the daemon makes them: each observation goes through the gateway's `DeviceEmit`
into its inbox, so that coverage, blindness and stalls are proven by the code that ships.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any

from gateway.coverage import TICK_NS, DeviceEmit, LoopPulse
from gateway.engine import Engine
from gateway.inbox import Inbox
from gateway.model import (
    NS_PER_MS,
    NS_PER_S,
    Alert,
    Badge,
    Cell,
    DeviceFault,
    DeviceStatus,
    ExpectedSet,
    Fact,
    Heartbeat,
    Item,
    Movement,
    Ns,
    Observation,
    OrderReference,
    Portal,
    ReferenceDeleted,
    Scan,
    Scanner,
    Site,
    Snapshot,
    SnapshotRequest,
    Stall,
    TagRead,
    TagReport,
    Task,
    Unresolved,
    WeightReport,
    WeightSample,
    Zone,
)
from gateway.outcome import Outcome
from gateway.registry import RULES, load, plugins
from gateway.rulebook import Surroundings, build_engine
from gateway.settings import RuleConfiguration
from simulators.world.truth import (
    Alive,
    Announced,
    CellPlan,
    ClockStep,
    Fault,
    LineTold,
    LineWithdrawn,
    Link,
    Observed,
    OrderLine,
    ReaderClockStep,
    Reads,
    Scanned,
    Scenario,
    Standstill,
    Weights,
)
from tests.bench.judging.claims import Alarm, Claim, Open, Told
from tests.bench.judging.reader_clock import ReaderClock

START_NS: Ns = 1000 * NS_PER_S
"""When the world begins, on the gateway's clock."""

LATENESS_NS: Ns = 1 * NS_PER_S
SILENCE_NS: Ns = 2500 * NS_PER_MS
"""What the shipped drivers declare with their default settings."""

NEVER = 1 << 62

STOCK_CORRECTED = ("first_start", "misplaced")
"""Reasons of what states stock that lay there before anybody watched, or that was told to be in a
wrong place: no act, no claim of one.
"""

EPOCH = "00000000-0000-4000-8000-000000000000"

FACTS_PER_TAKE = 64


class _Clock:
    """The world's time, on the gateway's clock."""

    def __init__(self) -> None:
        self.at: Ns = START_NS

    def now(self) -> Ns:
        return self.at


class Ours:
    """`settings` are those of rules by name; what is not named has its default."""

    def __init__(
        self, scenario: Scenario, settings: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        self.told = Told()
        self.facts: list[tuple[Ns, Fact]] = []
        self._clock = _Clock()
        self._inbox = Inbox()
        self._pulse = LoopPulse(self._clock)
        self._resumes: Ns = 0
        self._emits: dict[str, DeviceEmit] = {}
        self._set_clocks: dict[str, ReaderClock] = {}
        self._standing: dict[str, int] = {}
        self.engine = self._build(scenario, settings or {})

    def _build(self, scenario: Scenario, settings: Mapping[str, Mapping[str, Any]]) -> Engine:
        rules = []
        for name in plugins(RULES):
            factory = load(RULES, name)
            rules.append(
                RuleConfiguration(name, factory, factory.Settings(**settings.get(name, {})))
            )
        around = Surroundings(site_of(scenario), EPOCH, "boot-1", LATENESS_NS, None)
        return build_engine(rules, around, {}, [*items_of(scenario), *badges_of(scenario)])

    def observe(self, observed: Observed) -> None:
        """Take in one observation as the daemon would."""
        if type(observed) is ClockStep:
            return  # what decides counts from boot; wall time is added when an event is recorded
        at = START_NS + observed.at
        if type(observed) is ReaderClockStep:
            self._set_clock(at, observed)
            return
        if type(observed) is Standstill:
            self._beat(at)
            self._resumes = self._clock.at = at + observed.span
            stalled = self._pulse.beat()
            self._inbox.put_first(self._pulse.last - stalled, Stall(stalled))
        elif type(observed) is Announced:
            code, epcs = observed.code, frozenset(observed.epcs)
            self._feed(at, ExpectedSet(code, observed.device, observed.direction, epcs, 1))
            return
        elif type(observed) is LineTold:
            self._feed(at, _task(observed.line))
            return
        elif type(observed) is LineWithdrawn:
            self._feed(at, ReferenceDeleted("task", observed.code))
            return
        elif type(observed) is Scanned:
            self._feed(at, Scan(observed.device, observed.text))
            return
        else:
            self._clock.at = at = max(at, self._resumes)
            self._beat(at)
            self._emit(observed)
        self._drain()

    def finish(self, at: int) -> Told:
        """Let time pass until then, and tell the stock."""
        end = START_NS + at
        self._book(self.engine.wake(end))
        request = SnapshotRequest("bench")
        stock: Counter[tuple[str, str]] = Counter()
        for outcome in self.engine.feed(end, request):
            for event in outcome.events:
                if type(event) is Snapshot:
                    for line in event.lines:
                        stock[event.location, line.item] += line.quantity
        self.told.stock = stock
        for key, raised in self._standing.items():
            self.told.alarms.append(Alarm(key, raised, NEVER))
        return self.told

    def _beat(self, at: Ns) -> None:
        """The loop has run all the time until now."""
        if at - self._pulse.last > TICK_NS:
            self._pulse.last = at - TICK_NS // 2

    def _set_clock(self, at: Ns, step: ReaderClockStep) -> None:
        """From now on ages come from the stamps of that reader, which was right until now."""
        clock = self._set_clocks.get(step.device)
        if clock is None:
            clock = ReaderClock(step.device, at, LATENESS_NS, _uncounted)
            self._set_clocks[step.device] = clock
        clock.set(at, step.span)

    def _emit(self, observed: Observed) -> None:
        device = observed.device
        emit, clock = self._emits.get(device), self._set_clocks.get(device)
        if type(observed) is Link:
            if not observed.up:
                _run(self._inbox.put(self._clock.at, DeviceStatus(device, False, "lost")))
                return
            emit = None
            if clock is not None:
                clock.connect(self._clock.at)
        if emit is None:
            emit = self._emits.setdefault(
                device, DeviceEmit(device, self._inbox, self._pulse, self._clock)
            )
            emit.start(LATENESS_NS, SILENCE_NS, _uncounted, lambda: self._up(device))
        if clock is not None and type(observed) is Reads:
            report = clock.report(observed, START_NS + observed.at, self._clock.at)
            _run(emit(report))
        else:
            _run(emit(_observation(observed)))

    async def _up(self, device: str) -> None:
        await self._inbox.put(self._clock.at, DeviceStatus(device, True))

    def _drain(self) -> None:
        while len(self._inbox):
            for at, fact in self._inbox.take(FACTS_PER_TAKE):
                self._feed(at, fact)

    def _feed(self, at: Ns, fact: Fact) -> None:
        outcomes = self.engine.feed(at, fact)
        if outcomes:
            self._book(outcomes)

    def _book(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            for event in outcome.events:
                if type(event) is Movement and event.reason not in STOCK_CORRECTED:
                    self.told.claims.append(_claim(event))
                elif type(event) is Unresolved:
                    self.told.unresolved.append(_open(event))
                elif type(event) is Alert:
                    self._alarm(event)

    def _alarm(self, alert: Alert) -> None:
        at = alert.at_event - START_NS
        if alert.raised:
            self._standing.setdefault(alert.key, at)
        elif alert.key in self._standing:
            self.told.alarms.append(Alarm(alert.key, self._standing.pop(alert.key), at))


def site_of(scenario: Scenario) -> Site:
    """The wiring of a world as the gateway knows it."""
    block = scenario.block
    return Site(
        zones=tuple(Zone(zone.location, zone.points) for zone in block.zones),
        cells=tuple(_cell(cell) for cell in block.cells),
        portals=tuple(
            Portal(gate.gate, gate.outer, gate.inner, gate.outside, gate.inside)
            for gate in block.gates
        ),
        scanners=tuple(Scanner(*scanner) for scanner in block.scanners),
    )


def _cell(plan: CellPlan) -> Cell:
    """A plate of several items is planned only where the gateway has a word for that."""
    if "items" in {field.name for field in dataclasses.fields(Cell)}:
        several: Any = {"items": plan.items}
        return Cell(plan.cell, plan.location, zone=plan.zone, **several)
    item = plan.items[0] if len(plan.items) == 1 else None
    return Cell(plan.cell, plan.location, item, plan.zone)


def items_of(scenario: Scenario) -> list[Item]:
    """The catalogue of a world."""
    return [
        Item(
            code=good.code,
            unit_mg=round(good.unit_g * 1000),
            unit_sd_mg=round(good.unit_sd_g * 1000),
            epc_prefixes=(good.prefix,) if good.prefix else (),
        )
        for good in scenario.block.goods
    ]


def badges_of(scenario: Scenario) -> list[Badge]:
    """The badges of a world."""
    return [
        Badge(badge.code, badge.person, badge.scan, badge.epc) for badge in scenario.block.badges
    ]


def _task(line: OrderLine) -> Task:
    return Task(
        line.code,
        line.kind,
        OrderReference("simulator", "order", line.number, line.line),
        line.item,
        line.quantity,
        line.source,
        line.target,
        due_s=line.due_s,
        timeout_s=line.timeout_s,
        version=1,
    )


def _observation(observed: Observed) -> Observation:
    if type(observed) is Reads:
        reads = tuple(TagRead(r[0], r[1], r[2], 1, r[3]) for r in observed.reads)
        return TagReport(observed.device, reads)
    if type(observed) is Weights:
        samples = tuple(WeightSample(*sample) for sample in observed.samples)
        return WeightReport(observed.device, samples)
    if type(observed) is Fault:
        device, antenna = observed.device, observed.antenna
        return DeviceFault(device, "antenna", observed.active, antenna=antenna, blinds=True)
    assert isinstance(observed, Alive | Link)
    return Heartbeat(observed.device)


def _claim(movement: Movement) -> Claim:
    return Claim(
        movement.at_event - START_NS,
        movement.at_decided - START_NS,
        movement.item,
        movement.from_location,
        movement.to_location,
        movement.quantity,
        movement.epcs,
        movement.confidence_permille,
        movement.movement_id,
        movement.reverses or "",
        movement.actor or "",
    )


def _open(unresolved: Unresolved) -> Open:
    return Open(
        unresolved.at_event - START_NS,
        unresolved.at_decided - START_NS,
        unresolved.location,
        unresolved.reason,
        unresolved.epcs,
    )


def _run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run what never waits: the inbox is emptied after each observation."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("an observation had to wait")


def _uncounted(name: str, amount: int = 1) -> None:
    del name, amount
