"""What people see of the pick lights, beside what they have truly still to do."""

from __future__ import annotations

from simulators.demo.chain import Chain
from simulators.demo.office import Line
from simulators.demo.truth import Look

ASKS = {"issue": "take", "put_away": "put"}


class Eyes:
    """Looks at the light of a cell, and notes in the truth log what was seen there."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._astray: dict[str, tuple[str, int]] = {}  # by location: for which task, how many

    def work(self, line: Line, pieces: int) -> None:
        """Before a hand is in the cell of a line, of which so many pieces are still open."""
        task, astray = self._astray.get(line.spot.location, ("", 0))
        if task and task not in self._chain.confirmed:
            self._look(line, "put back", astray)
        else:
            self._look(line, ASKS[line.kind], pieces)

    def excess(self, line: Line, pieces: int) -> None:
        """Before so many pieces too many are put back."""
        self._look(line, "put back", pieces)

    def took_astray(self, location: str, task: str, pieces: int) -> None:
        """Pieces were taken there that belong to no task: until that task ends they are missed."""
        self._astray[location] = task, pieces

    def _look(self, line: Line, to_do: str, pieces: int) -> None:
        chain, location = self._chain, line.spot.location
        seen = chain.plant.lights.shown(location)
        look = Look(chain.world.now(), line.task, location, to_do, pieces, seen)
        chain.truth.looks.append(look)
        if not look.right:
            text = f"{location} shows {seen}, and {pieces} are to be: {to_do} ({line.task})"
            chain.feed.say("demo", text)
