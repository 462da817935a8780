"""How `shelfgate status` looks where a person reads it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway import cli
from tests.gateway.cli.test_cli import STATUS

MOVEMENT = {
    "seq": 123,
    "at_event": "2026-01-01T00:00:00.000Z",
    "kind": "issue",
    "quantity": 3,
    "uom": "pcs",
    "item": "BOLT-M8",
    "from": {"location": "SHELF-A-LEFT-1"},
    "to": {"location": "unknown"},
    "confidence_permille": 998,
    "reason": "observed",
    "order": {"system": "erp", "type": "prodorder", "number": "4711", "line": "10"},
    "actor": "ana",
}


@pytest.fixture
def status(site: Path, capfd: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """The lines of its answer."""

    def run() -> list[str]:
        with pytest.raises(SystemExit):
            cli.main(["status", "--config", str(site)])
        return capfd.readouterr().out.splitlines()

    return run


Status = Callable[[], list[str]]


def answered(monkeypatch: pytest.MonkeyPatch, movements: list[dict[str, Any]]) -> None:
    """The running gateway says that these were the last movements."""
    told = {"status": STATUS | {"last_movements": movements}}
    monkeypatch.setattr("gateway.cli.status.ask_gateway", lambda *_: told)


def test_status_tells_whose_a_movement_is(status: Status, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = {name: value for name, value in MOVEMENT.items() if name not in {"order", "actor"}}
    answered(monkeypatch, [MOVEMENT, plain])
    lines = status()[-2:]
    moved = (
        "movement  #123 2026-01-01T00:00:00.000Z issue 3 pcs BOLT-M8  SHELF-A-LEFT-1 -> unknown  "
    )
    assert lines == [
        f"{moved}for prodorder 4711/10, by ana, 99.8 % sure, observed",
        f"{moved}99.8 % sure, observed",
    ]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_status_breaks_no_word_on_a_terminal(
    status: Status,
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
) -> None:
    answered(monkeypatch, [MOVEMENT])
    whole = status()
    monkeypatch.setattr("gateway.cli.status.is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = status()
    assert any("SHELF-A-LEFT-1 -> unknown" in line for line in lines)
    assert max(len(line) for line in lines) <= columns
    assert " ".join(lines).split() == " ".join(whole).split()
    assert all(line[:9].strip() or line.startswith(" " * 10) for line in lines)
