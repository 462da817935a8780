"""A movement that a person says was wrong is taken back, by another that goes the other way.

What was told of tags alone is then in the books where it came from, whatever its readers say: when
they tell of it next, that is where it goes on from. No later read takes it back once more. Part of
the movement rule.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.model import UNKNOWN_LOCATION, Movement, Ns, ToldWrong
from gateway.ports import Identify, Turn
from rules.shelf import Shelf
from rules.telling import kind_of
from rules.turns import together

SURE_PERMILLE = 1000
"""A person was there."""


class Correction:
    """See the module."""

    def __init__(self, shelf: Shelf, identify: Identify) -> None:
        self._shelf = shelf
        self._identify = identify

    def taken_back(self, now: Ns, told: ToldWrong) -> Turn:
        """Take the movement back, once: whoever asks sees to that."""
        back = Movement(
            movement_id=self._identify("wrong", told.movement_id),
            kind=told.kind,
            reason="told_wrong",
            item=told.item,
            quantity=told.quantity,
            uom=told.uom,
            from_location=told.to_location,
            to_location=told.from_location,
            at_event=now,
            at_decided=now,
            confidence_permille=SURE_PERMILLE,
            epcs=told.epcs,
            lot=told.lot,
            order=told.order,
            actor=told.actor,
            reverses=told.movement_id,
        )
        if told.kind != "adjustment":
            back = replace(back, kind=kind_of(back.from_location, back.to_location))
        forgotten = self._shelf.reversals.forget(told.movement_id)
        return together(Turn(facts=(back,)), forgotten, *self._still_there(now, told))

    def _still_there(self, now: Ns, told: ToldWrong) -> list[Turn]:
        """Where the tags are in the books from now on, which is not where they were read last."""
        arriving = told.to_location != UNKNOWN_LOCATION
        place = told.to_location if arriving else told.from_location
        if self._shelf.planned(place, told.item) or not self._shelf.watched(place):
            return []
        unsettled = self._shelf.unsettled
        return [
            unsettled.disputed(now, epc, place, told.from_location, arriving=arriving)
            for epc in told.epcs
        ]
