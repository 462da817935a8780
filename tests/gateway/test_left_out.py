"""The daemon leaves out a rule that ended it again and again."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from gateway import daemon
from gateway.engine import RuleFailed
from gateway.settings import Configuration, load_configuration


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


class Gateway:
    """Keeps the faults it is told."""

    def __init__(self) -> None:
        self.faults: list[tuple[str, bool, str]] = []

    async def fault(self, code: str, *, active: bool, detail: str) -> None:
        self.faults.append((code, active, detail))


@pytest.mark.parametrize("rules", [[], ["portal"], ["count", "portal"]])
async def test_left_out_rules_are_told_and_taken_back(rules: list[str]) -> None:
    gateway = Gateway()
    await daemon._tell_left_out(gateway, rules)  # type: ignore[arg-type] # all it asks of one
    [(code, active, detail)] = gateway.faults
    assert (code, active) == ("rule_left_out", bool(rules))
    assert all(rule in detail for rule in rules)
