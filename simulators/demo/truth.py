"""What truly became of the orders of a run, and what went wrong with them: who, what, why.

The world's own log (`World.acts`) has the acts; this has what people made of their order lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from simulators.demo.lights import Shown
from simulators.world.world import Act


@dataclass(slots=True)
class TrueLine:
    """One order line: `done` pieces of its item went their way and stayed, and `exception` is what
    its confirmation must say ("" if all is as asked).
    """

    task: str
    item: str
    asked: int
    person: str
    mistake: str = ""
    done: int = 0
    exception: str = ""


@dataclass(frozen=True, slots=True)
class Slip:
    """A mistake that must be told: from `at_s` on it is there to be seen, at `places`."""

    at_s: float
    mistake: str
    task: str
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody looked at the light of a cell before his hand was there: what he had still to do,
    and what he saw.
    """

    at_s: float
    task: str
    location: str
    to_do: str
    pieces: int
    seen: Shown

    @property
    def right(self) -> bool:
        """Whether the light said that."""
        return (self.seen.says, self.seen.number) == (self.to_do, self.pieces)


@dataclass(slots=True)
class Truth:
    """All lines by their task, all mistakes and looks at lights in their order, and how many
    transfers there were from one gateway's sight to another's.
    """

    lines: dict[str, TrueLine] = field(default_factory=dict)
    slips: list[Slip] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    transfers: int = 0

    def write(self, path: Path, acts: Iterable[Act]) -> None:
        """Write the truth log: acts, lines, mistakes, looks, one JSON object a line."""
        told = [{"act": asdict(act)} for act in acts]
        told += [{"line": asdict(line)} for line in self.lines.values()]
        told += [{"mistake": asdict(slip)} for slip in self.slips]
        told += [{"look": asdict(look) | {"right": look.right}} for look in self.looks]
        text = "".join(json.dumps(each) + "\n" for each in told)
        path.write_text(text, encoding="utf-8")
