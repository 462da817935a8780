"""The watchdog in virtual time: fed while the pump turns, and no longer."""

import asyncio
import socket
from pathlib import Path

import pytest

from gateway import notify
from gateway.coverage import LoopPulse
from gateway.engine import Engine
from gateway.inbox import Inbox
from gateway.model import Heartbeat
from gateway.pipeline import Pipeline
from tests.gateway.rigs import MemoryLedger
from tests.virtual_time import VirtualClock, run

PERIOD_S = 30


class Watched:
    """A pipeline without rules, and what systemd hears of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.heard: list[str] = []
        monkeypatch.setattr(notify, "notify", self.heard.append)
        monkeypatch.setenv("WATCHDOG_USEC", str(PERIOD_S * 1_000_000))
        clock = VirtualClock()
        self.inbox = Inbox()
        pulse = LoopPulse(clock)
        self.pipeline = Pipeline(Engine([]), self.inbox, MemoryLedger(), clock, pulse)
        self.tasks = [
            asyncio.create_task(self.pipeline.run()),
            asyncio.create_task(notify.feed_watchdog(self.pipeline.moved)),
        ]

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def test_watchdog_is_fed_though_no_device_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        watched = Watched(monkeypatch)
        await asyncio.sleep(10 * PERIOD_S + 1)
        assert watched.heard == ["WATCHDOG=1"] * 10 * notify.WATCHDOG_SHARE
        await watched.end()

    run(main())


def test_watchdog_is_not_fed_while_the_pump_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        watched = Watched(monkeypatch)
        watched.tasks[0].cancel()
        await asyncio.sleep(2 * PERIOD_S)
        watched.inbox.put_first(0, Heartbeat("r"))
        heard = len(watched.heard)
        assert heard <= 1
        await asyncio.sleep(10 * PERIOD_S)
        assert len(watched.heard) == heard
        await watched.end()

    run(main())


def test_nothing_is_fed_without_a_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    fed: list[str] = []
    monkeypatch.setattr(notify, "notify", fed.append)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    asyncio.run(asyncio.wait_for(notify.feed_watchdog(lambda: True), 1))
    assert fed == []


def test_state_reaches_the_socket_that_systemd_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notify.notify("READY=1")
        assert systemd.recv(64) == b"READY=1"
