"""A clock that is synchronised late: amendments, each once, and nothing edited."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.amend import late_amendments
from gateway.clock import Anchor, ClockQuality
from gateway.model import NS_PER_S, Alert, Movement, Ns
from gateway.outcome import Outcome
from gateway.store import Clocks, Identity, Store

BOOT = "boot-a"
WRONG_OFFSET_NS = 1_000_000_000 * NS_PER_S
LATE_NS = 3600 * NS_PER_S


class Still:
    """Both clocks, set by hand: the wall clock is an hour behind until it is synchronised."""

    def __init__(self) -> None:
        self.at: Ns = 100 * NS_PER_S
        self.offset_ns = WRONG_OFFSET_NS
        self.quality: ClockQuality = "unsynced"

    def now(self) -> Ns:
        return self.at

    def wall(self, at: Ns) -> tuple[int, ClockQuality]:
        return self.offset_ns + at, self.quality

    def synchronise(self) -> Anchor:
        self.offset_ns, self.quality = WRONG_OFFSET_NS + LATE_NS, "synced"
        return Anchor(BOOT, self.at, self.offset_ns + self.at, "synced")


@pytest.fixture
def still() -> Still:
    return Still()


@pytest.fixture
async def store(tmp_path: Path, still: Still) -> AsyncIterator[Store]:
    identity = Identity("edge", "machine", BOOT)
    opened = await Store.open(tmp_path / "ledger.db", identity, Clocks(still, still))
    yield opened
    await opened.close()


def moved(number: int, at: Ns) -> Movement:
    return Movement(
        f"m-{number}", "issue", "observed", "BOLT", 1, "pcs", "A-1", "unknown", at, at, 990
    )


async def book(store: Store, *events: Movement | Alert) -> None:
    await (await store.submit([Outcome(events[0].at_event, events=events)]))


async def test_records_before_the_clock_was_right_are_amended_once(
    store: Store, still: Still
) -> None:
    await book(store, moved(1, 90 * NS_PER_S))
    await book(store, Alert("store_full", "store", True, "warning", "text", 91 * NS_PER_S))
    anchor = still.synchronise()
    await book(store, moved(2, 95 * NS_PER_S))
    late = await late_amendments(store, anchor)
    told = {each.amends_seq: each.at_event_wall for each in late}
    assert told[1] == "2001-09-09T02:48:10.000Z"  # 1e9 s after 1970, an hour, and 90 s
    assert 3 not in told
    await (await store.submit([Outcome(still.at, events=tuple(late))]))
    assert await late_amendments(store, anchor) == []
    (first,) = (row for row in await store.records_after(0, 1))
    assert json.loads(first.body)["at_event"] == "2001-09-09T01:48:10.000Z"


async def test_clock_that_was_right_within_half_a_second_amends_nothing(
    store: Store, still: Still
) -> None:
    await book(store, moved(1, 90 * NS_PER_S))
    right = WRONG_OFFSET_NS + NS_PER_S // 3
    assert await late_amendments(store, Anchor(BOOT, still.at, right + still.at, "synced")) == []


async def test_bodies_of_records_that_were_stamped_right_are_not_looked_at(
    store: Store, still: Still, monkeypatch: pytest.MonkeyPatch
) -> None:
    anchor = still.synchronise()
    for number in range(20):
        await book(store, moved(number, 90 * NS_PER_S))
    parsed: list[bytes] = []
    monkeypatch.setattr("gateway.amend.json.loads", parsed.append)
    assert await late_amendments(store, anchor) == []
    assert parsed == []


async def test_records_of_another_boot_are_left_alone(store: Store) -> None:
    await book(store, moved(1, 90 * NS_PER_S))
    other = Anchor("boot-b", 5, WRONG_OFFSET_NS + LATE_NS, "synced")
    assert await late_amendments(store, other) == []
