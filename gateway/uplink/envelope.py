"""The CloudEvents 1.0 envelope (structured mode) around a record of the ledger."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.model import UNKNOWN_LOCATION
from gateway.ports import Record

MEDIA_TYPE = "application/cloudevents+json"

OVERHEAD_MAX_BYTES = 1024
"""Room for the envelope and the MQTT header around a body, for size limits."""


def _movement_subject(body: dict[str, Any]) -> str:
    source = str(body["from"]["location"])
    return str(body["to"]["location"]) if source == UNKNOWN_LOCATION else source


SUBJECTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "movement": _movement_subject,
    "unresolved": lambda body: str(body["unresolved_id"]),
    "dismissal": lambda body: str(body["unresolved_id"]),
    "digest": lambda body: str(body["digest_id"]),
    "count_report": lambda body: str(body["location"]),
    "proposal": lambda body: str(body["proposal_id"]),
    "alert": lambda body: str(body["key"]),
    "acknowledgement": lambda body: str(body["key"]),
    "snapshot": lambda body: str(body["location"]),
    "amendment": lambda body: str(body.get("amends_movement") or body["amends_seq"]),
    "task_confirmation": lambda body: str(body["task"]),
}
"""What an event is about, by its kind."""

SUBJECT_MAX = 256


@dataclass(frozen=True, slots=True)
class Envelopes:
    """Wraps the records of one gateway and epoch."""

    site: str
    gateway: str
    epoch: str

    def wrap(self, record: Record) -> bytes:
        """The record's own canonical bytes in their envelope, untouched."""
        body: dict[str, Any] = json.loads(record.body)
        subject = SUBJECTS[record.kind](body) if record.kind in SUBJECTS else record.kind
        return self._wrap(record, record.kind, subject, body["at_recorded"], record.body)

    def stand_in(self, record: Record, reason: str) -> bytes:
        """Take the number of a record that cannot pass, and say that it is kept here.

        The core does not know the type, so it rejects the number, keeps that aside and goes on;
        the record stays in quarantine on this side and can be booked anew.
        """
        at_recorded = json.loads(record.body)["at_recorded"]
        data = {
            "at_recorded": at_recorded,
            "epoch": self.epoch,
            "event": "withheld",
            "gateway": self.gateway,
            "kind": record.kind,
            "reason": reason,
            "seq": record.seq,
            "size_bytes": len(record.body),
        }
        encoded = json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()
        return self._wrap(record, "withheld", str(record.seq), at_recorded, encoded)

    def _wrap(self, record: Record, kind: str, subject: str, time: str, data: bytes) -> bytes:
        head = (
            f'{{"specversion":"1.0","id":"{self.gateway}/{self.epoch}/{record.seq}",'
            f'"source":"/{self.site}/{self.gateway}","type":"shelfgate.{kind}.v1",'
            f'"subject":{json.dumps(subject[:SUBJECT_MAX], ensure_ascii=False)},"time":"{time}",'
            f'"datacontenttype":"application/json","leafhash":"{record.leaf_hash.hex()}","data":'
        )
        return b"%b%b}" % (head.encode(), data)
