"""A record on its way into the book, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from simulators.core.contract import Position
from simulators.core.halves import Transfer

Status: TypeAlias = Literal["accepted", "rejected", "duplicate", "conflict"]


class Incoming(NamedTuple):
    """A record as it came in. `fault` says why it is against the contract, else it is empty.

    `data` is the record, or an empty mapping where there is a fault; `body` its bytes as kept.
    """

    position: Position
    leaf: str
    body: bytes
    data: Mapping[str, Any]
    fault: str = ""


class Outcome(NamedTuple):
    """What became of a record that was taken, now or before."""

    incoming: Incoming
    status: Status
    document_no: str | None
    reason: str | None


class Committed(NamedTuple):
    """What one commit did: outcomes in order; each epoch's hw; the epochs that have a gap; the
    transfers whose second half it brought.
    """

    outcomes: tuple[Outcome, ...]
    marks: Mapping[tuple[str, str], int]
    gaps: frozenset[tuple[str, str]]
    transfers: tuple[Transfer, ...] = ()


class Result(NamedTuple):
    """The first outcome of a record, asked for later."""

    seq: int
    status: str
    document_no: str | None
    reason: str | None


def _allow(_data: Mapping[str, Any]) -> str | None:
    return None


@dataclass(frozen=True)
class Rules:
    """What this core rejects beyond the contract.

    `strict`: an item or location that it has not issued. `reject` says why a record shall be
    rejected, or None.
    """

    strict: bool = False
    reject: Callable[[Mapping[str, Any]], str | None] = _allow
