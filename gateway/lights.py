"""What the lights of one device are to show, what is still to be told, and who did not obey.

A light that cannot blink is switched here, at each edge of its pattern. One that did not obey is
told again after a while: a lamp may have been plugged in since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from gateway.model import LightId, Ns, ShowLight, is_lit, next_edge
from gateway.ports import LightAbility

Ability = Callable[[LightId], LightAbility | None]


class LightBoard:
    """See the module. `lights` are all that are wired to the device; each is dark at first."""

    def __init__(self, lights: Iterable[LightId], ability: Ability) -> None:
        self.refused: dict[LightId, str] = {}
        self._ability = ability
        self._levels = {light: ShowLight(light) for light in lights}
        self._now = dict(self._levels)
        self._due: dict[LightId, None] = {}
        self._told: dict[LightId, ShowLight] = {}

    def restore(self, shown: ShowLight) -> None:
        """What an earlier run wanted it to show, unless it is not wired any more, or this run wants
        something else by now.
        """
        if shown.light in self._levels and shown.light not in self._due:
            self._levels[shown.light] = self._now[shown.light] = shown

    def show(self, shown: ShowLight) -> bool:
        """From now on it shows that; False if there is no such light."""
        if shown.light not in self._levels:
            return False
        self._levels[shown.light] = shown if shown.lasting else ShowLight(shown.light)
        self._now[shown.light] = shown
        self._due[shown.light] = None
        return True

    def tell_all(self) -> None:
        """The device is there anew: nobody knows what its lights show."""
        self._now = dict(self._levels)
        self._due = dict.fromkeys(self._levels)
        self._told.clear()
        self.refused.clear()

    def tell_again(self) -> None:
        """Those that did not obey are told anew."""
        self._due |= dict.fromkeys(self.refused)

    def next_told(self, now: Ns) -> ShowLight | None:
        """What is to be told next, as it is to look at this moment; None if nothing is."""
        if self._due:
            light = next(iter(self._due))
            del self._due[light]
            return self._looks(self._now[light], now)
        for shown in self._now.values():
            if shown.pattern == "steady" or shown.light in self.refused:
                continue
            looks = self._looks(shown, now)
            if looks != self._told.get(shown.light):
                return looks
        return None

    def told(self, looks: ShowLight, refusal: str = "") -> None:
        """It was told, and obeyed unless there is a `refusal`."""
        self._told[looks.light] = looks
        if refusal:
            self.refused[looks.light] = refusal
        else:
            self.refused.pop(looks.light, None)

    def next_edge(self, now: Ns) -> Ns | None:
        """When the next lamp is to be switched that cannot blink."""
        blinking = (shown.pattern for shown in self._now.values() if self._switched(shown))
        edges = (next_edge(pattern, now) for pattern in blinking)
        return min((edge for edge in edges if edge is not None), default=None)

    def lit(self) -> list[LightId]:
        """The lights that show something."""
        shown = self._now.values()
        return [each.light for each in shown if (each.colour, each.number) != (None, None)]

    def _looks(self, shown: ShowLight, now: Ns) -> ShowLight:
        """What the driver is told at this moment: of a lamp that cannot blink, lit or dark."""
        if not self._switched(shown):
            return shown
        lit = is_lit(shown.pattern, now)
        return replace(shown, pattern="steady", colour=shown.colour if lit else None)

    def _switched(self, shown: ShowLight) -> bool:
        if shown.colour is None or shown.pattern == "steady":
            return False
        ability = self._ability(shown.light)
        return ability is None or not ability.blinks
