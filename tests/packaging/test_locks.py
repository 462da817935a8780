"""What is installed is pinned by hash, alike on the box and in development, from no named place."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock")
PIN = re.compile(r"^([a-z0-9-]+)(?:\[[a-z,-]+\])?==(\S+)((?: ; [^\\]+)?) \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")
NAME = re.compile(r"^[A-Za-z0-9._-]+")


def _pins(lock: str) -> dict[str, str]:
    """Name and version of each requirement; every line is a pin, one of its hashes or a remark."""
    pins: dict[str, str] = {}
    hashes: dict[str, int] = {}
    name = ""
    for number, line in enumerate((ROOT / lock).read_text().splitlines(), 1):
        if pin := PIN.match(line):
            name = pin[1] + pin[3]
            assert name not in pins
            pins[name], hashes[name] = pin[2], 0
        elif HASH.match(line):
            hashes[name] += 1
        else:
            assert line.startswith("    #"), f"{lock}:{number}: {line}"
    assert [name for name, count in hashes.items() if count == 0] == []
    return pins


def _wanted(requirements: list[str]) -> set[str]:
    names = (NAME.match(requirement) for requirement in requirements)
    return {re.sub(r"[._]", "-", name[0].lower()) for name in names if name}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_with_its_hashes(lock: str) -> None:
    assert len(_pins(lock)) >= 5


def test_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    box, development, build = (set(_pins(lock)) for lock in LOCKS)
    runtime = _wanted(project["project"]["dependencies"])
    assert runtime <= box
    assert runtime | _wanted(project["dependency-groups"]["dev"]) <= development
    assert _wanted(project["build-system"]["requires"]) <= build


def test_development_runs_what_the_box_runs() -> None:
    box, development = _pins("requirements.lock"), _pins("requirements-dev.lock")
    assert {name: development.get(name) for name in box} == box


def test_box_gets_neither_test_nor_demo_peers() -> None:
    names = set(_pins("requirements.lock"))
    assert not names & {"amqtt", "aiomqtt", "llrpkit", "pyllrp", "pytest", "hypothesis"}
