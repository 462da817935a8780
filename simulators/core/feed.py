"""What the core tells, as a line for people or as one of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from simulators.core.desk import Report


def json_line(report: Report) -> str:
    """One JSON object."""
    return json.dumps(report, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def text_line(report: Report) -> str:
    """One readable line."""
    what = report["what"]
    if what == "transfer":
        return f"core  {what:<12} {transfer_text(report['transfer'])}"
    if "seq" not in report:
        rest = " ".join(str(value) for key, value in report.items() if key != "what")
        return f"core  {what:<12} {rest}".rstrip()
    where = f"{report['gateway']} #{report['seq']}"
    told = _content(report.get("data") or {})
    end = report.get("document_no") or ""
    if report.get("reason"):
        end = f"{end} ({report['reason']})".strip()
    return f"core  {what:<12} {where:<16} {told}  {end}".rstrip()


def transfer_text(transfer: Mapping[str, Any]) -> str:
    """What went from where to where, past which gateways, and for how long."""
    goods = f"{transfer['quantity']} {transfer['item']}"
    ends = f"{transfer['source']} -> {transfer['target']}"
    lasted_s = transfer["lasted_ms"] / 1000
    return f"{goods}  {ends}  in {lasted_s:.1f} s  past {' and '.join(transfer['gateways'])}"


def _content(data: Mapping[str, Any]) -> str:
    match data.get("event"):
        case "movement":
            ends = f"{data['from']['location']} -> {data['to']['location']}"
            return f"{data['kind']} {data['quantity']} {data['uom']} {data['item']}  {ends}"
        case "snapshot":
            lines = ", ".join(f"{line['quantity']} {line['item']}" for line in data["lines"])
            return f"snapshot {data['location']}: {lines or 'empty'}"
        case "alert":
            return (
                f"alert {'raised' if data['raised'] else 'cleared'} {data['code']}: {data['text']}"
            )
        case "unresolved":
            return f"unresolved at {data['location']}: {data['reason']}"
        case "digest":
            return f"digest of {len(data['lines'])} locations"
        case "count_report":
            differing = [line for line in data["lines"] if "reason" in line]
            lines = ", ".join(
                f"{line.get('counted', '?')} of {line['expected']} {line['item']}: {line['reason']}"
                for line in differing
            )
            return f"count of {data['location']}: {lines or 'as expected'}"
        case "proposal":
            lines = ", ".join(
                f"{line['found']} of {line['expected']} {line['item']}" for line in data["lines"]
            )
            return f"proposal {data['kind']} at {data['location']}: {lines or 'nothing'}"
        case "acknowledgement":
            return f"{data['actor']} sees to {data['code']} {data['key']}"
        case "task_confirmation":
            exception = f" {data['exception']}" if "exception" in data else ""
            done, asked = data["quantity_done"], data["quantity_asked"]
            return (
                f"task {data['task']} {data['state']}{exception}:"
                f" {done} of {asked} {data['uom']} {data['item']}"
            )
        case None:
            return ""
        case other:
            return str(other)
