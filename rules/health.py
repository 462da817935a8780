"""Health: alerts about devices, raised once and cleared once.

A device that is down is an alert only after `hold_s`, and up again only after `hold_s`, so that
one that flaps is one alert. Faults that a device reports itself are alerts while they last.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from gateway.model import NS_PER_S, Alert, DeviceFault, DeviceStatus, Fact, Ns, Severity, Stall
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn

PENDING_MAX = 1_000
"""Devices whose state waits out the hold time; more devices than any gateway has."""


class HealthSettings(PluginSettings):
    """How long a state must last before it counts."""

    hold_s: float = Field(5.0, ge=0)


class Health:
    """See the module."""

    Settings: ClassVar[type[PluginSettings]] = HealthSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (DeviceStatus, DeviceFault, Stall)
    schema: ClassVar[int] = 1

    def __init__(self, settings: HealthSettings, context: RuleContext) -> None:
        del context
        self._hold_ns = max(1, int(settings.hold_s * NS_PER_S))
        self._raised: set[str] = set()
        self._pending: dict[str, tuple[Ns, DeviceStatus]] = {}

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back which alerts stand."""
        self._raised = {row.key for row in rows}

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Weigh a device's state against the alert that stands for it."""
        if type(fact) is DeviceStatus:
            return self._wait(now, fact)
        if type(fact) is DeviceFault:
            key = f"{fact.code}:{fact.device}" + (f":{fact.antenna}" if fact.antenna else "")
            alert = (fact.code, key, fact.severity)
            return self._settle(now, alert, fact.detail or fact.code, up=not fact.active)
        if type(fact) is Stall:
            self._pending = {
                device: (due + fact.span_ns, status)
                for device, (due, status) in self._pending.items()
            }
            return self._wake() if self._pending else NOTHING
        return self._due(now) if fact is None else NOTHING

    def _wait(self, now: Ns, status: DeviceStatus) -> Turn:
        known_up = f"device_down:{status.device}" not in self._raised
        if status.up == known_up:
            self._pending.pop(status.device, None)
            return NOTHING
        if status.device not in self._pending and len(self._pending) < PENDING_MAX:
            self._pending[status.device] = (now + self._hold_ns, status)
        return self._wake()

    def _due(self, now: Ns) -> Turn:
        facts: list[Fact] = []
        puts: list[Row] = []
        deletes: list[str] = []
        for device, (due, status) in list(self._pending.items()):
            if due > now:
                continue
            del self._pending[device]
            key = f"device_down:{device}"
            text = f"{device} is back" if status.up else f"{device} is down: {status.reason}"
            turn = self._settle(now, ("device_down", key, "critical"), text, up=status.up)
            facts.extend(turn.facts)
            puts.extend(turn.puts)
            deletes.extend(turn.deletes)
        wake = self._wake().next_wake if self._pending else None
        return Turn(tuple(facts), tuple(puts), tuple(deletes), next_wake=wake)

    def _wake(self) -> Turn:
        return Turn(next_wake=min(due for due, _ in self._pending.values()))

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
