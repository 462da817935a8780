"""The alerts that stand, as a person or the core sees them: the gravest first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from gateway.alert_texts import Language, translated
from gateway.model import Severity
from gateway.ports import JsonValue
from gateway.store import RaisedAlert, StoreReader

LISTED_BYTES_MAX = 200_000
"""JSON bytes of the alerts in one answer: it must fit into one payload of the contract."""

GRAVEST_FIRST = tuple(reversed(get_args(Severity)))


def listed_alerts(reader: StoreReader, language: Language) -> Mapping[str, JsonValue]:
    """What stands, those first that nobody has seen, the gravest of them before the others; and how
    many were `left_off`.
    """
    raised = sorted(reader.alerts(), key=_urgency)
    listed = list(_fitting(raised, language))
    return {"alerts": listed, "left_off": len(raised) - len(listed)}


def told_alert(raised: RaisedAlert, language: Language) -> dict[str, JsonValue]:
    """One alert that stands, its text in every language as `texts`. `seq` is that of the record
    which told it last.
    """
    alert, seen = raised.alert, raised.seen
    texts = translated(alert.code, alert.text)
    told: dict[str, JsonValue] = {
        "code": alert.code,
        "key": alert.key,
        "severity": alert.severity,
        "text": texts[language],
        "texts": texts,
        "epoch": raised.epoch,
        "seq": raised.seq,
    }
    if seen is not None:
        told["acknowledged"] = {
            name: value for name, value in seen._asdict().items() if value is not None
        }
    return told


def _urgency(raised: RaisedAlert) -> tuple[bool, int, str, str]:
    alert = raised.alert
    rank = GRAVEST_FIRST.index(alert.severity)
    return raised.seen is not None, rank, alert.code, alert.key


def _fitting(raised: Sequence[RaisedAlert], language: Language) -> Iterator[JsonValue]:
    room = LISTED_BYTES_MAX
    for each in raised:
        told = told_alert(each, language)
        room -= len(json.dumps(told, ensure_ascii=False).encode())
        if room < 0:
            return
        yield told
