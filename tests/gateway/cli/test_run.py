"""How `run` ends: its exit code tells systemd and people what to do."""

import asyncio
import io
import json
import logging
from pathlib import Path

import pytest
import structlog

from gateway.cli import run
from gateway.cli.exits import BUG, CONFIG, DISK, OK
from gateway.cli.logs import set_up_logs
from gateway.ports import ConfigError
from gateway.settings import Configuration
from gateway.store import StoreFailed


def ends_with(error: BaseException | None, monkeypatch: pytest.MonkeyPatch, site: Path) -> int:
    async def daemon(_configuration: Configuration) -> None:
        await asyncio.sleep(0)
        if error is not None:
            raise error

    monkeypatch.setattr(run, "run", daemon)
    with pytest.raises(SystemExit) as ended:
        run.main(["--config", str(site)])
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, OK),
        (ConfigError("credential: no file"), CONFIG),
        (OSError(28, "No space left on device"), DISK),
        (StoreFailed("is being written by another process"), DISK),
        (ExceptionGroup("tasks", [ExceptionGroup("store", [StoreFailed("disk I/O error")])]), DISK),
        (ExceptionGroup("tasks", [KeyError("bug")]), BUG),
        (AssertionError("rules answer each other for ever"), BUG),
    ],
)
def test_exit_code_tells_what_ended_it(
    error: BaseException | None, code: int, monkeypatch: pytest.MonkeyPatch, site: Path
) -> None:
    assert ends_with(error, monkeypatch, site) == code


def test_a_bug_leaves_its_traceback_in_the_log(
    monkeypatch: pytest.MonkeyPatch, site: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ends_with(KeyError("channel"), monkeypatch, site) == BUG
    line = json.loads(capfd.readouterr().err.splitlines()[-1])
    assert line["level"] == "critical"
    assert "KeyError: 'channel'" in line["exception"]
    assert "test_run.py" in line["exception"]


def test_log_is_json_where_no_person_reads() -> None:
    out = io.StringIO()
    set_up_logs(out)
    structlog.get_logger("device").warning("device lost", device="dock", reason="cable")
    line = json.loads(out.getvalue())
    assert (line["event"], line["device"], line["level"]) == ("device lost", "dock", "warning")
    assert line["timestamp"].endswith("Z")


def test_log_is_plain_text_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    set_up_logs(out)
    structlog.get_logger("device").warning("device lost", device="dock")
    assert "device lost" in out.getvalue()
    assert "device=dock" in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_log_of_libraries_looks_the_same_and_is_quiet() -> None:
    out = io.StringIO()
    set_up_logs(out)
    logging.getLogger("pymodbus").info("chatter")
    logging.getLogger("pymodbus").error("trouble %s", 7)
    (line,) = map(json.loads, out.getvalue().splitlines())
    assert (line["event"], line["level"]) == ("trouble 7", "error")
