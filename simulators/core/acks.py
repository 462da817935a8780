"""Acks: how far the core has committed, and what became of the records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from simulators.core.record import Outcome, Result

RESULTS_MAX = 500
"""Results in one ack, as the contract bounds them."""
MESSAGES_MAX = 20
"""Acks in answer to one results-from, as the contract bounds them."""


def pages(epoch: str, hw: int, results: Sequence[Result]) -> Iterator[dict[str, Any]]:
    """The bodies of the acks that carry these results: one at least, if there are none."""
    for start in range(0, max(len(results), 1), RESULTS_MAX):
        page = [_entry(result) for result in results[start : start + RESULTS_MAX]]
        yield {"epoch": epoch, "hw": hw, "results": page}


def result_of(outcome: Outcome) -> Result:
    """What an ack says of an outcome."""
    seq = outcome.incoming.position.seq
    return Result(seq, outcome.status, outcome.document_no, outcome.reason)


def _entry(result: Result) -> dict[str, Any]:
    entry: dict[str, Any] = {"seq": result.seq, "status": result.status}
    if result.document_no is not None:
        entry["core_document_no"] = result.document_no
    if result.reason is not None:
        entry["reason"] = result.reason
    return entry
