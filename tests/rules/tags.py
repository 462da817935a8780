"""A zone that is known, and tags that are read often or seldom."""

from typing import Any

from gateway.model import Arrival
from rules.presence import Presence
from tests.rules.play import Play, read

OFTEN = {0.125: [read()]}


SELDOM = {1 / 0.35: [read()]}


HELD_S, GONE_S = 8.0, 25.0
"""A tag that is read often and falls silent out of the blue is held at least so long, and told to
have left after so long at the latest: wide bounds of what the rule learns.
"""

TAUGHT_S = 120.0
"""How long `taught` takes."""


ZONES = {"zone:A": {}, "zone:B": {}, "zone:PAIR": {}}
"""Rows of zones that were watched before: everything that comes now comes live."""


def commissioned(**known: Any) -> Play:
    """A gateway that has run for a while by second 10, and has seen no tag yet."""
    play = Play([Presence], **{"rows": ZONES, **known})
    play.cover(10.0, resumed=True)
    return play


def taught(**known: Any) -> Play:
    """The same; tags came and left that were read often, and at -50 dBm by all three antennas."""
    play = Play([Presence], **{"rows": ZONES, "now_s": -TAUGHT_S, **known})
    points = ("r:1", "r:2", "r:3")
    tags = [read(point, f"30aa{point[-1]}{index}") for point in points for index in range(6)]
    play.cover(-60.0, resumed=True, reads={0.125: tags})
    play.cover(10.0)
    assert not [key for key in play.rows if key.startswith("tag:")]
    play.told.clear()
    play.puts = 0
    return play


def present(play: Play | None = None) -> Play:
    """A tag stands at -50 dBm before r:1 until second 13, in a zone that knows nothing yet."""
    play = play or commissioned()
    play.cover(13.0, reads=OFTEN)
    assert [type(fact) for fact in play.kinds()] == [Arrival]
    return play


def presence(play: Play) -> Presence:
    """The rule that plays."""
    rule = play.engine._rules[0]
    assert isinstance(rule, Presence)
    return rule
