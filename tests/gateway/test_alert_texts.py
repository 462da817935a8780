"""The table of alerts: complete, in both languages, and what the product raises."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.alert_texts import entries, markdown, said, translated
from gateway.alerts import told_alert
from gateway.model import Alert
from gateway.outcome import Outcome
from gateway.store import Clocks, Identity, Store, StoreReader
from tests.gateway.uplink.test_store_to_core import StillTime

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [path for part in ("gateway", "rules", "drivers") for path in (ROOT / part).rglob("*.py")]

CODE_AT = {
    "Alert": 0,
    "DeviceFault": 1,
    "Alarm": 0,
    "_raise": 0,
    "happened": 0,
    "fault": 0,
    "now": 1,
    "more": 1,
    "found": 3,
    "settle": 1,
}
"""Calls that raise an alert, and which of their arguments is its code, or a key that begins so."""

TABLES_OF_CODES = {"FaultCode", "Matter", "SEVERITIES", "REFUSALS"}
"""Names of what lists codes elsewhere: a Literal, the keys of a table or a pair of each."""


def constants() -> dict[str, str]:
    """All strings that have a name in capitals."""
    named: dict[str, str] = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                pairs = [(target, node.value)]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = list(zip(target.elts, node.value.elts, strict=True))
                for name, value in pairs:
                    if isinstance(name, ast.Name) and isinstance(value, ast.Constant):
                        named[f"{path.name}:{name.id}"] = named[name.id] = str(value.value)
    return named


def code_of(node: ast.expr, path: Path, named: dict[str, str]) -> str | None:
    if isinstance(node, ast.Constant):
        return str(node.value).partition(":")[0]
    if isinstance(node, ast.Name):
        return named.get(f"{path.name}:{node.id}", named.get(node.id))
    if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
        return str(node.values[0].value).partition(":")[0]
    return None


def raised_codes() -> Iterator[tuple[str, str]]:
    """Each code that a call of the product names, and where."""
    named = constants()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                at = CODE_AT.get(name)
                if at is not None and len(node.args) > at:
                    code = code_of(node.args[at], path, named)
                    if code and re.fullmatch(r"[a-z]+(_[a-z]+)*", code):
                        yield code, path.name
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if any(getattr(each, "id", "") in TABLES_OF_CODES for each in targets):
                    yield from ((code, path.name) for code in listed(node, path, named))


def listed(node: ast.Assign | ast.AnnAssign, path: Path, named: dict[str, str]) -> Iterator[str]:
    if isinstance(node.value, ast.Dict):
        for key, value in zip(node.value.keys, node.value.values, strict=True):
            parts = value.elts[:1] if isinstance(value, ast.Tuple) else [key]
            yield from (code_of(part, path, named) or "" for part in parts if part is not None)
    elif node.value is not None:
        yield from (
            str(each.value) for each in ast.walk(node.value) if isinstance(each, ast.Constant)
        )


def test_every_code_that_is_raised_has_its_entry_and_no_entry_is_of_none() -> None:
    found: dict[str, set[str]] = {}
    for code, where in raised_codes():
        found.setdefault(code, set()).add(where)
    missing = {code: where for code, where in found.items() if code not in entries()}
    assert not missing
    told = "".join(path.read_text(encoding="utf-8") for path in SOURCES)
    assert [code for code in entries() if f'"{code}' not in told] == []


@pytest.mark.parametrize("code", entries())
def test_entry_says_what_to_do_in_both_languages(code: str) -> None:
    entry = entries()[code]
    assert set(entry.severity) <= {"info", "warning", "critical"}
    chinese = re.compile(r"[\u4e00-\u9fff]")
    assert chinese.search(entry.zh)
    assert chinese.search(entry.clears_zh)
    assert entry.en.endswith(".")
    assert ";" in entry.en or ":" in entry.en or "," in entry.en
    for sentence in (*entry.raised, *entry.cleared):
        words = re.findall(r"\{([a-z]+)\}", sentence.zh)
        assert set(words) <= set(re.findall(r"\{([a-z]+)\}", sentence.en))
        assert chinese.search(sentence.zh)


def test_sentence_is_said_with_what_fills_it() -> None:
    text = "A-1: 2 BOLT more moved than the 4 of task T-1; put back what is over"
    assert said("over_issue", text, "en") == text
    assert said("over_issue", text, "zh") == (
        "A-1：任务 T-1 要求 4，BOLT 多移动了 2；请放回多余部分"
    )
    assert said("over_issue", "over_issue:T-1: it is settled", "zh", raised=False) == (
        "over_issue:T-1：已解决"
    )


def test_what_a_device_says_of_itself_follows_what_it_means() -> None:
    told = translated("reader_exception", "antenna 3 too hot")
    assert told == {
        "en": "antenna 3 too hot",
        "zh": "读写器报告自身故障；请查阅其手册。（antenna 3 too hot）",
    }
    assert said("unit_silent", "unit_silent", "zh", raised=False) == "已解除：恢复应答。"


def test_code_of_a_third_party_is_said_as_it_is() -> None:
    assert said("their_own", "look at it", "zh") == "look at it"


def test_text_that_is_too_long_for_the_contract_is_cut() -> None:
    assert len(said("reader_exception", "x" * 1024, "zh")) == 1024


def test_guide_is_made_of_the_table() -> None:
    told = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    assert told.splitlines() == list(markdown())


async def test_alert_is_recorded_in_the_language_of_the_site(tmp_path: Path) -> None:
    text = "A-1: the weight never settles; nothing is booked there"
    alert = Alert("never_settles", "never_settles:A-1", True, "warning", text, 0)
    time = StillTime()
    identity = Identity("edge-1", "machine", "boot", "zh")
    store = await Store.open(tmp_path / "shelfgate.db", identity, Clocks(time, time))
    await (await store.submit([Outcome(0, events=(alert,))]))
    [record] = await store.read(lambda reader: reader.records_after(0, 10))
    assert json.loads(record.body)["text"] == "A-1：重量始终不稳定；该处不记账"
    [standing] = await store.read(StoreReader.alerts)
    assert told_alert(standing, "zh")["texts"] == {
        "en": text,
        "zh": "A-1：重量始终不稳定；该处不记账",
    }
    await store.close()
