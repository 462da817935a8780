"""A task that no sense watched for a while, and one that one sense still did."""

import pytest

from gateway.model import Item, Sense, SenseChange
from tests.rules.play import at
from tests.rules.tasks import Floor, again, moved, task


def missing(sense: Sense, point: str, *, missing: bool = True) -> SenseChange:
    return SenseChange(sense, point, missing, at(6))


@pytest.mark.parametrize(
    ("senses", "pattern", "exception"),
    [
        ([("weight", "s:1"), ("tags", "A")], ("3034",), "SENSOR_FAULT"),
        ([("weight", "s:1")], ("3034",), "SHORT"),
        ([("tags", "A")], ("3034",), "SHORT"),
        ([("weight", "s:1")], (), "SENSOR_FAULT"),
        ([("weight", "s:3"), ("tags", "A")], ("3034",), "SHORT"),
    ],
    ids=["both", "weight", "tags", "weight of what has no tags", "weight elsewhere"],
)
@pytest.mark.parametrize("back", [True, False])
@pytest.mark.parametrize("restart", [True, False])
def test_what_nobody_could_see_is_no_fault_of_the_picker(
    senses: list[tuple[Sense, str]],
    pattern: tuple[str, ...],
    exception: str,
    *,
    back: bool,
    restart: bool,
) -> None:
    items = (Item("BOLT", epc_prefixes=pattern),)
    floor = Floor(items=items)
    floor.do(1, task())
    floor.do(5, moved("m1", 2))
    floor.do(6, *(missing(*sense) for sense in senses))
    if back:
        floor.do(60, *(missing(*sense, missing=False) for sense in senses))
    if restart:
        floor = again(floor, [*items, task()])
    floor.wake(400)
    assert floor.ended() == [("T1", "short", 2, exception)]
