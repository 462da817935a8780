"""Light: what each light is to show, so that people look there and not at a list.

    task still wants pieces taken ---> its pick light steady, how many    green, or his colour
    task still wants pieces put -----> slow, how many                     green, or his colour
    something unclear happened ------> double, how many are still wanted  amber
    too many, or wrong ones, moved --> fast, where how many must go back  red
    nothing more wanted -------------> dark

    a critical alert stands ---------> stack light fast                        red
    a warning stands ----------------> slow                                    amber
    none -----------------------------> steady                                 green
    a critical alert is raised ------> buzzer, for `buzzer_s`

What it means is in the pattern alone, for those who cannot tell the colours apart. Of several tasks
at one light what must be put back comes first, then the task that is first in its rank: higher
priority, earlier due, first come. What is shown, and for what, is durable.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any, ClassVar, Literal

from pydantic import Field

from gateway.model import (
    NS_PER_S,
    Alert,
    DeviceStatus,
    Fact,
    LightColour,
    LightId,
    Ns,
    ShowLight,
    TaskProgress,
)
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn
from rules.light_alerts import StandingAlerts
from rules.light_places import LightPlaces
from rules.turns import together

TASK_ROW, SHOWN_ROW = "task:", "shown:"


class LightSettings(PluginSettings):
    """`operator_colours` gives people whose name is known a colour of their own. A buzzer sounds
    for `buzzer_s` after each critical alert, never longer.
    """

    operator_colours: dict[str, Literal["green", "blue", "white"]] = Field(default={})
    buzzer_s: float = Field(5.0, ge=1.0, le=60.0)


class LightRule:
    """See the module."""

    Settings: ClassVar[type[PluginSettings]] = LightSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (TaskProgress, Alert, DeviceStatus)
    schema: ClassVar[int] = 1

    def __init__(self, settings: LightSettings, context: RuleContext) -> None:
        lights = context.site.lights
        self._buzz_ns = int(settings.buzzer_s * NS_PER_S)
        self._colours = settings.operator_colours
        self._places = LightPlaces(context.site)
        self._stacks = [light.light for light in lights if light.kind == "stack"]
        self._buzzers = [light.light for light in lights if light.kind == "buzzer"]
        self._alerts = StandingAlerts()
        self._tasks: dict[str, TaskProgress] = {}
        self._at_light: dict[LightId, dict[str, TaskProgress]] = {
            light.light: {} for light in lights if light.kind == "pick"
        }
        self._shown: dict[LightId, ShowLight] = {}
        self._silent_at: Ns | None = None
        self._looked = False

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back the tasks and alerts, and what the lights show."""
        for row in rows:
            value: Any = dict(row.value)
            if row.key.startswith(TASK_ROW):
                astray = tuple((place, pieces) for place, pieces in value.pop("astray"))
                rank = tuple(value.pop("rank"))
                self._note(TaskProgress(**value, astray=astray, rank=rank))
            elif row.key.startswith(SHOWN_ROW):
                self._shown[row.key.removeprefix(SHOWN_ROW)] = ShowLight(**value)
            else:
                self._alerts.restore(row)

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Look again at the lights that a fact is about; at all of them once, after a start."""
        first = NOTHING if self._looked else self._look_at_all()
        if type(fact) is TaskProgress:
            return together(first, self._progress(fact))
        if type(fact) is Alert:
            return together(first, self._alert(now, fact))
        if fact is None and self._silent_at is not None and self._silent_at <= now:
            return together(first, self._silence())
        return first

    def _look_at_all(self) -> Turn:
        """The site may be wired otherwise than in the run that noted what is shown."""
        self._looked = True
        strange = [light for light in self._shown if light not in self._places.wired]
        gone = tuple(SHOWN_ROW + light for light in strange)
        for light in strange:
            del self._shown[light]
        unlit = [code for code, task in self._tasks.items() if not self._places.of(task)]
        gone += tuple(TASK_ROW + code for code in unlit)
        for code in unlit:
            del self._tasks[code]
        looks = (self._show(light, self._pick(light)) for light in self._at_light)
        stacks = self._stack() if self._stacks else NOTHING
        return together(Turn(deletes=gone) if gone else NOTHING, *looks, stacks)

    def _progress(self, task: TaskProgress) -> Turn:
        old = self._tasks.get(task.code)
        lights = dict.fromkeys(self._places.of(old) if old else ())
        if old is not None:
            self._forget(old)
        key = TASK_ROW + task.code
        kept = Turn(deletes=(key,)) if old is not None else NOTHING
        if not task.ended and self._places.of(task):
            self._note(task)
            lights |= dict.fromkeys(self._places.of(task))
            kept = Turn(puts=(Row(key, asdict(task)),))
        return together(kept, *(self._show(light, self._pick(light)) for light in lights))

    def _note(self, task: TaskProgress) -> None:
        self._tasks[task.code] = task
        for light in self._places.of(task):
            self._at_light[light][task.code] = task

    def _forget(self, task: TaskProgress) -> None:
        del self._tasks[task.code]
        for light in self._places.of(task):
            self._at_light[light].pop(task.code, None)

    def _pick(self, light: LightId) -> ShowLight:
        """What a pick light is to show."""
        tasks = self._at_light[light].values()
        wrong = sum(self._places.wrong(light, task) for task in tasks)
        if wrong:
            return ShowLight(light, "red", "fast", wrong)
        wanting = (t for t in tasks if t.wanting > 0 and self._places.wants(light, t))
        first = min(wanting, key=lambda task: task.rank, default=None)
        if first is None:
            return ShowLight(light)
        if first.asks:
            return ShowLight(light, "amber", "double", first.wanting)
        colour: LightColour = self._colours.get(first.actor or "", "green")
        return ShowLight(light, colour, "steady" if first.outward else "slow", first.wanting)

    def _alert(self, now: Ns, alert: Alert) -> Turn:
        if not (self._stacks or self._buzzers):
            return NOTHING
        noted = together(self._alerts.told(alert), self._stack())
        if alert.raised and alert.severity == "critical" and self._buzzers:
            self._silent_at = now + self._buzz_ns
            buzzing = (self._buzz(light, "red") for light in self._buzzers)
            return together(noted, Turn(actions=tuple(buzzing), next_wake=self._silent_at))
        if self._silent_at is not None and self._alerts.worst() != "critical":
            return together(noted, self._silence())
        return noted

    def _stack(self) -> Turn:
        worst = self._alerts.worst()
        colour: LightColour = "green"
        if worst is not None:
            colour = "red" if worst == "critical" else "amber"
        pattern = {"red": "fast", "amber": "slow"}.get(colour, "steady")
        shown = ShowLight("", colour, pattern)  # type: ignore[arg-type] # of the literals above
        return together(*(self._show(each, replace(shown, light=each)) for each in self._stacks))

    def _silence(self) -> Turn:
        self._silent_at = None
        return Turn(actions=tuple(self._buzz(light, None) for light in self._buzzers))

    @staticmethod
    def _buzz(light: LightId, colour: LightColour | None) -> ShowLight:
        """Not for good: after a lost link or a restart nobody wants to hear of it any more."""
        return ShowLight(light, colour, "fast" if colour else "steady", lasting=False)

    def _show(self, light: LightId, shown: ShowLight) -> Turn:
        """Let it show that, unless it does."""
        if self._shown.get(light, ShowLight(light)) == shown:
            return NOTHING
        if shown.colour is None:
            del self._shown[light]
            return Turn(actions=(shown,), deletes=(SHOWN_ROW + light,))
        self._shown[light] = shown
        return Turn(actions=(shown,), puts=(Row(SHOWN_ROW + light, asdict(shown)),))
