"""What all tests share: where outside data lies, and how a missing server is treated."""

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.alert_watch import watch_alerts

ROOT = Path(__file__).resolve().parent.parent
STRICT = os.environ.get("SHELFGATE_STRICT") == "1"
LONG = {"chain", "packaging"}
"""Folders of tests that take many seconds each."""


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real captures; a visible skip where it is absent."""
    folder = Path(os.environ.get("SHELFGATE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real captures at {folder} (set SHELFGATE_DATA)")
    return folder


@pytest.fixture(scope="session")
def require() -> Callable[[str], str]:
    """Return the path of a tool; skip without it, or fail under SHELFGATE_STRICT=1."""

    def find(tool: str) -> str:
        path = shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/sbin")
        if path is None:
            message = f"{tool} is not installed"
            (pytest.fail if STRICT else pytest.skip)(message)
        return str(path)

    return find


@pytest.fixture
def free_port() -> int:
    """A loopback TCP port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pytest_configure() -> None:
    """Alerts of the product are checked wherever they are raised."""
    watch_alerts()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first: they mostly wait, and the short ones run beside them."""
    items.sort(key=lambda item: item.path.parent.name not in LONG)
