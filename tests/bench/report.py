"""What every bench prints: one JSON object, and an exit code that says whether the musts are met.

Figures of CPU time are those of this machine. `calibration_us` is the time of a fixed Python loop
on it, so that figures of two machines can be compared.
"""

from __future__ import annotations

import json
import platform
import sys
from time import process_time_ns
from typing import Any

CALIBRATION_TURNS = 200_000


def metric(
    value: float,
    unit: str,
    *,
    must: float | None = None,
    aim: float | None = None,
    at_least: float | None = None,
) -> dict[str, Any]:
    """One figure; `must` and `aim` are upper bounds, `at_least` is a must from below."""
    told: dict[str, Any] = {"value": round(value, 3), "unit": unit, "ok": True}
    if must is not None:
        told |= {"must": must, "ok": value <= must}
    if at_least is not None:
        told |= {"must": at_least, "ok": value >= at_least}
    if aim is not None:
        told["aim"] = aim
    return told


def calibration_us() -> float:
    """CPU microseconds of one thousand turns of a fixed loop; the best of five."""
    best = 1e9
    for _ in range(5):
        start = process_time_ns()
        table: dict[int, int] = {}
        for number in range(CALIBRATION_TURNS):
            table[number & 1023] = table.get(number & 511, 0) + number
        best = min(best, (process_time_ns() - start) / 1000)
    return best / CALIBRATION_TURNS * 1000


def finish(
    bench: str, metrics: dict[str, dict[str, Any]], about: dict[str, Any] | None = None
) -> None:
    """Print the report and exit: 0 only if each figure that has a must meets it. `about` says what
    was measured.
    """
    about = about or {}
    machine = f"{platform.machine()} {platform.release()} python {platform.python_version()}"
    report = {
        "bench": bench,
        "command": f"scripts/bench {bench} --json",
        "machine": machine,
        "calibration_us": round(calibration_us(), 2),
        **about,
        "metrics": metrics,
    }
    if "--json" in sys.argv:
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        sys.stdout.write(f"{bench} on {machine}, calibration {report['calibration_us']} us\n")
        for name, said in about.items():
            sys.stdout.write(f"  {name}: {said}\n")
        for name, told in metrics.items():
            bound = f"must {told['must']}" if "must" in told else ""
            aim = f"aim {told['aim']}" if "aim" in told else ""
            if told.get("bound_by") == "ceiling":
                bound += f" (bar {told['bar']}, ceiling {told['ceiling']})"
            verdict = "" if told["ok"] else "  MISSED"
            sys.stdout.write(
                f"  {name:<46}{told['value']:>12} {told['unit']:<5} {bound} {aim}{verdict}\n"
            )
    sys.exit(0 if all(told["ok"] for told in metrics.values()) else 1)
