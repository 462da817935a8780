"""Runs commands as from a shell. They set up logs; the next test finds them as they were."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from gateway import cli


@pytest.fixture(autouse=True)
def _leave_logs_as_they_were() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def shelfgate(capfd: pytest.CaptureFixture[str], site: Path) -> Callable[..., tuple[int, str, str]]:
    """Runs a command at the site; gives its exit code, and what it wrote to stdout and stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main([*words, "--config", str(site)])
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return run
