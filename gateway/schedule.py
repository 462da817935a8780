"""What is due by the clock on the wall: counts, snapshots for the record, digests.

Rules know no wall time, so what is due is fed to them as an observation. A moment that passes while
the gateway is down is left out: the next one comes tomorrow, and a count at noon because nobody
counted at night would only be in people's way.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field

from gateway.model import NS_PER_S, CountRequest, DigestRequest, Fact, SnapshotRequest, Today
from gateway.ports import PluginSettings

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

LOOK_S = 20.0
"""How often the clock is looked at: it may be set meanwhile."""

_MOMENT = re.compile(rf"(?:({'|'.join(WEEKDAYS)}) )?([01][0-9]|2[0-3]):([0-5][0-9])")

Feed: TypeAlias = Callable[[Sequence[Fact]], Awaitable[None]]

DAILY, WEEKLY = "daily", "weekly"
"""Reasons of the snapshots for the record: they change no book."""


def _moment(text: str) -> str:
    if text and not _MOMENT.fullmatch(text):
        raise ValueError('expected a time of day, as "02:30", or of a week, as "sun 02:30"')
    return text


Moment: TypeAlias = Annotated[str, AfterValidator(_moment)]
"""A local time of each day, or of one day of the week; "" is never."""


TimeOfDay: TypeAlias = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class ScheduleSettings(PluginSettings):
    """When what is done, by the local time of the box. A `digest_s` of 0 tells none. `shifts` are
    when each begins.
    """

    full_count: Moment = ""
    cycle_count: Moment = ""
    daily_snapshot: Moment = "00:05"
    weekly_snapshot: Moment = "mon 00:10"
    digest_s: int = Field(3600, ge=0, le=86_400)
    shifts: dict[str, TimeOfDay] = Field(
        default={"early": "06:00", "late": "14:00", "night": "22:00"}
    )


def due_between(moment: str, since: datetime, until: datetime) -> bool:
    """Whether the moment lies after `since`, nor after `until`; these are a day apart at most."""
    parts = _MOMENT.fullmatch(moment)
    if parts is None:
        return False
    weekday, hour, minute = parts[1], int(parts[2]), int(parts[3])
    for day in (since, until):
        at = day.replace(hour=hour, minute=minute, second=0, microsecond=0)
        if since < at <= until and weekday in {None, WEEKDAYS[at.weekday()]}:
            return True
    return False


class Schedule:
    """Feeds what is due, and which day it is. `wall_ns` tells the time, since 1970."""

    def __init__(self, settings: ScheduleSettings, wall_ns: Callable[[], int], feed: Feed) -> None:
        self._settings = settings
        self._wall_ns = wall_ns
        self._feed = feed
        self._last = self._local()
        self._digest_ns = wall_ns()
        self._today = ""

    async def run(self) -> None:
        """Look at the clock, again and again."""
        while True:
            await self.tell_day()
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def tell_day(self) -> None:
        """Feed which day it is, if nobody knows yet."""
        day = self._local().date().isoformat()
        if day != self._today:
            self._today = day
            await self._feed([Today(day)])

    async def look(self) -> None:
        """Feed what has become due since the last look; not what a clock that was set skips."""
        now = self._local()
        if timedelta() < now - self._last <= timedelta(hours=1):
            for fact in self._due(now):
                await self._feed([fact])
        self._last = now
        if self._settings.digest_s:
            since_ns = self._wall_ns() - self._digest_ns
            if since_ns < 0 or since_ns >= self._settings.digest_s * NS_PER_S:
                self._digest_ns = self._wall_ns()
                await self._feed([DigestRequest()])

    def _due(self, now: datetime) -> list[Fact]:
        settings, facts = self._settings, list[Fact]()
        if due_between(settings.daily_snapshot, self._last, now):
            facts.append(SnapshotRequest(DAILY))
        if due_between(settings.weekly_snapshot, self._last, now):
            facts.append(SnapshotRequest(WEEKLY))
        if due_between(settings.full_count, self._last, now):
            facts.append(CountRequest(str(uuid.uuid4()), "full", (), "schedule"))
        elif due_between(settings.cycle_count, self._last, now):
            facts.append(CountRequest(str(uuid.uuid4()), "cycle", (), "schedule"))
        return facts

    def _local(self) -> datetime:
        return datetime.fromtimestamp(self._wall_ns() / NS_PER_S)  # noqa: DTZ006 - what the clock on the wall says
