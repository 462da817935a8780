"""The words for work that was ordered: tasks, whose a movement is, and what people take back.

Part of `gateway.model`; import them from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from gateway.event import MovementKind, OrderReference
from gateway.units import UNKNOWN_LOCATION

TaskKind: TypeAlias = Literal["issue", "receipt", "transfer", "return", "put_away"]

Policy: TypeAlias = Literal["flexible", "warning", "strict"]
"""What more or less than was asked is, beyond the tolerance: accepted, accepted with an alert, or
a critical one that the core must decide on. But for flexible, the confirmation names an exception.
"""


@dataclass(frozen=True, slots=True)
class Task:
    """One line of an order: `quantity` of `item` is to go from `from_location` to `to_location`;
    an end that this gateway does not see is UNKNOWN_LOCATION.

    Of several for one item the higher `priority` comes first, then the earlier `due_s` (seconds
    since 1970, UTC; it only sets the order), then the one that came first. Up to `tolerance_pieces`
    and `tolerance_permille` more or less are as good as asked. With `serials` these EPCs are asked.
    A task with no act for `timeout_s` after its first act is closed with what was done.

    `amount` and `uom` are what was told where that is another unit than stock is counted in.
    """

    code: str
    kind: TaskKind
    order: OrderReference
    item: str
    quantity: int
    from_location: str = UNKNOWN_LOCATION
    to_location: str = UNKNOWN_LOCATION
    lot: str | None = None
    serials: tuple[str, ...] = ()
    tolerance_pieces: int = 0
    tolerance_permille: int = 0
    policy: Policy = "warning"
    priority: int = 0
    due_s: int | None = None
    timeout_s: int = 300
    version: int = 0
    amount: str = ""
    uom: str = ""


@dataclass(frozen=True, slots=True)
class TaskCancel:
    """A person takes a task back at the edge: what was done until then is confirmed."""

    code: str
    actor: str = ""


@dataclass(frozen=True, slots=True)
class ToldWrong:
    """A person says that a movement was told that did not happen so: it is to be taken back. The
    fields are those of the movement, as is known by now; `actor` says so, and `note` why.
    """

    movement_id: str
    kind: MovementKind
    item: str
    quantity: int
    uom: str
    from_location: str
    to_location: str
    actor: str
    note: str = ""
    epcs: tuple[str, ...] = ()
    lot: str | None = None
    order: OrderReference | None = None


@dataclass(frozen=True, slots=True)
class Attribution:
    """Whose a movement of this turn is: the order line and the person. The engine writes both into
    the movement before it is recorded. A rule tells it in the turn in which the movement is told.

    A movement that takes an earlier one back for an order is of another `kind`, and `reverses` it.
    """

    movement_id: str
    order: OrderReference | None = None
    actor: str | None = None
    kind: MovementKind | None = None
    reverses: str | None = None


@dataclass(frozen=True, slots=True)
class TaskProgress:
    """How far an open task is: told whenever that changes, and once more, with nothing else, when
    it has `ended`.

    At `place` still `wanting` pieces are to be taken (`outward`) or put; of what was moved `excess`
    are too many there, and at each place of `astray` so many should not have been. `asks` says that
    something is unclear. Of several tasks at one place that with the least `rank` comes first.
    """

    code: str
    item: str = ""
    place: str = ""
    outward: bool = True
    wanting: int = 0
    excess: int = 0
    astray: tuple[tuple[str, int], ...] = ()
    asks: bool = False
    rank: tuple[int, int, int] = (0, 0, 0)
    actor: str | None = None
    ended: bool = False
