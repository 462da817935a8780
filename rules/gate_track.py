"""One tag at one gate: what its antennas heard of it since it began to move.

Part of the portal rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.model import Ns
from rules.gate_levels import Levels
from rules.gate_story import BIN_NS, Lean, Story, lean, tell

BINS_MAX = 160
"""Quarter seconds kept of one tag: 40 s of movement; then the older half is forgotten."""

SPAN_BINS_MAX = 20
"""Over so many of them at most an accumulated read is spread."""

NOT_HEARD = -20_000
"""Level of a side that did not hear a tag, hundredths of a dBm."""

ORIGIN_LEAN = 3.0
"""What it counts where a tag came from, when what it did before is settled."""


@dataclass(slots=True)
class Track:
    """An awake track has something to judge; one that sleeps is only compared with its levels.

    `since` and `until` bound the reads of its movement, `silent_from` is its last read of any kind
    or the end of blind time, `settled_until` until when all is judged. `bins` are the loudest reads
    of both sides per quarter second, `origin` how much is known of the side where it began. `home`
    is the side where it slept, `settled` whether it was seen to stand there, `risen` counts reads
    louder than there. `coarse` is one whose reads tell no levels of moments: without RSSI, or
    accumulated. `told` is one that has passed, and is still in view;
    `accompanied` one that came into view with a load.
    """

    epc: str
    since: Ns
    until: Ns
    silent_from: Ns
    levels: Levels = field(default_factory=Levels)
    bins: dict[int, list[int]] = field(default_factory=dict)
    reads: list[int] = field(default_factory=lambda: [0, 0])
    peak: int = NOT_HEARD
    origin: float = 0.0
    home: int | None = None
    settled: bool = False
    settled_until: Ns = 0
    risen: int = 0
    awake: bool = True
    blind: bool = False
    told: bool = False
    coarse: bool = False
    accompanied: bool = False
    _leans: list[Lean] | None = None
    _story: Story | None = None

    def add(self, begun: Ns, at: Ns, side: int, rssi: int, seen: int) -> None:
        """Take in `seen` reads of a movement that lie between `begun` and `at`."""
        last = at // BIN_NS
        first = last if begun == at else max(begun // BIN_NS, last - SPAN_BINS_MAX)
        for number in range(first, last + 1):
            heard = self.bins.get(number)
            if heard is None:
                if len(self.bins) >= BINS_MAX:
                    self._forget_half()
                heard = self.bins[number] = [NOT_HEARD, NOT_HEARD]
            if rssi > heard[side]:
                heard[side] = rssi
                self._leans = None
        self.peak = max(self.peak, rssi)
        self.reads[side] += seen
        self.since = min(self.since, begun)
        self.until = max(self.until, at)

    def leans(self) -> list[Lean]:
        """Quarter seconds in order of time, and to which side each leans."""
        if self._leans is None:
            self._leans = [
                (number, lean(outer, inner, self.peak))
                for number, (outer, inner) in sorted(self.bins.items())
            ]
            if self.origin and self._leans:
                self._leans.insert(0, (self._leans[0][0], self.origin))
            self._story = None
        return self._leans

    def story(self) -> Story:
        """Which way it went, by its own reads alone."""
        leans = self.leans()
        if self._story is None:
            self._story = tell(leans)
        return self._story

    def recent(self, bins: int) -> tuple[int, int]:
        """The loudest reads of both sides in the last so many quarter seconds of its movement."""
        since = self.until // BIN_NS - bins
        outer = inner = NOT_HEARD
        for number, (outer_heard, inner_heard) in self.bins.items():
            if number > since:
                outer, inner = max(outer, outer_heard), max(inner, inner_heard)
        return outer, inner

    def louder_side(self) -> int:
        """The side that heard it loudest."""
        outer = max((heard[0] for heard in self.bins.values()), default=NOT_HEARD)
        return int(any(heard[1] > outer for heard in self.bins.values()))

    def settle(self, side: int | None) -> None:
        """What it did is judged; it begins anew from that side, where that is known."""
        self.bins.clear()
        self._leans = self._story = None
        self.reads = [0, 0]
        self.risen = 0
        self.blind = False
        self.settled_until = self.until
        self.origin = 0.0 if side is None else ORIGIN_LEAN if side else -ORIGIN_LEAN
        self.levels.begin()

    def _forget_half(self) -> None:
        whole = self.origin
        for number in sorted(self.bins)[: BINS_MAX // 2]:
            outer, inner = self.bins.pop(number)
            whole += lean(outer, inner, self.peak)
        self.origin = max(-ORIGIN_LEAN, min(ORIGIN_LEAN, whole))
