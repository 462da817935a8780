"""What a person sees: the world acts, the gateway decides, the core books."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from simulators.demo.site_files import DOCK_GATEWAY
from simulators.world.layout import BEHIND
from simulators.world.world import OUTSIDE, Act

WIDTH, WIDTH_MIN, INDENT = 100, 60, 19
"""Columns where the output is no terminal, at least, and before the text of each line."""

GLUE = "\N{NO-BREAK SPACE}"
"""Where a line is not to be broken."""

NAMES = {DOCK_GATEWAY: "dock"}
"""How gateways are called, but for the first."""

COLOURS = {
    "world": "36",
    "gateway": "33",
    "dock": "33",
    "light": "35",
    "core": "32",
    "alert": "31",
    "demo": "90",
}


class Feed:
    """Prints one line per thing that happened; quiet with `quiet`."""

    def __init__(self, now: Callable[[], float], *, quiet: bool) -> None:
        self._now = now
        self._start = now()
        self._quiet = quiet
        self._colour = sys.stdout.isatty()

    def say(self, who: str, text: str) -> None:
        """Print a line; what is too long for the terminal goes on below."""
        if self._quiet:
            return
        width = max(WIDTH_MIN, shutil.get_terminal_size((WIDTH, 0)).columns)
        lines = textwrap.wrap(text, width - INDENT, break_on_hyphens=False)
        text = f"\n{INDENT * ' '}".join(lines).replace(GLUE, " ")
        minutes, seconds = divmod(self._now() - self._start, 60)
        name = f"{who:<8}"
        if self._colour:
            name = f"\033[{COLOURS[who]}m{name}\033[0m"
        sys.stdout.write(f"{int(minutes):02d}:{seconds:04.1f}  {name} {text}\n")
        sys.stdout.flush()

    def act(self, act: Act) -> None:
        """A person did something."""
        goods = f"{act.person} {{}} {act.quantity} {act.item}"
        if act.source == OUTSIDE and act.target in BEHIND.values():
            text = f"{goods.format('carries')} into {act.target} through the gate"
        elif act.target == OUTSIDE and act.source in BEHIND.values():
            text = f"{goods.format('carries')} out of {act.source} through the gate"
        elif act.target == OUTSIDE:
            text = f"{goods.format('takes')} from {act.source}"
        else:
            text = f"{goods.format('lays')} on {act.target}"
        why = ", ".join(filter(None, (act.task, act.mistake)))
        self.say("world", f"{text}  ({why})" if why else text)

    def decided(self, data: Mapping[str, Any]) -> None:
        """A gateway decided, as its event tells."""
        name = NAMES.get(data["gateway"], "gateway")
        match data["event"]:
            case "movement":
                ends = f"{data['from']['location']} -> {data['to']['location']}"
                sure = data["confidence_permille"] / 10
                senses = _senses(data["evidence"], data["epcs"])
                goods = f"{data['kind']} {data['quantity']} {data['item']}"
                told = [f"#{data['seq']} {goods}", ends]
                if order := data.get("order"):
                    told.append(f"{order['number']}-{order['line']}")
                if "actor" in data:
                    told.append(data["actor"])
                told.append(f"({sure:.1f} %, {senses})".replace(" ", GLUE))
                self.say(name, "  ".join(told))
            case "alert":
                state = "raised" if data["raised"] else "cleared"
                self.say("alert", f"#{data['seq']} {state}: {data['text']}")
            case "unresolved":
                self.say(
                    "alert", f"#{data['seq']} unresolved at {data['location']}: {data['reason']}"
                )
            case "acknowledgement":
                self.say("alert", f"#{data['seq']} {data['actor']} sees to {data['key']}")
            case "task_confirmation":
                done, asked = data["quantity_done"], data["quantity_asked"]
                exception = f", {data['exception']}" if "exception" in data else ""
                ended = f"{data['task']} {data['state']}: {done} of {asked} {data['item']}"
                self.say(name, f"#{data['seq']} {ended}{exception}")
            case "snapshot":
                lines = ", ".join(f"{line['quantity']} {line['item']}" for line in data["lines"])
                self.say(name, f"#{data['seq']} found on {data['location']}: {lines}")

    def booked(self, document_no: str, after_s: float | None) -> None:
        """The core booked a movement, so long after the act that it answers."""
        late = "" if after_s is None else f", {after_s:.1f} s after the act"
        self.say("core", f"booked as {document_no}{late}")


def _senses(evidence: Mapping[str, Any], epcs: list[str]) -> str:
    weight = "weight_before_mg" in evidence
    if weight and epcs:
        return "weight and tag"
    return "weight" if weight else "tag"
