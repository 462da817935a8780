"""Health: alerts about devices, raised once and cleared once.

A device that is down is an alert only after `hold_s`, and up again only after `hold_s`, so that
one that flaps is one alert. Faults that a device reports itself are alerts while they last.
What a device that is down, or a blind antenna or cell, means for its places, `rules.sense_watch`
tells: to people, and to the rules that decide there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from gateway.model import (
    NS_PER_S,
    Alert,
    Coverage,
    DeviceFault,
    DeviceStatus,
    Fact,
    Ns,
    Severity,
    Stall,
    WeightReport,
)
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn
from rules.sense_watch import SenseWatch
from rules.turns import together

PENDING_MAX = 1_000
"""Devices whose state waits out the hold time; more devices than any gateway has."""


class HealthSettings(PluginSettings):
    """How long a state must last before it counts."""

    hold_s: float = Field(5.0, ge=0)


class Health:
    """See the module."""

    Settings: ClassVar[type[PluginSettings]] = HealthSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (
        WeightReport,
        Coverage,
        DeviceStatus,
        DeviceFault,
        Stall,
    )
    schema: ClassVar[int] = 1

    def __init__(self, settings: HealthSettings, context: RuleContext) -> None:
        self._hold_ns = max(1, int(settings.hold_s * NS_PER_S))
        self._watch = SenseWatch(context.site, self._hold_ns)
        self._raised: set[str] = set()
        self._pending: dict[str, tuple[Ns, DeviceStatus]] = {}

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back which alerts stand."""
        self._raised = {row.key for row in rows if not self._watch.restore(row)}

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Weigh a device's state against the alert that stands for it."""
        turn = self._decide(now, fact)
        return turn if turn is NOTHING else turn._replace(next_wake=self._next_wake(now))

    def _decide(self, now: Ns, fact: Fact | None) -> Turn:
        if type(fact) is WeightReport:
            return self._watch.weighed(now, fact)
        if type(fact) is Coverage:
            return self._watch.heard(now, fact)
        if type(fact) is DeviceStatus:
            return self._wait(now, fact)
        if type(fact) is DeviceFault:
            key = f"{fact.code}:{fact.device}" + (f":{fact.antenna}" if fact.antenna else "")
            alert = (fact.code, key, fact.severity)
            return self._settle(now, alert, fact.detail or fact.code, up=not fact.active)
        if type(fact) is Stall:
            self._watch.put_off(fact.span_ns)
            self._pending = {
                device: (due + fact.span_ns, status)
                for device, (due, status) in self._pending.items()
            }
            return WAKE
        return together(self._due(now), self._watch.overdue(now), WAKE) if fact is None else NOTHING

    def _next_wake(self, now: Ns) -> Ns | None:
        dues = [due for due, _ in self._pending.values()]
        watch = self._watch.next_due()
        dues += [watch] if watch is not None else []
        return max(min(dues), now + 1) if dues else None

    def _wait(self, now: Ns, status: DeviceStatus) -> Turn:
        known_up = f"device_down:{status.device}" not in self._raised
        if status.up == known_up:
            self._pending.pop(status.device, None)
            return NOTHING
        if status.device not in self._pending and len(self._pending) < PENDING_MAX:
            self._pending[status.device] = (now + self._hold_ns, status)
        return WAKE

    def _due(self, now: Ns) -> Turn:
        turns = []
        for device, (due, status) in list(self._pending.items()):
            if due > now:
                continue
            del self._pending[device]
            key = f"device_down:{device}"
            text = f"{device} is back" if status.up else f"{device} is down: {status.reason}"
            alert: tuple[str, str, Severity] = ("device_down", key, "critical")
            turns.append(self._settle(now, alert, text, up=status.up))
        return together(*turns)

    def _settle(self, now: Ns, alert: tuple[str, str, Severity], text: str, *, up: bool) -> Turn:
        """Raise or clear the alert unless it stands that way already."""
        code, key, severity = alert
        if up == (key not in self._raised):
            return NOTHING
        told = Alert(code, key, not up, severity, text, now)
        if up:
            self._raised.discard(key)
            return Turn(facts=(told,), deletes=(key,))
        self._raised.add(key)
        return Turn(facts=(told,), puts=(Row(key, {"raised": 1}),))


WAKE = Turn(next_wake=0)
"""Nothing is decided, but a wish to be woken may have changed."""
