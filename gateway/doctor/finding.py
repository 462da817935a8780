"""What a check finds: a verdict, what it saw, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Verdict: TypeAlias = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` is a stable name; `fix` is one line, and stands with all that is not ok."""

    check: str
    verdict: Verdict
    text: str
    fix: str = ""

    def __post_init__(self) -> None:
        assert (self.verdict == "ok") == (not self.fix), "what is wrong has a fix, and only that"


def ok(check: str, text: str) -> Finding:
    """All well."""
    return Finding(check, "ok", text)


def warn(check: str, text: str, fix: str) -> Finding:
    """The gateway works, but something is given up."""
    return Finding(check, "warn", text, fix)


def fail(check: str, text: str, fix: str) -> Finding:
    """The gateway cannot do its work, or will lose it."""
    return Finding(check, "fail", text, fix)
