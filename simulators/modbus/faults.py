"""Faults of a link or of one unit: each has a probability, or is ordered for the next answers."""

from collections import Counter, deque
from dataclasses import dataclass, field
from enum import Enum
from random import Random

ORDERED_MAX = 1000  # far more than a test scripts by hand


class Fault(Enum):
    """One way in which an answer goes wrong. At most one fault hits an answer."""

    SILENT = "silent"
    """No answer."""
    SLOW = "slow"
    """The answer comes after `slow_s`; the unit does nothing else meanwhile."""
    LATE = "late"
    """The answer comes after `late_s`, though the unit takes new requests meanwhile."""
    WRONG_TRANSACTION = "wrong-transaction"
    """TCP only: the transaction id is another one; RTU has none and answers well."""
    WRONG_UNIT = "wrong-unit"
    """Another unit id answers."""
    GARBAGE = "garbage"
    """As many random bytes as the answer has."""
    BAD_CHECKSUM = "bad-checksum"
    """RTU only: one bit of the answer is flipped; TCP has its own checksum and answers well."""
    ILLEGAL_ADDRESS = "illegal-address"
    """Exception 2."""
    DEVICE_FAILURE = "device-failure"
    """Exception 4."""
    BUSY = "busy"
    """Exception 6."""
    SHORT = "short"
    """A well-formed answer with one register fewer than asked for."""
    CUT = "cut"
    """Half of the frame; a TCP connection is closed after it."""
    NOT_A_NUMBER = "nan"
    """The weights of this answer are no numbers, where the family sends floats."""
    OVERLOAD = "overload"
    """This answer reports overload on every cell."""
    FROZEN = "frozen"
    """From now on, for `frozen_s`, all cells of the unit keep their weight."""


@dataclass(slots=True)
class Faults:
    """Draws at most one fault per answer. `counts` says how often each was drawn."""

    random: Random
    probability: dict[Fault, float] = field(default_factory=dict)
    slow_s: float = 0.15
    late_s: float = 1.0
    frozen_s: float = 30.0
    ordered: deque[Fault | None] = field(default_factory=lambda: deque(maxlen=ORDERED_MAX))
    counts: Counter[Fault] = field(default_factory=Counter)

    def order(self, *faults: Fault | None) -> None:
        """Script the next answers, one each; None is a good answer."""
        self.ordered.extend(faults)

    def draw(self) -> Fault | None:
        """The fault of this answer: an ordered one, else by lot, else none."""
        fault = self.ordered.popleft() if self.ordered else self._by_lot()
        if fault is not None:
            self.counts[fault] += 1
        return fault

    def _by_lot(self) -> Fault | None:
        if not self.probability:
            return None
        lot = self.random.random()
        for fault, probability in self.probability.items():
            if lot < probability:
                return fault
            lot -= probability
        return None
