"""A zone that is known, and tags that are read often or seldom."""

from typing import Any

from gateway.model import Arrival
from rules.presence import Presence
from tests.rules.play import Play, read

OFTEN = {0.125: [read()]}


SELDOM = {1 / 0.35: [read()]}


def commissioned(**known: Any) -> Play:
    """A gateway that runs for a while: everything that comes now comes live."""
    play = Play([Presence], rows={"zone:A": {}, "zone:B": {}, "zone:PAIR": {}}, **known)
    play.cover(10.0, resumed=True)
    return play


def present(**known: Any) -> Play:
    play = commissioned(**known)
    play.cover(13.0, reads=OFTEN)
    assert [type(fact) for fact in play.kinds()] == [Arrival]
    return play
