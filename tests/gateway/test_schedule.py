"""What is due by the clock on the wall."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.model import CountRequest, DigestRequest, Fact, SnapshotRequest, Today
from gateway.schedule import Schedule, ScheduleSettings, due_between

MONDAY = datetime(2026, 11, 23)  # noqa: DTZ001 - the clock on the wall
S = 1_000_000_000


def at(text: str, day: int = 0) -> datetime:
    hour, minute = map(int, text.split(":"))
    return MONDAY.replace(day=MONDAY.day + day, hour=hour, minute=minute)


@pytest.mark.parametrize(
    ("moment", "since", "until", "due"),
    [
        ("02:30", at("02:29"), at("02:30"), True),
        ("02:30", at("02:30"), at("02:31"), False),
        ("02:30", at("02:28"), at("02:29"), False),
        ("00:00", at("23:59"), at("00:00", 1), True),
        ("mon 02:30", at("02:29"), at("02:31"), True),
        ("tue 02:30", at("02:29"), at("02:31"), False),
        ("tue 00:00", at("23:59"), at("00:01", 1), True),
        ("", at("00:00"), at("23:59"), False),
    ],
)
def test_moment_is_due_once(moment: str, since: datetime, until: datetime, due: bool) -> None:
    assert due_between(moment, since, until) is due


@pytest.mark.parametrize("moment", ["25:00", "2:30", "funday 02:30", "02:30 mon", "mon"])
def test_moment_that_is_none_is_refused(moment: str) -> None:
    with pytest.raises(ValidationError, match="expected a time of day"):
        ScheduleSettings(full_count=moment)


@pytest.mark.parametrize("at", ["24:00", "noon", ""])
def test_shift_that_begins_at_no_time_is_refused(at: str) -> None:
    with pytest.raises(ValidationError, match="shifts"):
        ScheduleSettings(shifts={"early": at})


class Wall:
    """A clock on the wall, and what is fed by it."""

    def __init__(self, begins: datetime, **settings: Any) -> None:
        self.now = begins
        self.fed: list[Fact] = []
        self.schedule = Schedule(ScheduleSettings(**settings), self.wall_ns, self.feed)

    def wall_ns(self) -> int:
        return int(self.now.timestamp()) * S

    async def feed(self, facts: Sequence[Fact]) -> None:
        self.fed.extend(facts)

    async def look(self, now: datetime) -> list[Any]:
        self.now = now
        self.fed.clear()
        await self.schedule.look()
        return list(self.fed)


async def test_snapshots_and_counts_are_asked_for_at_their_time() -> None:
    wall = Wall(at("00:04"), full_count="mon 00:08", cycle_count="00:08", digest_s=0)
    assert await wall.look(at("00:05")) == [SnapshotRequest("daily")]
    assert await wall.look(at("00:06")) == []
    (count,) = await wall.look(at("00:08"))
    assert isinstance(count, CountRequest)
    assert (count.scope, count.asked_by) == ("full", "schedule")
    assert await wall.look(at("00:10")) == [SnapshotRequest("weekly")]
    wall = Wall(at("00:07", 1), full_count="mon 00:08", cycle_count="00:08", digest_s=0)
    (count,) = await wall.look(at("00:08", 1))
    assert isinstance(count, CountRequest)
    assert count.scope == "cycle"


async def test_clock_that_is_set_makes_nothing_due() -> None:
    wall = Wall(datetime(1970, 1, 1), digest_s=0)  # noqa: DTZ001 - the clock on the wall
    assert await wall.look(at("00:06")) == []
    assert await wall.look(at("00:04")) == []
    assert await wall.look(at("00:05")) == [SnapshotRequest("daily")]


async def test_digest_is_told_each_hour() -> None:
    wall = Wall(at("08:00"))
    assert await wall.look(at("08:59")) == []
    assert await wall.look(at("09:00")) == [DigestRequest()]
    assert await wall.look(at("09:59")) == []
    assert await wall.look(at("10:00")) == [DigestRequest()]


async def test_day_is_told_at_the_start_and_when_it_begins() -> None:
    wall = Wall(at("23:59"))
    for moment in (at("23:59"), at("23:59"), at("00:01", 1)):
        wall.now = moment
        await wall.schedule.tell_day()
    days = [fact.day for fact in wall.fed if isinstance(fact, Today)]
    assert days == [at("00:01").date().isoformat(), at("00:01", 1).date().isoformat()]
