"""Portal: which way a tag went through a gate.

A tag that stands is heard by each antenna at its own level, and costs a comparison per read
(`rules.gate_levels`). One that is carried tells a story (`rules.gate_story`): which side heard it
louder, quarter second by quarter second. Tags of one load tell it together (`rules.gate_company`):

    carried --- its load has faded on the far side ------> passed
            --- watched silence -------------------------> judged by its load, or alone
            --- stands for static_after_s ---------------> judged, and known to stand
    stands ---- louder than it stood --------------------> carried, from the side where it stood

A tag that only one side heard, or that left on the side where it came from, turned back. One that
was known to stand passes only away from that side, and only if it was louder than it stood and the
other side heard it as often as a passage needs: shadows, strays and what is carried off on its own
side book nothing. What was never seen to move passes nothing, and nobody is called for it. An
open order is a prior: it lets fewer reads do, but never none, and never against the story.

Silence counts only while `Coverage` shows the gate's readers watching, and waits for reads that
may come late. What a reader missed in blind time is not held against the tag: one side alone is
then no proof that it turned back, and the passage is uncertain.

A load is a prior too: a tag that came into view with it, and whose own reads do not speak against
it, goes with it (`rules.gate_joining`); it waits for that load while this stands in the gate.
`sure` is the knob between quick and sure (`rules.gate_knob`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from gateway.model import (
    NS_PER_S,
    Coverage,
    ExpectedSet,
    Fact,
    Item,
    Ns,
    Passage,
    ReferenceDeleted,
    TagReport,
    Task,
    TaskConfirmation,
)
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn
from rules.gate import Gate
from rules.gate_expected import Expected
from rules.gate_knob import Knob
from rules.gate_verdict import Limits


class PortalSettings(PluginSettings):
    """`sure`: 0 decides soonest and is wrong most often, 1 latest and most seldom. It sets how long
    a tag must be silent, how far a load must have faded, and how clear a story must be.

    A gate may have its own `sure`.
    """

    sure: float = Field(0.5, ge=0, le=1)
    static_after_s: float = Field(40.0, gt=0)
    reads_min: int = Field(3, ge=2)
    rise_db: float = Field(4.0, ge=0)


class Portal:
    """See the module."""

    Settings: ClassVar[type[PluginSettings]] = PortalSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (
        TagReport,
        Coverage,
        ExpectedSet,
        ReferenceDeleted,
        Task,
        TaskConfirmation,
        Item,
    )
    schema: ClassVar[int] = 1

    def __init__(self, settings: PortalSettings, context: RuleContext) -> None:
        late_ns = context.lateness_max_ns
        static_ns = int(settings.static_after_s * NS_PER_S)
        self._expected = Expected(context.site.portals)
        self._points: dict[str, tuple[Gate, int, int]] = {}
        self._devices: dict[str, list[Gate]] = {}
        for portal in context.site.portals:
            knob = Knob.of(settings.sure if portal.sure is None else portal.sure)
            limits = Limits(knob, knob.quiet_ns + late_ns, late_ns, static_ns, settings.reads_min)
            gate = Gate(portal.portal, limits, int(settings.rise_db * 100), self._expected)
            for side, points in enumerate((portal.outer, portal.inner)):
                for point in points:
                    device, _, antenna = point.rpartition(":")
                    self._points[point] = (gate, side, len(self._points))
                    gate.antennas.setdefault(device, set()).add(int(antenna))
                    gate.watched[device] = 0
            for device in gate.antennas:
                self._devices.setdefault(device, []).append(gate)

    def restore(self, rows: Iterable[Row]) -> None:
        """Nothing is declared before a tag has passed: there are no rows."""
        assert not list(rows)

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Follow the reads of tags; judge those that have passed, or are silent."""
        if type(fact) is TagReport:
            if fact.device in self._devices:
                for read in fact.reads:
                    place = self._points.get(read[0])
                    if place is not None:
                        gate, side, antenna = place
                        gate.note(now - read[4], read, side, antenna)
        elif type(fact) is Coverage:
            told: list[Passage] = []
            for gate in self._devices.get(fact.device, ()):
                told += gate.watch(now, fact)
            if told:
                return Turn(facts=tuple(told))
        elif type(fact) is ExpectedSet:
            self._expected.put(fact)
        else:
            self._learn(fact)
        return NOTHING

    def _learn(self, fact: Fact | None) -> None:
        """What is expected, and what the tags are of."""
        if type(fact) is Task:
            self._expected.put_task(fact)
        elif type(fact) is TaskConfirmation:
            self._expected.remove_task(fact.task)
        elif type(fact) is Item:
            self._expected.catalogue.put(fact)
        elif type(fact) is ReferenceDeleted and fact.kind == "expected":
            self._expected.remove(fact.code)
        elif type(fact) is ReferenceDeleted and fact.kind == "task":
            self._expected.remove_task(fact.code)
        elif type(fact) is ReferenceDeleted and fact.kind == "item":
            self._expected.catalogue.remove(fact.code)
