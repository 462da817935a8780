"""What keeps the house small enough to read: lengths, names, and tests that say something."""

import ast
import os
import re
import stat
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE = ("gateway", "drivers", "rules", "simulators", "config", "tests")
MODULE_LINES_MAX, FUNCTION_LINES_MAX = 400, 60
PAGES = {"README.md": 120, "CONTRIBUTING.md": 40}

EMPTY_NAMES = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
LEFT_OVER = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")
OF_ONE_MACHINE = re.compile("|".join(f"/{name}/" for name in ("wo" + "rk", "ro" + "ot")))
PLACES_OF_PACKAGES = re.compile(
    "|".join(
        (
            "py" + r"pi\.(org|python)",
            "python" + "hosted",
            "registry" + r"\.(npm|yarn)",
            r"(?<!emit-)" + "index" + "-url",
            "find" + "-links",
        )
    )
)
SILENCED = re.compile(r"# (type: ignore|noqa)(.*)")
REASON = re.compile(r"^(\[[\w,\- ]+\]|: [A-Z0-9, ]+) [-#] \w.{3,}")

ASSERTING_CALLS = {"raises", "warns", "fail", "run_state_machine_as_test"}


@cache
def _modules() -> tuple[tuple[Path, str, ast.Module], ...]:
    paths = sorted(path for part in CODE for path in (ROOT / part).rglob("*.py"))
    texts = ((path, path.read_text(encoding="utf-8")) for path in paths)
    return tuple((path.relative_to(ROOT), text, ast.parse(text)) for path, text in texts)


@cache
def _tracked() -> tuple[Path, ...]:
    """Every file of the repository; a release without its history is walked instead."""
    listing = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=False
    )
    if listing.returncode == 0:
        return tuple(
            ROOT / name for name in listing.stdout.split("\0")[:-1] if (ROOT / name).is_file()
        )
    return tuple(path for path in ROOT.rglob("*") if path.is_file() and not _is_made(path))


