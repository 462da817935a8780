"""What all tag baselines share: which place an antenna stands for, and movements out of places.

A baseline says only where it believes a tag to be. In a zone, coming, going and changing place are
movements. At a gate each side is a place; a tag that was believed on both, one after the other,
passed when it is believed on neither any more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from simulators.world.truth import OUTSIDE, ClockStep, Observed, Reads, Scenario
from tests.bench.judging.claims import Claim, Told


class Places:
    """Turns "the tag is there now" into claims. Times are ns on the world's clock."""

    def __init__(self, scenario: Scenario) -> None:
        block = scenario.block
        self.of_point: dict[str, str] = {}
        self._ways: dict[str, tuple[str, str]] = {}
        for zone in block.zones:
            self.of_point.update(dict.fromkeys(zone.points, zone.location))
        for gate in block.gates:
            outer, inner = f"{gate.gate}/outer", f"{gate.gate}/inner"
            self.of_point.update(dict.fromkeys(gate.outer, outer))
            self.of_point.update(dict.fromkeys(gate.inner, inner))
            self._ways[outer] = (gate.outside, gate.inside)
            self._ways[inner] = (gate.inside, gate.outside)
        self._items: Mapping[str, str] = {
            good.prefix: good.code for good in block.goods if good.prefix
        }
        self._first: dict[str, str] = {}
        self.claims: list[Claim] = []
        self.fast_ns = 0
        """By how much the wall clock that a baseline lives by runs before the world's."""

    def item(self, epc: str) -> str:
        """The item of that EPC; empty for a ghost."""
        return self._items.get(epc[:16], "")

    def moved(self, epc: str, old: str | None, new: str | None, when: tuple[int, int]) -> None:
        """The tag, believed at `old`, is believed at `new`; `when` is (event, decision)."""
        item = self.item(epc)
        if not item or old == new:
            return
        if (new or old) in self._ways:
            self._at_gate(epc, old, new, when)
            return
        self._claim(epc, (old or OUTSIDE, new or OUTSIDE), when)

    def _at_gate(self, epc: str, old: str | None, new: str | None, when: tuple[int, int]) -> None:
        if old is None:
            assert new is not None
            self._first[epc] = new
        elif new is None:
            first = self._first.pop(epc, old)
            if first != old:
                self._claim(epc, self._ways[first], when)

    def _claim(self, epc: str, ends: tuple[str, str], when: tuple[int, int]) -> None:
        at, decided = (moment - self.fast_ns for moment in when)
        self.claims.append(Claim(at, decided, self.item(epc), *ends, 1, (epc,)))


class TagBaseline(ABC):
    """Feeds a baseline with reads, and with time once in `TICK_NS`: that of the wall clock, which
    its model lives by.
    """

    TICK_NS = 250_000_000

    def __init__(self, scenario: Scenario) -> None:
        self.places = Places(scenario)
        self._next_tick = self.TICK_NS

    def observe(self, observed: Observed) -> None:
        """Take in one observation; only reads count."""
        now = observed.at + self.places.fast_ns
        self._tick_until(now)
        if type(observed) is ClockStep:
            self.places.fast_ns += observed.span
            self._next_tick = (now + observed.span) // self.TICK_NS * self.TICK_NS + self.TICK_NS
        elif type(observed) is Reads:
            of_point = self.places.of_point
            for point, epc, rssi, age in observed.reads:
                self.read(now - age, of_point[point], epc, rssi)

    def finish(self, at: int) -> Told:
        """What was claimed until then."""
        self._tick_until(at + self.places.fast_ns)
        return Told(claims=self.places.claims)

    def _tick_until(self, now: int) -> None:
        while now >= self._next_tick:
            self.tick(self._next_tick)
            self._next_tick += self.TICK_NS

    @abstractmethod
    def read(self, at: int, place: str, epc: str, rssi_cdbm: int) -> None:
        """One read."""

    @abstractmethod
    def tick(self, now: int) -> None:
        """Time passes."""
