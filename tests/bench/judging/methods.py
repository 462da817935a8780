"""All methods that are run side by side, by the name they have in the table.

`ours` is the shipped configuration. `ours:presence.sure=0.2,portal.sure=0.8` is the same
with other settings: to try a method, or to draw what a knob costs.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from simulators.world.truth import Scenario
from tests.bench.baselines.adaptive_window import AdaptiveWindow
from tests.bench.baselines.autocheckout import AutoCheckout
from tests.bench.baselines.ceiling import Ceiling
from tests.bench.baselines.edgex import EdgeX
from tests.bench.baselines.evidence_counting import EvidenceCounting
from tests.bench.baselines.fixed_window import FixedWindow
from tests.bench.baselines.hidden_markov import HiddenMarkov
from tests.bench.baselines.last_antenna import LastAntenna
from tests.bench.baselines.rifidi import Rifidi
from tests.bench.baselines.stable_step import StableStep
from tests.bench.judging.claims import Method
from tests.bench.judging.ours import Ours
from tests.bench.judging.score import Sense


@dataclass(frozen=True, slots=True)
class Entry:
    """How a method is made for one world, and which senses it has."""

    make: Callable[[Scenario], Method]
    sense: Sense


OURS, CEILING = "ours", "ceiling"

METHODS: Mapping[str, Entry] = {
    OURS: Entry(Ours, "both"),
    CEILING: Entry(Ceiling, "both"),
    "edgex-600": Entry(EdgeX, "tags"),
    "edgex-30": Entry(partial(EdgeX, departed_s=30.0, check_s=1.0), "tags"),
    "edgex-10": Entry(partial(EdgeX, departed_s=10.0, check_s=1.0), "tags"),
    "rifidi-10": Entry(Rifidi, "tags"),
    "last-2": Entry(partial(LastAntenna, silence_s=2.0), "tags"),
    "last-10": Entry(partial(LastAntenna, silence_s=10.0), "tags"),
    "last-30": Entry(partial(LastAntenna, silence_s=30.0), "tags"),
    "window-5": Entry(partial(FixedWindow, window_s=5.0), "tags"),
    "window-15": Entry(partial(FixedWindow, window_s=15.0), "tags"),
    "evidence": Entry(EvidenceCounting, "tags"),
    "evidence-x3": Entry(partial(EvidenceCounting, stretch=3.0), "tags"),
    "smurf": Entry(AdaptiveWindow, "tags"),
    "wstd": Entry(partial(AdaptiveWindow, by="wstd"), "tags"),
    "hmm": Entry(HiddenMarkov, "tags"),
    "autocheckout": Entry(AutoCheckout, "weight"),
    "stable-step": Entry(StableStep, "weight"),
}


def entry_of(name: str) -> Entry:
    """The method of that name; ValueError if there is none."""
    if name in METHODS:
        return METHODS[name]
    base, _, changes = name.partition(":")
    if base != OURS or not changes:
        raise ValueError(
            f"no method {name!r}; there are {', '.join(METHODS)}, {OURS}:RULE.KEY=VALUE"
        )
    settings: dict[str, dict[str, Any]] = {}
    for change in changes.split(","):
        path, _, value = change.partition("=")
        rule, _, key = path.partition(".")
        settings.setdefault(rule, {})[key] = json.loads(value)
    return Entry(partial(Ours, settings=settings), "both")


def fits(entry: Entry, scenario: Scenario) -> bool:
    """Whether a method has any sense for that world."""
    block = scenario.block
    has = {"tags": bool(block.zones or block.gates), "weight": bool(block.cells), "both": True}
    return has[entry.sense]
