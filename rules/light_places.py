"""Which lights a task is about. Part of the light rule.

A light at a cell is about what is done there, and about a task for its whole zone whose item is
planned on that cell; a light at a zone is about all that is done in it.
"""

from __future__ import annotations

from gateway.model import LightId, Site, TaskProgress


class LightPlaces:
    """See the module; pick lights only."""

    def __init__(self, site: Site) -> None:
        self.wired = {light.light for light in site.lights}
        self._at: dict[str, list[LightId]] = {}
        for light in site.lights:
            if light.kind == "pick":
                self._at.setdefault(light.location, []).append(light.light)
        self._zone_of = {cell.location: cell.zone for cell in site.cells if cell.zone}
        self._planned = {
            (cell.zone, item, cell.location)
            for cell in site.cells
            for item in cell.planned
            if cell.zone
        }

    def of(self, task: TaskProgress) -> tuple[LightId, ...]:
        """The lights that a task is about, where it is to be done and where it went wrong."""
        lights = dict.fromkeys(self._asked(task))
        for place, _ in task.astray:
            lights |= dict.fromkeys(self._lights_at(place))
        return tuple(lights)

    def wants(self, light: LightId, task: TaskProgress) -> bool:
        """Whether what a task wants is to be done at a light."""
        return light in self._asked(task)

    def wrong(self, light: LightId, task: TaskProgress) -> int:
        """How many pieces at a light are to go back whence they came."""
        astray = sum(pieces for place, pieces in task.astray if light in self._lights_at(place))
        return astray + (task.excess if light in self._asked(task) else 0)

    def _asked(self, task: TaskProgress) -> list[LightId]:
        within = [
            light
            for zone, item, location in sorted(self._planned)
            if (zone, item) == (task.place, task.item)
            for light in self._at.get(location, ())
        ]
        return [*self._lights_at(task.place), *within]

    def _lights_at(self, place: str) -> list[LightId]:
        return [*self._at.get(place, ()), *self._at.get(self._zone_of.get(place, ""), ())]
