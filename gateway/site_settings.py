"""The wiring of a site as the configuration file has it: which device watches which place."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from gateway.model import LightKind
from gateway.ports import PluginSettings
from gateway.wiring import Portal

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,62}$")]
Point = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*:[0-9]+$")]
CellName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*:[A-Za-z0-9_.\-]+$")
]

PLANNED_MAX = 5
"""Items on one plate: with more, the weight of some pieces is always that of others."""


class ZoneSection(PluginSettings):
    """The antennas (`reader:antenna`) that watch a location; `sure` from 0 (decides soonest) to 1
    (wrong most seldom), where the zone is to differ from `rules.presence`.
    """

    location: Id
    antennas: tuple[Point, ...] = Field(min_length=1)
    sure: float | None = Field(None, ge=0, le=1)


class CellSection(PluginSettings):
    """A weighing cell (`device:cell`), its location, its planned item, the zone around it.

    A plate on which several items lie has them all in `items`, instead of `item`.
    """

    cell: CellName
    location: Id
    item: str | None = None
    zone: Id | None = None
    items: tuple[str, ...] = Field((), max_length=PLANNED_MAX)

    @model_validator(mode="after")
    def _planned_once(self) -> Self:
        if self.item is not None and self.items:
            raise ValueError("item is for one, items is for several: give one of the two")
        if len(set(self.items)) < len(self.items):
            raise ValueError("items names one twice")
        return self


class PortalSection(PluginSettings):
    """A gate: antennas on either side, and the locations it joins; `sure` from 0 (decides soonest)
    to 1 (wrong most seldom), where the gate is to differ from `rules.portal`. `door` is the digital
    input (`reader:port`) of a contact that is at `door_closed_level` while the door is closed.
    """

    portal: Id
    outer: tuple[Point, ...] = Field(min_length=1)
    inner: tuple[Point, ...] = Field(min_length=1)
    outside: Id = "unknown"
    inside: Id
    sure: float | None = Field(None, ge=0, le=1)
    door: Point | None = None
    door_closed_level: bool = True

    def wired(self) -> Portal:
        """As the rules know it."""
        return Portal(
            self.portal,
            self.outer,
            self.inner,
            self.outside,
            self.inside,
            self.sure,
            self.door or "",
            self.door_closed_level,
        )


class ScannerSection(PluginSettings):
    """A scanner that stands at a location: who scans a badge with it is there."""

    device: Id
    location: Id


class LightSection(PluginSettings):
    """A light (`device:light`): `pick` at its location, `stack` or `buzzer` of the gateway."""

    light: CellName
    kind: LightKind
    location: Id | None = None

    @model_validator(mode="after")
    def _located(self) -> Self:
        if self.kind == "pick" and self.location is None:
            raise ValueError("location: a pick light needs one")
        if self.kind != "pick" and self.location is not None:
            raise ValueError(f"location: a {self.kind} tells of the whole gateway and has none")
        return self
