"""Count changes, arrivals and departures as the movement rule sees them."""

from dataclasses import replace
from typing import Any

from gateway.model import (
    Alert,
    Amendment,
    Arrival,
    CountChange,
    Coverage,
    Departure,
    Fact,
    Item,
    StepExpectsTags,
    StepHeld,
    TagsFollow,
    WeightStep,
)
from gateway.ports import Row
from rules.act import STEP_ROW, WaitingStep, WaitingTag
from rules.movement import MovementRule
from rules.waiting_rows import fields_of
from tests.rules.play import BOLT, TAG, Play, S, at

SGTIN = "3074257bf7194e4000001a85"
"""The trade item 80614141123458 of company 0614141."""

BY_GTIN = replace(BOLT, epc_prefixes=(), gtins=("80614141123458",))
NUT = Item("NUT", unit_mg=50_000, epc_prefixes=("3099",))


NUT_TAG = "309901"


THIRD = "3034cc"


def foreign(number: int = 0) -> str:
    """A tag of a trade item that nobody told of."""
    return f"3074257bf7194e40000000{number:02x}"


PATIENT = {"tag_wait_s": 13.0, "hold_s": 13.0, "missing_s": 2.0}
"""Steps are kept back for as long as their tags may take."""


class Acts(Play):
    """What the movement rule tells; `expected` is what it asks of presence, `held` what it keeps
    back, `followed` which tags belong to what it has told, `named` what the core is told of them,
    `asked` are the alerts that something is unresolved.
    """

    def __init__(self, **known: Any) -> None:
        self.expected: list[StepExpectsTags] = []
        self.held: list[StepHeld] = []
        self.followed: list[TagsFollow] = []
        self.named: list[Amendment] = []
        self.asked: list[Alert] = []
        super().__init__([MovementRule], **known)

    def _note(self, fact: Fact) -> None:
        if isinstance(fact, StepExpectsTags):
            self.expected.append(fact)
        elif isinstance(fact, StepHeld):
            self.held.append(fact)
        elif isinstance(fact, TagsFollow):
            self.followed.append(fact)
        elif isinstance(fact, Amendment):
            self.named.append(fact)
        elif isinstance(fact, Alert) and fact.code == "unresolved":
            self.asked.append(fact)
        else:
            super()._note(fact)


def play(**known: Any) -> Acts:
    known.setdefault("items", (BOLT, NUT))
    known["settings"] = {**PATIENT, **known.get("settings", {})}
    return Acts(**known)


def quick(**known: Any) -> Acts:
    """Waits as they are shipped, but for a short one."""
    return play(settings={"hold_s": 4.0, "tag_wait_s": 28.0, "missing_s": 60.0}, **known)


def watch(found: Acts, until_s: float) -> None:
    """Both devices are read each second."""
    while found.now_s < until_s:
        found.feed(found.now_s + 1, *(Coverage(device, S) for device in ("r", "s")))


def change(
    quantity: int, second: float = 1.0, cell: str = "s:1", item: str = "BOLT", **rest: Any
) -> CountChange:
    cause = rest.pop("cause", "live")
    confidence = rest.pop("confidence", 980)
    grams = rest.pop("grams", 100 * quantity)
    step = WeightStep(cell, 1000.0, 1000.0 + grams, 0.3, at(second), cause)
    return CountChange(cell, item, quantity, rest.pop("on_hand", 5), confidence, step)


def gone(epc: str = TAG, zone: str = "A", second: float = 1.0, **rest: Any) -> Departure:
    return Departure(zone, epc, at(second), 40, -5200, 990, **rest)


def came(epc: str = TAG, zone: str = "A", second: float = 1.0, **rest: Any) -> Arrival:
    return Arrival(zone, epc, at(second), 5, -5300, 950, **rest)


def held(found: Play) -> dict[str, Any]:
    """Its durable rows, but for those of what may yet be taken back."""
    return {key: row for key, row in found.rows.items() if "moved:" not in key}


def settled(found: Play) -> None:
    """Nothing waits any more; alerts may stand, what is unresolved, unconfirmed, unexplained or
    without a tag be kept.
    """
    kept = ("alert:", "open:", "alone:", "asked:", "tagless:")
    waits = [key for key in held(found) if not key.startswith(kept)]
    assert [key for key in waits if not said(found, key).get("alerted")] == []


def said(found: Play, key: str) -> dict[str, Any]:
    """What the row of a step or tag that waits says, by the names of its fields."""
    kind = WaitingStep if key.startswith(STEP_ROW) else WaitingTag
    return fields_of(Row(key, found.rows[key]), kind, 0)
