"""The daemon leaves out a rule that ended it again and again."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway import daemon
from gateway.clock import BootClock
from gateway.engine import RuleFailed
from gateway.model import Alert
from gateway.outcome import Outcome
from gateway.settings import Configuration, load_configuration
from gateway.store import RaisedAlert


def ended_by(error: BaseException) -> BaseException:
    """As the task groups of the daemon hand it on."""
    return BaseExceptionGroup("daemon", [BaseExceptionGroup("pipeline", [error])])


@pytest.fixture
def configuration(site: Path, tmp_path: Path) -> Configuration:
    loaded = load_configuration(site)
    return replace(loaded, gateway=loaded.gateway.model_copy(update={"state_folder": tmp_path}))


class Starts:
    """What each start of the daemon was given, and how it ends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rules: list[set[str]] = []
        self.left_out: list[list[str]] = []
        self.end: BaseException | None = None
        monkeypatch.setattr(daemon, "_run", self._run)

    async def _run(self, configuration: Configuration, left_out: Collection[str]) -> None:
        self.rules.append({rule.name for rule in configuration.rules})
        self.left_out.append(list(left_out))
        if self.end is not None:
            raise self.end


async def test_rule_that_fails_three_times_is_left_out(
    monkeypatch: pytest.MonkeyPatch, configuration: Configuration
) -> None:
    starts = Starts(monkeypatch)
    starts.end = ended_by(RuleFailed("portal", "bug"))
    for _ in range(3):
        with pytest.raises(BaseExceptionGroup):
            await daemon.run(configuration)
    starts.end = None
    await daemon.run(configuration)
    assert starts.left_out == [[], [], [], ["portal"]]
    assert "portal" in starts.rules[2]
    assert starts.rules[3] == starts.rules[2] - {"portal"}


@pytest.mark.parametrize("error", [RuleFailed("portal", "its rows"), ended_by(KeyError("bug"))])
async def test_only_failures_of_rules_are_written_down(
    monkeypatch: pytest.MonkeyPatch,
    configuration: Configuration,
    error: BaseException,
    tmp_path: Path,
) -> None:
    starts = Starts(monkeypatch)
    starts.end = error
    with pytest.raises(type(error)):
        await daemon.run(configuration)
    written = (tmp_path / "rule-failures.json").exists()
    assert written == isinstance(error, RuleFailed)


class Ledger:
    """Keeps the alerts that it is told, as a store does."""

    def __init__(self) -> None:
        self.told: list[Alert] = []
        self.standing: list[RaisedAlert] = []

    async def read(self, _question: object) -> list[RaisedAlert]:
        return self.standing

    async def submit(self, outcomes: Sequence[Outcome]) -> None:
        [alert] = [event for outcome in outcomes for event in outcome.events]
        assert isinstance(alert, Alert)
        self.told.append(alert)
        self.standing = [RaisedAlert(alert, "e", 1)] if alert.raised else []


async def tell(ledger: Ledger, rules: list[str]) -> None:
    section = SimpleNamespace(id="edge-t")
    parts: Any = SimpleNamespace(
        store=ledger,
        booker=ledger,
        clock=BootClock(),
        configuration=SimpleNamespace(gateway=section),
    )
    await daemon._tell_left_out(parts, rules)


async def test_left_out_rules_are_told_once_and_taken_back_once() -> None:
    ledger = Ledger()
    await tell(ledger, [])
    assert ledger.told == []
    for _ in range(2):
        await tell(ledger, ["count", "weight"])
    [raised] = ledger.told
    assert (raised.code, raised.key, raised.raised) == (
        "rule_left_out",
        "rule_left_out:edge-t",
        True,
    )
    assert "count, weight" in raised.text
    for _ in range(2):
        await tell(ledger, [])
    [_, cleared] = ledger.told
    assert not cleared.raised


async def test_alert_says_when_no_other_can_be_raised() -> None:
    ledger = Ledger()
    await tell(ledger, ["health"])
    assert "no other alert" in ledger.told[0].text


async def test_rules_whose_facts_would_be_lost_are_left_out_too(
    monkeypatch: pytest.MonkeyPatch, configuration: Configuration
) -> None:
    starts = Starts(monkeypatch)
    starts.end = ended_by(RuleFailed("movement", "bug"))
    for _ in range(3):
        with pytest.raises(BaseExceptionGroup):
            await daemon.run(configuration)
    starts.end = None
    await daemon.run(configuration)
    assert starts.rules[3] == {
        "person",
        "stock",
        "stocktake",
        "health",
        "light",
        "commission",
        "lots",
    }
