"""Picking one finding out of many."""

from typing import Any

from gateway.doctor.finding import Finding


def named(findings: Any, check: str) -> Finding:
    """The worst finding of a check."""
    found = [finding for finding in findings if finding.check == check]
    return min(found, key=lambda finding: ("fail", "warn", "ok").index(finding.verdict))
