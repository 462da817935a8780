"""Records and messages as a gateway makes them."""

import hashlib
from typing import Any
from uuid import UUID

from simulators.core.contract import canonical, leaf_hash

AT = "2026-11-24T06:00:00.000000Z"
BLOCKED = "BLOCKED"
"""The item whose movements the core under test is told to reject."""


def epoch_of(text: str) -> str:
    """An epoch that is the same for the same text."""
    return str(UUID(bytes=bytes.fromhex(leaf_hash(text)[:32])))


def movement(gateway: str, epoch: str, seq: int, **changes: Any) -> dict[str, Any]:
    """A movement of `seq` pieces onto a shelf."""
    return {
        "event": "movement",
        "gateway": gateway,
        "epoch": epoch,
        "seq": seq,
        "at_recorded": AT,
        "clock": "synced",
        "movement_id": f"{epoch}-{seq}",
        "document_no": f"{gateway}-{epoch[:4]}-{seq}",
        "kind": "receipt",
        "reason": "put",
        "item": "M6-NUT",
        "quantity": 1,
        "uom": "pcs",
        "epcs": [],
        "from": {"location": "unknown"},
        "to": {"location": f"shelf-{gateway}"},
        "at_event": AT,
        "at_decided": AT,
        "confidence_permille": 990,
        "evidence": {"weight_before_mg": 0, "weight_after_mg": 10_000, "sd_mg": 12},
    } | changes


def snapshot(gateway: str, epoch: str, seq: int, **changes: Any) -> dict[str, Any]:
    """A snapshot of that shelf."""
    return {
        "event": "snapshot",
        "gateway": gateway,
        "epoch": epoch,
        "seq": seq,
        "at_recorded": AT,
        "clock": "synced",
        "snapshot_id": f"{epoch}-{seq}",
        "reason": "asked",
        "location": f"shelf-{gateway}",
        "lines": [{"item": "M6-NUT", "quantity": 7, "uom": "pcs", "epcs": []}],
        "at_event": AT,
    } | changes


def amendment(gateway: str, epoch: str, seq: int, **told: Any) -> dict[str, Any]:
    """What is known better of a record."""
    return {
        "event": "amendment",
        "gateway": gateway,
        "epoch": epoch,
        "seq": seq,
        "at_recorded": AT,
        "clock": "synced",
        "reason": "tags_followed",
    } | told


def confirmation(gateway: str, epoch: str, seq: int, **changes: Any) -> dict[str, Any]:
    """What became of a task."""
    return {
        "event": "task_confirmation",
        "gateway": gateway,
        "epoch": epoch,
        "seq": seq,
        "at_recorded": AT,
        "clock": "synced",
        "confirmation_id": f"{epoch}-{seq}",
        "task": "T-1",
        "order": {"system": "erp", "type": "sales", "number": "4711", "line": "10"},
        "state": "done",
        "item": "M6-NUT",
        "uom": "pcs",
        "quantity_asked": 4,
        "quantity_done": 4,
        "quantity_difference": 0,
        "movement_ids": [],
        "epcs": [],
        "at_started": AT,
        "at_event": AT,
        "at_decided": AT,
        "evidence": {},
    } | changes


def proposed(gateway: str, epoch: str, seq: int, **changes: Any) -> dict[str, Any]:
    """Something that waits for an answer."""
    line = {"item": "M6-NUT", "expected": 7, "found": 6, "uom": "pcs", "reason": "missing"}
    return {
        "event": "proposal",
        "gateway": gateway,
        "epoch": epoch,
        "seq": seq,
        "at_recorded": AT,
        "clock": "synced",
        "proposal_id": f"{epoch}-{seq}",
        "kind": "stocktake",
        "location": f"shelf-{gateway}",
        "lines": [line | {"epcs": []}],
        "text": "if approved, what was found is booked by adjustments",
        "at_event": AT,
    } | changes


def dismissal(gateway: str, epoch: str, seq: int, **changes: Any) -> dict[str, Any]:
    """What closes an unresolved matter, or a proposal."""
    return {
        "event": "dismissal",
        "gateway": gateway,
        "epoch": epoch,
        "seq": seq,
        "at_recorded": AT,
        "clock": "synced",
        "unresolved_id": f"{epoch}-1",
        "reason": "returned",
        "at_decided": AT,
    } | changes


def alert(gateway: str, epoch: str, seq: int, **changes: Any) -> dict[str, Any]:
    """Something needs a person."""
    return {
        "event": "alert",
        "gateway": gateway,
        "epoch": epoch,
        "seq": seq,
        "at_recorded": AT,
        "clock": "synced",
        "code": "unresolved",
        "key": "unresolved:A:M6-NUT",
        "raised": True,
        "severity": "warning",
        "text": "A: count it",
        "at_event": AT,
    } | changes


def acknowledgement(gateway: str, epoch: str, seq: int, **changes: Any) -> dict[str, Any]:
    """Somebody sees to that alert."""
    return {
        "event": "acknowledgement",
        "gateway": gateway,
        "epoch": epoch,
        "seq": seq,
        "at_recorded": AT,
        "clock": "synced",
        "code": "unresolved",
        "key": "unresolved:A:M6-NUT",
        "actor": "ana",
        "at_event": AT,
    } | changes


def digest(gateway: str, epoch: str, seq: int, held: dict[str, int]) -> dict[str, Any]:
    """The hash of what that shelf holds."""
    text = encode([[item, held[item]] for item in sorted(held)])
    line = {"location": f"shelf-{gateway}", "sha256": hashlib.sha256(text).hexdigest()}
    return {
        "event": "digest",
        "gateway": gateway,
        "epoch": epoch,
        "seq": seq,
        "at_recorded": AT,
        "clock": "synced",
        "digest_id": f"{epoch}-{seq}",
        "lines": [line],
        "at_event": AT,
    }


def envelope(site: str, data: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The CloudEvent around a record."""
    return {
        "specversion": "1.0",
        "id": f"{data['gateway']}/{data['epoch']}/{data['seq']}",
        "source": f"/{site}/{data['gateway']}",
        "type": f"shelfgate.{data['event']}.v1",
        "subject": "shelf",
        "time": data["at_recorded"],
        "datacontenttype": "application/json",
        "leafhash": leaf_hash(data),
        "data": data,
    } | changes


def encode(value: Any) -> bytes:
    """The payload of a message."""
    return canonical(value)
