"""Turns an event into the record that is kept, hashed and sent (docs/asyncapi.yaml, `schemas`).

Everything in a record is an integer in a named unit, a string or a list or object of those; what
does not apply is left out. Times are UTC with milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache, singledispatch
from typing import NamedTuple, TypeAlias

from gateway.canonical import Canonical
from gateway.clock import ClockQuality
from gateway.model import (
    NS_PER_MS,
    NS_PER_S,
    Acknowledgement,
    Alert,
    Amendment,
    CountReport,
    Digest,
    Dismissal,
    Event,
    Evidence,
    Movement,
    Ns,
    OrderReference,
    Proposal,
    Snapshot,
    TaskConfirmation,
    Unresolved,
)

Body: TypeAlias = dict[str, Canonical]
Say: TypeAlias = Callable[[Ns], str]
"""Tells a moment of this boot as wall time."""

EPOCH_TAG_DIGITS = 8
"""Hex digits of the epoch in a document number: two epochs of one gateway do not share them."""


KINDS: dict[type, str] = {TaskConfirmation: "task_confirmation", CountReport: "count_report"}
"""Kinds of two words; the others are the name of their event."""


class Head(NamedTuple):
    """What every record begins with."""

    gateway: str
    epoch: str
    seq: int
    at_recorded: str
    clock: ClockQuality


def kind_of(event: Event) -> str:
    """The stable name of an event's kind: `movement`, `alert` ..."""
    return KINDS.get(type(event)) or type(event).__name__.lower()


def record(event: Event, head: Head, say: Say) -> Body:
    """The record of one event under its number."""
    body: Body = {"event": kind_of(event), **head._asdict(), **_content(event, say)}
    if type(event) is Movement:
        body["document_no"] = document_no(head.gateway, head.epoch, head.seq)
    return body


def renumbered(body: Body, head: Head) -> Body:
    """The record of the same event under a new number: what it says of the event stays.

    A movement keeps its movement_id and says that it stands in for itself.
    """
    fresh: Body = {**body, **head._asdict()}
    if body["event"] == "movement":
        fresh["document_no"] = document_no(head.gateway, head.epoch, head.seq)
        fresh.setdefault("supersedes", body["movement_id"])
    return fresh


def document_no(gateway: str, epoch: str, seq: int) -> str:
    """For people and for the core's reference field: `edge-1-0f8fad5b-42`."""
    return f"{gateway}-{epoch[:EPOCH_TAG_DIGITS]}-{seq}"


def utc(unix_ns: int) -> str:
    """RFC 3339 in UTC with milliseconds, rounded down."""
    second, rest = divmod(unix_ns, NS_PER_S)
    return f"{_utc_second(second)}.{rest // NS_PER_MS:03d}Z"


