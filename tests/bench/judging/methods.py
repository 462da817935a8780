"""All methods that are run side by side, by the name they have in the table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from simulators.world.truth import Scenario
from tests.bench.baselines.autocheckout import AutoCheckout
from tests.bench.baselines.ceiling import Ceiling
from tests.bench.baselines.edgex import EdgeX
from tests.bench.baselines.fixed_window import FixedWindow
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


OURS = "ours"

METHODS: Mapping[str, Entry] = {
    OURS: Entry(Ours, "both"),
    "ceiling": Entry(Ceiling, "both"),
    "edgex-600": Entry(EdgeX, "tags"),
    "edgex-30": Entry(partial(EdgeX, departed_s=30.0, check_s=1.0), "tags"),
    "edgex-10": Entry(partial(EdgeX, departed_s=10.0, check_s=1.0), "tags"),
    "rifidi-10": Entry(Rifidi, "tags"),
    "last-2": Entry(partial(LastAntenna, silence_s=2.0), "tags"),
    "last-10": Entry(partial(LastAntenna, silence_s=10.0), "tags"),
    "last-30": Entry(partial(LastAntenna, silence_s=30.0), "tags"),
    "window-5": Entry(partial(FixedWindow, window_s=5.0), "tags"),
    "window-15": Entry(partial(FixedWindow, window_s=15.0), "tags"),
    "autocheckout": Entry(AutoCheckout, "weight"),
    "stable-step": Entry(StableStep, "weight"),
}


def fits(entry: Entry, scenario: Scenario) -> bool:
    """Whether a method has any sense for that world."""
    block = scenario.block
    has = {"tags": bool(block.zones or block.gates), "weight": bool(block.cells), "both": True}
    return has[entry.sense]
