"""Why a record says what it says: from the raw readings over the rule to the core's document.

What is told is what the ledger and the store keep; what is no longer kept is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from gateway.finding import Body, body_of, find
from gateway.in_force import in_force
from gateway.model import NS_PER_MS, UNKNOWN_LOCATION
from gateway.ports import JsonValue
from gateway.store import StoreReader
from gateway.store.booking import utc
from gateway.store.words import LedgerRow
from gateway.tasks import task_of_order

NEAR_RECORDS = 20
"""Records after it that are looked at for alerts of its place: those of the same seconds."""

IDENTITIES: Mapping[str, str] = {
    "movement": "movement_id",
    "unresolved": "unresolved_id",
    "proposal": "proposal_id",
    "task_confirmation": "task",
    "alert": "key",
}
"""By what other records name one of each kind."""

LONG = frozenset(("epcs", "movement_ids", "lines", "candidates", "evidence"))
"""Fields of other records that are left out: each record tells them itself."""

RELATED_MAX = 40
"""Other records that are told of: more is no story."""


def why(reader: StoreReader, called: str) -> dict[str, JsonValue]:
    """All that is known of a record; NotFoundError if none is called so.

    `timeline` is what was seen and what became of it, oldest first. `thresholds` are the settings
    of each rule that had a part in it, as they were in force.
    """
    row = find(reader, called)
    body, seq = body_of(row), row.record.seq
    raw: Any = reader.evidence(seq, row.epoch) or {}
    told: dict[str, JsonValue] = {"record": body, "leaf_hash": row.record.leaf_hash.hex()}
    rule = str(raw.get("rule") or _usual_rule(body))
    told["rule"] = rule
    settings: Any = in_force(reader, seq, row.epoch)
    if settings is not None:
        rules, site = settings["rules"], settings["site"]
        parts = _parts(body, rule, site)
        told["thresholds"] = {name: _spoken(rules[name]) for name in parts if name in rules}
        told["wiring"] = _spoken(_wiring(body, site))
    task = task_of_order(reader, body)
    if task is not None:
        told["task"] = task
    told["core"] = _core(reader, row)
    told["timeline"] = _timeline(body, rule, raw, _related(reader, row, body))
    return told


def _spoken(value: Any) -> JsonValue:
    """The same with decimals as strings: messages hold no fractions."""
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, Mapping):
        return {name: _spoken(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_spoken(inner) for inner in value]
    spoken: JsonValue = value
    return spoken


def _usual_rule(body: Body) -> str:
    """Who tells records of that kind; a dash where that is not known."""
    usual = {"movement": "movement", "unresolved": "movement", "task_confirmation": "task"}
    return usual.get(str(body["event"]), "-")


def _parts(body: Body, rule: str, site: Mapping[str, Any]) -> list[str]:
    """The rules that had a part in it, in their order."""
    evidence, parts = body.get("evidence", {}), []
    if body.get("epcs") or "reads" in evidence:
        places = {body[end]["location"] for end in ("from", "to") if end in body}
        gates = [{gate["outside"], gate["inside"]} for gate in site["portals"]]
        parts.append("portal" if places in gates else "presence")
    if "weight_before_mg" in evidence:
        parts += ["weight", "count"]
    parts.append(rule)
    parts += [name for name, field in (("person", "actor"), ("task", "order")) if field in body]
    return list(dict.fromkeys(parts))


def _wiring(body: Body, site: Mapping[str, Any]) -> list[JsonValue]:
    """The zones, cells and gates that watch its places."""
    places = _places(body)
    zones = {cell["zone"] for cell in site["cells"] if cell["location"] in places}
    found = [cell for cell in site["cells"] if cell["location"] in places]
    found += [zone for zone in site["zones"] if zone["location"] in places | zones]
    found += [gate for gate in site["portals"] if {gate["outside"], gate["inside"]} & places]
    return found


def _core(reader: StoreReader, row: LedgerRow) -> dict[str, JsonValue]:
    """What the core made of it."""
    fate = reader.fate(row.record.seq, row.epoch)
    status = "settled" if fate.settled else "waiting"
    if fate.cause is not None:
        status = "booked anew" if fate.requeued_as else fate.cause
    told: dict[str, JsonValue] = {"status": status}
    named = fate._asdict()
    for name in ("core_document_no", "reason", "requeued_as"):
        if named[name] is not None:
            told[name] = named[name]
    return told


def _related(reader: StoreReader, row: LedgerRow, body: Body) -> list[Body]:
    """Other records that belong to it, oldest first: those that name it or that it names, and
    alerts of its place in the same seconds.
    """
    own = (body.get(name) for name in (IDENTITIES.get(str(body["event"])), "unresolved_id") if name)
    named = [body.get(name) for name in ("reverses", "supersedes", "amends_movement")]
    names = dict.fromkeys(
        [name for name in (*own, *named) if name] + list(body.get("movement_ids", ()))
    )
    rows = list(reader.rows_naming(*list(names)[:RELATED_MAX]))
    about = _places(body) | set(names)
    rows += [
        near
        for near in reader.rows_after(row.record.seq, NEAR_RECORDS, row.epoch)
        if near.record.kind == "alert" and about & set(body_of(near)["key"].split(":"))
    ]
    found = {(each.epoch, each.record.seq): each for each in rows}
    found.pop((row.epoch, row.record.seq), None)
    in_order = sorted(found.values(), key=lambda each: reader.key(each.record.seq, each.epoch))
    return [body_of(each) for each in in_order[:RELATED_MAX]]


def _places(body: Body) -> set[str]:
    """The places that it is about, as far as they are seen."""
    ends = {end["location"] for end in (body.get("from"), body.get("to")) if end}
    return (ends | {body.get("location", UNKNOWN_LOCATION)}) - {UNKNOWN_LOCATION}


def _timeline(
    body: Body, rule: str, raw: Mapping[str, Any], related: list[Body]
) -> list[dict[str, Any]]:
    """What was seen, what was made of it, and what became of it; oldest first."""
    entries: list[dict[str, Any]] = list(_readings(body, raw))
    if "at_event" in body:
        entries.append({"at": body["at_event"], "what": "happened"})
    if "at_decided" in body:
        entries.append({"at": body["at_decided"], "what": "decided", "rule": rule})
    entries.append({"at": body["at_recorded"], "what": "recorded", "seq": body["seq"]})
    entries += [
        {"at": each["at_recorded"], "what": each["event"], "record": _short(each)}
        for each in related
    ]
    return sorted(entries, key=lambda entry: str(entry["at"]))


def _readings(body: Body, raw: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The raw readings, with their moments."""
    decided = body.get("at_decided") or body["at_recorded"]
    decided_ns = int(datetime.fromisoformat(decided).timestamp() * 1000) * NS_PER_MS
    for before_ms, point, epc, rssi_cdbm, count in raw.get("reads", ()):
        at = utc(decided_ns - before_ms * NS_PER_MS)
        yield {
            "at": at,
            "what": "read",
            "read_point": point,
            "epc": epc,
            "rssi_cdbm": rssi_cdbm,
            "seen_count": count,
        }
    for before_ms, gross_mg, flags in raw.get("weights", ()):
        at = utc(decided_ns - before_ms * NS_PER_MS)
        yield {"at": at, "what": "weighed", "gross_mg": gross_mg, "flags": flags}


def _short(body: Body) -> dict[str, JsonValue]:
    """What another record says, without its lists."""
    return {name: value for name, value in body.items() if name not in LONG}
