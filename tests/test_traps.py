"""Every known trap of a protocol or library has a test that covers it.

The traps stand in traps/*.toml, one file per field, each with the tests that would fail if we fell
into it. A trap without a test, or a test that is not there, fails here.
"""

import ast
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((Path(__file__).parent / "traps").glob("*.toml"))


def traps(path: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = tomllib.loads(path.read_text())["trap"]
    return found


def names_of_tests(path: Path) -> set[str]:
    """Names of the test functions of a file, those of classes as `Class::test`."""
    if not path.is_file():
        return set()
    names = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}::{item.name}" for item in node.body if hasattr(item, "name")}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
    return {name for name in names if name.rpartition("::")[2].startswith("test_")}


def gaps(path: Path) -> list[str]:
    """What is wrong with one file of traps."""
    wrong = []
    for trap in traps(path):
        named = trap.get("tests", [])
        assert isinstance(named, list)
        if not named:
            wrong.append(f"{trap['id']}: no test")
        for test in named:
            file, _, name = test.partition("::")
            if name not in names_of_tests(ROOT / file):
                wrong.append(f"{trap['id']}: there is no test {test}")
    return wrong


def test_traps_are_written_down() -> None:
    assert FILES != []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_trap_has_a_test_that_exists(path: Path) -> None:
    assert gaps(path) == []


def test_trap_ids_are_unique_and_titled() -> None:
    found = [trap for path in FILES for trap in traps(path)]
    assert [name for name, times in Counter(t["id"] for t in found).items() if times > 1] == []
    assert all(set(trap) == {"id", "title", "tests"} and trap["title"] for trap in found)


def test_gap_in_a_table_is_found(tmp_path: Path) -> None:
    table = tmp_path / "some.toml"
    table.write_text(
        '[[trap]]\nid = "a"\ntitle = "none"\ntests = []\n'
        '[[trap]]\nid = "b"\ntitle = "gone"\ntests = ["tests/test_traps.py::test_gone"]\n'
        '[[trap]]\nid = "c"\ntitle = "no file"\ntests = ["tests/gone.py::test_gone"]\n'
        '[[trap]]\nid = "d"\ntitle = "fine"\n'
        'tests = ["tests/test_traps.py::test_gap_in_a_table_is_found"]\n'
    )
    assert [gap.partition(":")[0] for gap in gaps(table)] == ["a", "b", "c"]
