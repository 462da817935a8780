"""What every alert means, in English and Chinese: the table `alert_texts.toml`.

Whoever raises an alert says it in English. The table has each such sentence with placeholders for
what fills it, so that a sentence is read back into them and said in another language; one that is
not in the table (what a device says of itself) follows what the alert means in general.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeAlias, get_args

from gateway.model import Severity

Language: TypeAlias = Literal["en", "zh"]

LANGUAGES: tuple[Language, ...] = get_args(Language)

TEXT_MAX = 1024
"""What the contract lets an alert say."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence with placeholders, in each language."""

    en: str
    zh: str

    @property
    def pattern(self) -> re.Pattern[str]:
        """Finds what fills the placeholders of the English one."""
        return _pattern(self.en)


@dataclass(frozen=True, slots=True)
class Entry:
    """One code: how grave it may be, what it means and what to do (`en`, `zh`), what clears it, and
    the sentences in which it is raised and cleared.
    """

    severity: tuple[Severity, ...]
    en: str
    zh: str
    clears_en: str
    clears_zh: str
    raised: tuple[Sentence, ...] = ()
    cleared: tuple[Sentence, ...] = ()


@cache
def entries() -> Mapping[str, Entry]:
    """All codes, in the order of the table."""
    text = files("gateway").joinpath("alert_texts.toml").read_text(encoding="utf-8")
    return {code: Entry(**_typed(fields)) for code, fields in tomllib.loads(text).items()}


def said(code: str, text: str, language: Language, *, raised: bool = True) -> str:
    """The English text of an alert in that language; as it is where the table does not help."""
    entry = entries().get(code)
    if language == "en" or entry is None:
        return text
    for sentence in entry.raised if raised else entry.cleared:
        found = sentence.pattern.fullmatch(text)
        if found is not None:
            return sentence.zh.format(**found.groupdict())[:TEXT_MAX]
    general = entry.zh if raised else f"已解除：{entry.clears_zh}。"
    return (general if text in {"", code} else f"{general}（{text}）")[:TEXT_MAX]


def translated(code: str, text: str) -> dict[str, str]:
    """The English text of an alert that stands, in every language."""
    return {language: said(code, text, language) for language in LANGUAGES}


def markdown() -> Iterator[str]:
    """The table for people, line by line: docs/alerts.md is made of it."""
    yield "# Alerts"
    yield ""
    yield "Made of gateway/alert_texts.toml by `shelfgate alert codes --markdown`."
    for code, entry in entries().items():
        yield ""
        yield f"## {code}"
        yield ""
        yield f"Severity: {', '.join(entry.severity)}."
        yield ""
        yield f"{entry.en} It is cleared when {entry.clears_en}."
        yield ""
        yield f"{entry.zh} 解除条件：{entry.clears_zh}。"


def _typed(fields: Mapping[str, Any]) -> dict[str, Any]:
    typed = dict(fields)
    for name, value in fields.items():
        if isinstance(value, list):
            typed[name] = tuple(Sentence(**one) if isinstance(one, dict) else one for one in value)
    return typed


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{([a-z]+)\}", template)
    known: set[str] = set()
    built = ""
    for index, part in enumerate(parts):
        if index % 2 == 0:
            built += re.escape(part)
        elif part in known:
            built += f"(?P={part})"
        else:
            built += f"(?P<{part}>.*?)"
            known.add(part)
    return re.compile(built, re.DOTALL)