def _is_made(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def _texts() -> Iterator[tuple[Path, str]]:
    for path in _tracked():
        content = path.read_bytes()
        if b"\0" not in content:
            yield path.relative_to(ROOT), content.decode("utf-8")


def _found(pattern: re.Pattern[str], *, but: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()[:80]}"
        for path, text in _texts()
        if path.name not in but
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _name_called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _asserts(function: ast.AST, asserting: set[str]) -> bool:
    """Whether it asserts itself, or calls by name what does."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) and not isinstance(node.test, ast.Constant):
            return True
        if isinstance(node, ast.Raise) and "AssertionError" in ast.unparse(node):
            return True
        if isinstance(node, ast.Call) and _name_called(node) in asserting:
            return True
    return False


@cache
def _asserting_names(folder: Path) -> set[str]:
    """What a test may call to assert: pytest's own, and what this folder's functions make of it."""
    functions = [
        function
        for path, _text, tree in _modules()
        if path.parent == folder
        for function in _functions(tree)
        if not function.name.startswith("test_")
    ]
    names = set(ASSERTING_CALLS)
    while more := {f.name for f in functions if f.name not in names and _asserts(f, names)}:
        names |= more
    return names


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def test_modules_are_short() -> None:
    lengths = ((path, len(text.splitlines())) for path, text, _tree in _modules())
    assert [f"{path}: {lines}" for path, lines in lengths if lines > MODULE_LINES_MAX] == []


def test_functions_are_short() -> None:
    long = [
        f"{path}:{function.lineno} {function.name}: {_length(function)}"
        for path, _text, tree in _modules()
        for function in _functions(tree)
        if _length(function) > FUNCTION_LINES_MAX
    ]
    assert long == []


def test_every_test_asserts() -> None:
    silent = [
        f"{path}:{function.lineno} {function.name}"
        for path, _text, tree in _modules()
        if path.parts[0] == "tests" and path.name.startswith("test_")
        for function in _functions(tree)
        if function.name.startswith("test_")
        and not _asserts(function, _asserting_names(path.parent))
    ]
    assert silent == []


def test_no_skip_without_a_reason() -> None:
    mute = [
        f"{path}:{node.lineno}"
        for path, _text, tree in _modules()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and _is_bare_mark(node, tree))
        or (isinstance(node, ast.Call) and _is_mute_skip(node))
    ]
    assert mute == []


def _is_bare_mark(node: ast.Attribute, tree: ast.AST) -> bool:
    """`pytest.mark.skip` without a call; with one, the call is judged."""
    if node.attr not in {"skip", "xfail"} or not isinstance(node.value, ast.Attribute):
        return False
    called = any(isinstance(call, ast.Call) and call.func is node for call in ast.walk(tree))
    return node.value.attr == "mark" and not called


def _is_mute_skip(node: ast.Call) -> bool:
    if not isinstance(node.func, ast.Attribute):
        return False
    given = {keyword.arg for keyword in node.keywords}
    if isinstance(node.func.value, ast.Attribute) and node.func.value.attr == "mark":
        return node.func.attr in {"skip", "skipif", "xfail"} and "reason" not in given
    at_run_time = isinstance(node.func.value, ast.Name) and node.func.value.id == "pytest"
    return at_run_time and node.func.attr == "skip" and not (node.args or "reason" in given)


def test_modules_are_named_by_what_they_are() -> None:
    named = {path for path, _text, _tree in _modules()}
    assert [path for path in named if EMPTY_NAMES & {path.stem, *path.parent.parts}] == []


def test_nothing_is_left_for_later() -> None:
    assert _found(LEFT_OVER, but=("LICENSE",)) == []


def test_nothing_knows_a_machine() -> None:
    assert _found(OF_ONE_MACHINE) == []


def test_nothing_says_where_packages_come_from() -> None:
    assert _found(PLACES_OF_PACKAGES) == []


def test_what_silences_a_checker_says_why() -> None:
    unsaid = [
        f"{path}:{number}"
        for path, text, _tree in _modules()
        for number, line in enumerate(text.splitlines(), 1)
        if (silenced := SILENCED.search(line)) and not REASON.match(silenced[2])
        if silenced[1] == "noqa" or path.parts[0] != "tests"  # what tests do wrong, they mean
    ]
    assert unsaid == []


@pytest.mark.parametrize("page", PAGES)
def test_page_is_short(page: str) -> None:
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    assert 0 < len(lines) <= PAGES[page]


def test_scripts_can_be_run() -> None:
    scripts = [*(ROOT / "scripts").iterdir(), ROOT / ".ci" / "run"]
    runnable = [
        path
        for path in scripts
        if path.stat().st_mode & stat.S_IXUSR and path.read_bytes().startswith(b"#!")
    ]
    assert runnable == scripts
    assert os.access(ROOT / "scripts" / "demo", os.X_OK)


def _contract(name: str) -> dict[str, list[str]]:
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = content["tool"]["importlinter"]["contracts"]
    return next(contract for contract in contracts if contract["name"].startswith(name))


def test_plugins_are_kept_from_all_of_the_gateway_but_words_and_seams() -> None:
    contract = _contract("A plugin knows")
    assert contract["forbidden_modules"] == ["gateway", "simulators"]
    assert contract["ignore_imports"] == [
        f"{plugins}.** -> gateway.{known}"
        for plugins in ("drivers", "rules")
        for known in ("model", "ports")
    ]


def test_plugins_are_kept_from_each_other() -> None:
    for group, contract in (("drivers", "Drivers do not"), ("rules", "Rules do not")):
        modules = {entry.module for entry in entry_points(group=f"shelfgate.{group}")}
        ours = {module for module in modules if module.startswith(f"{group}.")}
        assert ours
        assert ours <= set(_contract(contract)["modules"])
