"""Which rules ended the process, so that one that does so again and again is left out.

A rule's bug ends the process and systemd starts it anew from the last commit. Where the same fact
comes back each time, that would go on for ever: a rule that did it RULE_FAILURES_MAX times within
RULE_FAILURES_NS is left out from the next start on, until another release is installed, the
machine boots, or the file is removed. The others go on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import structlog

from gateway.model import NS_PER_S, Ns

RULE_FAILURES_FILE = "rule-failures.json"

RULE_FAILURES_MAX = 3
RULE_FAILURES_NS = 300 * NS_PER_S
"""Three times in five minutes is no accident; systemd restarts within seconds."""

KEPT_MAX = 32
"""Failures in the file: the rules of a gateway, three times each."""

BEHIND: Mapping[str, tuple[str, ...]] = {
    "count": ("weight",),
    "movement": ("presence", "portal", "weight", "count", "task"),
}
"""Whose facts only that rule books. While it does not run, they must not run either: they would
note in their rows what was never booked, and nobody would find it again. What they miss meanwhile
they find when they run again. `task` would take for short what nobody tells it of; `stock` is none
of them: it books nothing that moves."""


def not_to_run(failed: Collection[str]) -> Collection[str]:
    """The rules that failed, and those whose facts would be lost without them."""
    behind = (rule for name in failed for rule in BEHIND.get(name, ()))
    return sorted({*failed, *behind})


class RuleRecord:
    """The failures of this boot and release, in one small file of the state folder."""

    def __init__(self, folder: Path, boot: str, release: str) -> None:
        self.path = folder / RULE_FAILURES_FILE
        self._run = {"boot": boot, "release": release}
        self._failures: list[tuple[str, Ns]] = self._read()

    def note(self, rule: str, at: Ns) -> None:
        """Write down that the rule ended the process at that moment of this boot."""
        self._failures = [*self._failures, (rule, at)][-KEPT_MAX:]
        content = {**self._run, "failures": self._failures}
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(content), encoding="utf-8")
        fresh.replace(self.path)

    def left_out(self) -> Collection[str]:
        """The rules that failed too often; `not_to_run` names those that they take along."""
        found = Counter(rule for rule, _ in self._failures)
        return sorted(rule for rule in found if self._too_often(rule))

    def _too_often(self, rule: str) -> bool:
        times = [at for name, at in self._failures if name == rule]
        pairs = zip(times, times[RULE_FAILURES_MAX - 1 :], strict=False)
        return any(last - first <= RULE_FAILURES_NS for first, last in pairs)

    def _read(self) -> list[tuple[str, Ns]]:
        """What counts of the file; one that is not ours is worth a warning, not a failed start."""
        try:
            content: Any = json.loads(self.path.read_text(encoding="utf-8"))
            failures = [(str(rule), int(at)) for rule, at in content.pop("failures")]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            structlog.get_logger("rules").warning("rule record not readable", reason=str(error))
            return []
        return failures if content == self._run else []
