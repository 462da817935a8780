"""What the store's tests share: a still clock, made-up movements, a store in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.clock import ClockQuality
from gateway.model import NS_PER_S, Evidence, Movement, Ns
from gateway.outcome import EvidenceRow, Outcome
from gateway.ports import Row
from gateway.store import Clocks, Identity

WALL_OF_BOOT_NS = 1_790_000_000 * NS_PER_S
"""The wall time at which the made-up boot began."""


@dataclass
class StillClock:
    """Boot time that moves when told."""

    at: Ns = 5 * NS_PER_S

    def now(self) -> Ns:
        return self.at


@dataclass
class StillWall:
    """Wall time at a fixed distance from boot time."""

    quality: ClockQuality = "synced"
    boot_unix_ns: int = WALL_OF_BOOT_NS

    def wall(self, at: Ns) -> tuple[int, ClockQuality]:
        return self.boot_unix_ns + at, self.quality


def movement(number: int, item: str = "M6-NUT") -> Movement:
    return Movement(
        movement_id=f"movement-{number}",
        kind="issue",
        reason="pick",
        item=item,
        quantity=number % 9 + 1,
        uom="pcs",
        from_location=f"shelf-{number % 4}",
        to_location="unknown",
        at_event=number * NS_PER_S,
        at_decided=number * NS_PER_S + 1,
        confidence_permille=987,
        evidence=Evidence(weight_before_mg=5_310_000, weight_after_mg=5_270_000, sd_mg=900),
    )


def turn(number: int) -> Outcome:
    """A movement, and the row of the rule that decided it."""
    return Outcome(
        at=number * NS_PER_S,
        events=(movement(number),),
        puts=(("weight", 1, Row(f"shelf-{number % 4}", {"last": f"movement-{number}"})),),
        evidence=(EvidenceRow(0, {"reads": [number, 1.5]}),),
    )


@pytest.fixture
def clocks() -> Clocks:
    return Clocks(StillClock(), StillWall())


@pytest.fixture
def identity() -> Identity:
    return Identity(gateway="edge-1", machine="machine-a", boot_id="boot-1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shelfgate.db"