@lru_cache(maxsize=64)
def _utc_second(second: int) -> str:
    """The part that most stamps of a group of records share."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@singledispatch
def _content(event: Event, _say: Say) -> Body:
    """What the event itself says."""
    raise TypeError(f"{event!r} is no event")


@_content.register(Movement)
def _movement(event: Movement, say: Say) -> Body:
    body: Body = {
        "movement_id": event.movement_id,
        "kind": event.kind,
        "reason": event.reason,
        "item": event.item,
        "quantity": event.quantity,
        "uom": event.uom,
        "epcs": list(event.epcs),
        "from": {"location": event.from_location},
        "to": {"location": event.to_location},
        "at_event": say(event.at_event),
        "at_decided": say(event.at_decided),
        "confidence_permille": event.confidence_permille,
        "evidence": _evidence(event.evidence),
    }
    if event.at_since is not None:
        body["at_since"] = say(event.at_since)
    if event.order is not None:
        body["order"] = _order(event.order)
    for name in ("lot", "actor", "reverses", "supersedes"):
        if (value := getattr(event, name)) is not None:
            body[name] = value
    return body


@_content.register(Unresolved)
def _unresolved(event: Unresolved, say: Say) -> Body:
    return {
        "unresolved_id": event.unresolved_id,
        "reason": event.reason,
        "location": event.location,
        "candidates": list(event.candidates),
        "epcs": list(event.epcs),
        "at_event": say(event.at_event),
        "at_decided": say(event.at_decided),
        "evidence": _evidence(event.evidence),
    }


@_content.register(Dismissal)
def _dismissal(event: Dismissal, say: Say) -> Body:
    body: Body = {
        "unresolved_id": event.unresolved_id,
        "reason": event.reason,
        "at_decided": say(event.at_decided),
    }
    if event.actor is not None:
        body["actor"] = event.actor
    return body


@_content.register(Proposal)
def _proposal(event: Proposal, say: Say) -> Body:
    lines: list[Body] = []
    for line in event.lines:
        told: Body = {name: getattr(line, name) for name in ("item", "expected", "found", "uom")}
        if line.reason:
            told["reason"] = line.reason
        lines.append({**told, "epcs": list(line.epcs)})
    return {
        "proposal_id": event.proposal_id,
        "kind": event.kind,
        "location": event.location,
        "lines": lines,
        "text": event.text,
        "at_event": say(event.at_event),
    }


@_content.register(CountReport)
def _count_report(event: CountReport, say: Say) -> Body:
    lines: list[Body] = []
    for line in event.lines:
        told: Body = {name: getattr(line, name) for name in ("item", "expected", "uom")}
        for name in ("counted", "reason", "sense"):
            if (value := getattr(line, name)) is not None:
                told[name] = value
        told["confidence_permille"] = line.confidence_permille
        lines.append({**told, "epcs": list(line.epcs)})
    return {
        "report_id": event.report_id,
        "count_id": event.count_id,
        "scope": event.scope,
        "location": event.location,
        "lines": lines,
        "recounts": event.recounts,
        "disturbed": event.disturbed,
        "remaining": event.remaining,
        "at_started": say(event.at_started),
        "at_event": say(event.at_event),
    }


@_content.register(Digest)
def _digest(event: Digest, say: Say) -> Body:
    lines: list[Body] = [{"location": line.location, "sha256": line.sha256} for line in event.lines]
    return {"digest_id": event.digest_id, "lines": lines, "at_event": say(event.at_event)}


@_content.register(Alert)
def _alert(event: Alert, say: Say) -> Body:
    return {
        "code": event.code,
        "key": event.key,
        "raised": event.raised,
        "severity": event.severity,
        "text": event.text,
        "at_event": say(event.at_event),
    }


@_content.register(Acknowledgement)
def _acknowledgement(event: Acknowledgement, say: Say) -> Body:
    body: Body = {
        "code": event.code,
        "key": event.key,
        "actor": event.actor,
        "at_event": say(event.at_event),
    }
    if event.note is not None:
        body["note"] = event.note
    return body


@_content.register(Snapshot)
def _snapshot(event: Snapshot, say: Say) -> Body:
    lines: list[Body] = [
        {"item": line.item, "quantity": line.quantity, "uom": line.uom, "epcs": list(line.epcs)}
        for line in event.lines
    ]
    return {
        "snapshot_id": event.snapshot_id,
        "reason": event.reason,
        "location": event.location,
        "lines": lines,
        "at_event": say(event.at_event),
    }


@_content.register(Amendment)
def _amendment(event: Amendment, _say: Say) -> Body:
    body: Body = {"reason": event.reason}
    if event.epcs is not None:
        body["epcs"] = list(event.epcs)
    for name in ("amends_seq", "at_event_wall", "amends_movement", "lot"):
        if (value := getattr(event, name)) is not None:
            body[name] = value
    return body


@_content.register(TaskConfirmation)
def _confirmation(event: TaskConfirmation, say: Say) -> Body:
    body: Body = {
        "confirmation_id": event.confirmation_id,
        "task": event.task,
        "order": _order(event.order),
        "state": event.state,
        "item": event.item,
        "uom": event.uom,
        "quantity_asked": event.quantity_asked,
        "quantity_done": event.quantity_done,
        "quantity_difference": event.quantity_difference,
        "movement_ids": list(event.movement_ids),
        "epcs": list(event.epcs),
        "at_started": say(event.at_started),
        "at_event": say(event.at_event),
        "at_decided": say(event.at_decided),
        "evidence": _evidence(event.evidence),
    }
    for name in ("exception", "actor"):
        if (value := getattr(event, name)) is not None:
            body[name] = value
    return body


def _order(order: OrderReference) -> Body:
    body: Body = {"system": order.system, "type": order.type, "number": order.number}
    if order.line:
        body["line"] = order.line
    return body


def _evidence(evidence: Evidence) -> Body:
    """What applies of it."""
    body: Body = {}
    for name in Evidence.__slots__:
        value = getattr(evidence, name)
        if value is not None:
            body[name] = list(value) if type(value) is tuple else value
    return body
