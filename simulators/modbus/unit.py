"""One device on a link: a family's registers in front of a shelf, with a memory of its writes."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from logging import getLogger
from typing import NamedTuple

from simulators.modbus.faults import Fault, Faults
from simulators.modbus.scale import (
    Exceptional,
    Family,
    ForbiddenWriteError,
    Image,
    ModbusError,
    ScaleState,
)
from simulators.modbus.shelf import Shelf

WRITES_MAX = 10_000  # kept for inspection; a gateway writes a handful a day

log = getLogger(__name__)


class Write(NamedTuple):
    """A write that reached a unit. `refusal` is empty when it was taken."""

    at_s: float
    address: int
    words: tuple[int, ...]
    refusal: str


@dataclass(slots=True, eq=False)
class Unit:
    """A unit id's device. `silent` switches it off; `faults` overrides those of the link."""

    family: Family
    shelf: Shelf
    faults: Faults | None = None
    silent: bool = False
    frozen_until_s: float | None = None
    writes: deque[Write] = field(default_factory=lambda: deque(maxlen=WRITES_MAX))

    def __post_init__(self) -> None:
        assert len(self.shelf.cells) <= self.family.cells_max, "the family has fewer scales"

    @property
    def forbidden_writes(self) -> list[Write]:
        """Writes refused because no gateway may send them."""
        return [write for write in self.writes if write.refusal]

    def read(self, function: int, address: int, count: int, at_s: float) -> list[int]:
        """Registers by function 3 (holding) or 4 (input).

        Raises:
            ModbusError: the device has no such function, address or count.

        """
        return self.read_states(function, address, count, self.states(at_s))

    def states(self, at_s: float, fault: Fault | None = None) -> list[ScaleState]:
        """The scales at a moment, as a fault of this answer makes them look."""
        self._thaw(at_s)
        states = self.shelf.states(at_s)
        if fault is Fault.NOT_A_NUMBER:
            return [replace(state, not_a_number=True) for state in states]
        if fault is Fault.OVERLOAD:
            return [replace(state, overload=True) for state in states]
        return states

    def read_states(
        self, function: int, address: int, count: int, states: Sequence[ScaleState]
    ) -> list[int]:
        """Registers for given scales, whatever lies on the shelf. Raises as `read` does."""
        image = self.family.image(states)
        registers = _space(image, function)
        if not registers:
            raise ModbusError(Exceptional.ILLEGAL_FUNCTION)
        if not 1 <= count <= self.family.registers_max:
            raise ModbusError(Exceptional.ILLEGAL_VALUE)
        wanted = range(address, address + count)
        if any(register not in registers for register in wanted):
            raise ModbusError(Exceptional.ILLEGAL_ADDRESS)
        return [registers[register] for register in wanted]

    def write(self, address: int, words: Sequence[int], at_s: float) -> None:
        """Take a write, and remember it.

        Raises:
            ForbiddenWriteError: no gateway may send this; it is kept in `forbidden_writes`.
            ModbusError: no such register.

        """
        self._thaw(at_s)
        self.shelf.advance(at_s)
        refusal = ""
        try:
            self.family.write(address, words, self.shelf)
        except ForbiddenWriteError as error:
            refusal = error.reason
            log.warning("%s refuses a write to %d: %s", self.family.name, address, refusal)
            raise
        except ModbusError as error:
            refusal = error.code.name
            raise
        finally:
            self.writes.append(Write(at_s, address, tuple(words), refusal))

    def freeze(self, until_s: float) -> None:
        """Keep the weights of all cells as they are until a moment."""
        self.frozen_until_s = until_s
        for trouble in self.shelf.troubles.values():
            trouble.frozen = True

    def _thaw(self, at_s: float) -> None:
        if self.frozen_until_s is not None and at_s >= self.frozen_until_s:
            self.frozen_until_s = None
            for trouble in self.shelf.troubles.values():
                trouble.frozen = False


def _space(image: Image, function: int) -> dict[int, int]:
    return dict(image.holding if function == 3 else image.input)
