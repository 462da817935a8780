"""A tag that stands in a zone: at which level, whether it was taken up, and when it will have left.

A tag that is read elsewhere at a level that is new there was taken up: then a short silence shows
that it is gone. A weaker level at its own antenna says nothing, because a shadow has the same
effect. A tag that falls silent out of the blue is in somebody's shadow more often than it is gone:
that takes the whole window of its zone (`rules.silence`).
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model import NS_PER_MS, NS_PER_S, Ns
from rules.antenna import ZoneAntenna
from rules.pace import LEAVE_MAX_NS, SPARSE_NS, Pace
from rules.run import STRONG_NATS, WEAK_NS, Run
from rules.silence import WINDOW_MAX_NS, Silences
from rules.watched_zone import WatchedZone

GAP_MIN_NS = 200 * NS_PER_MS
"""A read so soon after another is of the same turn of the antenna."""

STIRRED_FAR_NATS, STIRRED_MAX = 0.5, 12.0
"""What a read on the way is worth that is from afar: as much as waiting for half a mean excess, for
it is rather a rare stray. And what all reads are worth at most.
"""

FAR_CDB = 2500
"""What is read so much weaker than usual there is far."""

SHADE_MAX_CDB = 1400
"""A body takes no more than this from a level (7 to 12 dB); what is carried in the aisle is
weaker.
"""

SHADE_MAX_NS = 10 * NS_PER_S
"""A weaker level that lasts longer is no shadow."""

REACH_MAX_NS = 5 * NS_PER_S
"""Who reaches for a tag may shade it, but no longer than so before it is taken."""

MOVE_MIN_NS, MOVE_GAPS = 2 * NS_PER_S, 2
"""How long its own zone must not have read a tag that stands elsewhere, and for how many of its
gaps: a turn of the antennas, and more, because it may just have been shaded.
"""

MISPLACED_NATS, MISPLACED_SAMPLES = 2.0, 4
"""How much better another zone reads a tag that is in the wrong one, and how often."""


@dataclass(slots=True)
class Standing:
    """A tag that is present; `rssi` is its level at `antenna`, in hundredths of a dBm.

    `last` (any read here), `still` (at its level), `shaded` (somewhat below), `roamed` (elsewhere)
    and `arrived` are on the zone's clock; `seen_at`, `still_at`, `shaded_at`, `placed_at` and
    `stirred_at`, the first read since at which it was taken up, are moments. `hidden` is its
    longest silence since then, `due` when its silence is looked at.
    """

    antenna: ZoneAntenna
    rssi: int
    last: Ns
    arrived: Ns
    seen_at: Ns
    pace: Pace
    reads: int = 0
    due: Ns = 0
    still: Ns = 0
    still_at: Ns = 0
    shaded: Ns = 0
    shaded_at: Ns = 0
    roamed: Ns = 0
    stirred_nats: float = 0.0
    stirred_at: Ns = 0
    hidden: Ns = 0
    came_from: str = ""
    placed_at: Ns = 0

    @property
    def zone(self) -> WatchedZone:
        """Where it stands."""
        return self.antenna.zone

    @property
    def silences(self) -> Silences:
        """Those of its zone."""
        return self.antenna.zone.silences

    def seen_still(self, at: Ns, count: int) -> None:
        """It was read as it stood."""
        zone = self.antenna.zone
        gap = at - self.seen_at
        if gap > 0:
            self.seen_at = at
            if gap > GAP_MIN_NS:
                silent, silences = zone.lived - max(self.last, zone.floor), zone.silences
                self.pace.squares_s += (min(gap, silent + GAP_MIN_NS) / NS_PER_S) ** 2
                if silent > silences.long_ns:
                    slack = self._slack_ns()
                    silences.ended(silent, slack, stirred=self.stirred_nats > 0)
        if self.stirred_nats:
            self._back()
        self.reads += count
        self.last = self.still = zone.lived
        if at > self.still_at:
            self.still_at = at

    def seen_astray(self, at: Ns, count: int, rssi: int | None) -> None:
        """It was read in its zone, at another level than it stood; None if its antenna did not."""
        self.reads += count
        self.last = self.zone.lived
        self.seen_at = max(self.seen_at, at)
        if rssi is not None and rssi > self.rssi - SHADE_MAX_CDB:
            self.shaded, self.shaded_at = self.zone.lived, max(self.shaded_at, at)

    def found(self, at: Ns, count: int, antenna: ZoneAntenna, rssi: int) -> None:
        """It was read in its zone for the first time since the gateway started."""
        self.antenna, self.rssi = antenna, rssi
        self.arrived = self.zone.lived
        self.seen_still(at, count)

    def stir(self, at: Ns, run: Run, rssi: int) -> None:
        """It was read on its way."""
        self._not_gone()
        self.roamed = self.zone.lived
        if self.stirred_nats >= STIRRED_MAX or (self.stirred_nats and run.sampled_at != at):
            return
        if not self.stirred_nats:
            self.stirred_at = at
        antenna = run.antenna
        far = antenna.known and rssi < antenna.mean_cdbm - FAR_CDB
        self.stirred_nats += STIRRED_FAR_NATS if far else self.silences.stirred_nats

    def weighed_gone(self, at: Ns) -> None:
        """A scale has felt that a piece like it went; it was not read as it stood since. Whoever
        took the piece may stand before the others: its silence counts from now on.
        """
        self.roamed = self.zone.lived
        if not self.stirred_nats:
            self.stirred_at = at
        self.stirred_nats = STIRRED_MAX

    def settle(self, run: Run) -> bool:
        """It stands elsewhere in its own zone, or its level has changed; False if that is not sure:
        a weaker level must outlast a shadow.
        """
        if run.level < self.rssi and run.last_at - run.first_at < SHADE_MAX_NS:
            return False
        self._back()
        self.antenna, self.rssi = run.antenna, run.level
        self.still, self.still_at = self.zone.lived, run.last_at
        return True

    def _back(self) -> None:
        """It stands in its zone: learn from it if it seemed taken up."""
        if self.stirred_nats:
            self.set_down()
            self.stirred_nats = 0.0

    def set_down(self) -> None:
        """It was taken up and stands again: learn how long such a tag is silent meanwhile."""
        self._not_gone()
        self.silences.came_back(self.hidden)
        self.hidden = 0

    def _not_gone(self) -> None:
        if self.stirred_nats:
            silent = self.zone.lived - max(self.last, self.roamed, self.zone.floor)
            self.hidden = max(self.hidden, silent)

    def left_for(self, run: Run) -> bool:
        """Whether a tag that stands by that run elsewhere no longer stands here."""
        silent = self.zone.lived - max(self.still, self.shaded, self.zone.floor)
        near = run.antenna.near(run.level)
        if run.antenna.known and near >= STRONG_NATS:
            return silent >= max(MOVE_MIN_NS, self.pace.gap * MOVE_GAPS)
        return silent >= (self.roamed_ns() if near >= 0 else self.window_ns())

    def misplaced(self, run: Run) -> bool:
        """Whether a tag that is read here and there, and always was, stands there."""
        long = run.samples >= MISPLACED_SAMPLES and run.last_at - run.first_at >= WEAK_NS
        return long and self._better(run) >= MISPLACED_NATS

    def better_here(self, run: Run) -> bool:
        """Whether its own zone reads it so much better that the run is a stray's."""
        return self._better(run) <= -MISPLACED_NATS

    def _better(self, run: Run) -> float:
        """How much better another antenna reads it than its own; 0 if not known."""
        home, there = self.antenna, run.antenna
        if not (home.known and there.known):
            return 0.0
        return there.against(run.level, home, self.rssi)

    def window_ns(self) -> Ns:
        """How long its silence must be if nobody saw it on its way."""
        silences, pace = self.silences, self.pace
        window = silences.window_ns() + self._slack_ns()
        return min(window, WINDOW_MAX_NS if pace.gap <= SPARSE_NS else LEAVE_MAX_NS)

    def _slack_ns(self) -> Ns:
        silences = self.silences
        return self.pace.slack_ns(silences.gap_ns, silences.false_per_h)

    def roamed_ns(self) -> Ns:
        """How long its silence must be at least after it was read on its way: it may yet be set
        down here.
        """
        slack = max(0, self.pace.gap - self.silences.gap_ns)
        return min(self.window_ns(), self.silences.roamed_ns() + slack)

    def silence_end(self) -> Ns:
        """When its silence will have lasted: evidence makes up for waiting."""
        window = self.window_ns()
        if self.stirred_nats:
            spared = int(self.silences.quiet.mean_ns * self.stirred_nats)
            window = max(self.roamed_ns(), window - spared)
        return max(self.last, self.roamed, self.zone.floor) + window

    def left_at(self) -> Ns:
        """When it was taken: half way from its last read here to the first on its way, but no
        longer after than somebody shades it; or half a gap later.
        """
        if not self.still_at:
            return self.seen_at
        last = max(self.still_at, self.shaded_at)
        if self.stirred_nats:
            return last + max(0, min(REACH_MAX_NS, (self.stirred_at - last) // 2))
        return last + self.pace.gap // 2
