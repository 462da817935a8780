"""The trail of a tag: its last reads by all antennas, turn by turn, and when it was set down.

What is set down changes at once for all antennas: from then on each reads it at one level, or
weaker behind somebody; before, each turn of an antenna gave another level. So every turn of every
antenna is weighed by what tells the one from the other, and the moment is where all of them
together change from carried to standing. What was read best just before tells where it was brought,
which speaks where two zones read it alike. Part of the presence rule.

The log odds are rounded from 20,000 turns before arrivals at simulated sites (family shelf, normal
and hard, tuning seeds 1 to 10); signs and order follow from how levels behave (`rules.run`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.model import NS_PER_MS, NS_PER_S, Ns
from rules.antenna import ZoneAntenna
from rules.run import RSSI_UNKNOWN_CDBM, SAMPLE_NATS, SAMPLE_NS, Run
from rules.watched_zone import WatchedZone

TURNS_MAX = 32
"""Turns that are kept of one tag: some ten seconds of four antennas that all hear it."""

TURN_GAP_NS = 300 * NS_PER_MS
"""Reads of one antenna so soon after each other are of one turn."""

APART_NS = NS_PER_S
"""A carried tag is elsewhere after so long."""

CARRIED_MAX_NS = 20 * NS_PER_S
"""What was read elsewhere so shortly before was on its way, or was set down and shaded since: no
shadow lasts longer.
"""

SET_DOWN_NS, SET_DOWN_MAX_NS = 3 * NS_PER_S // 2, 25 * NS_PER_S
"""What is carried past antennas is read so often: it was set down no longer after its last read.
And reads so long before it was steady tell nothing of that.
"""

CHANGED, MATCHES, STRONGER, UNUSUAL = -6.0, 2.0, -0.7, -2.0
"""Log odds of standing against being carried, of one turn: in which the level changed; at a level
that is the tag's now, or was read again later; stronger than where it stands, though no shadow
adds; at an antenna of which nothing is known.
"""

LASTED_MAX = 4.5
"""A level that lasts within a turn adds as much as in a run, but a person may stop on his way."""

SHADES = ((-1400, 0.8), (-1800, -0.5))
BEYOND_SHADE = -4.0
"""The same of a turn so much below its level (hundredths of a dB), or weaker still: a body takes 7
to 12 dB.
"""

FAR_CDB, FAR_STEP_CDB, FAR_NATS = -2800, -400, (-4.0, 1.0)
"""The same of another antenna, against what is usual there: so far below that a level speaks for
neither, each step more for standing, each less for carrying past; and bounds.
"""

SET_BY_NS, SET_BY_CDB = 2 * NS_PER_S, -1500
"""Who sets a tag down is before the shelf so long, and it is read there as one that stands, but for
what the aisle and his body take.
"""


@dataclass(slots=True)
class Heard:
    """One turn of one antenna: levels from `low` to `high`."""

    antenna: ZoneAntenna
    begin: Ns
    until: Ns
    low: int
    high: int


@dataclass(slots=True)
class Trail:
    """See the module. Of more turns than are kept the oldest goes."""

    turns: deque[Heard] = field(default_factory=lambda: deque(maxlen=TURNS_MAX))

    def add(self, begin: Ns, until: Ns, antenna: ZoneAntenna, rssi: int) -> None:
        """It was read there, from `begin` to `until`."""
        for turn in reversed(self.turns):
            if turn.antenna is antenna:
                if begin - turn.until > TURN_GAP_NS:
                    break
                turn.until = max(turn.until, until)
                turn.low, turn.high = min(turn.low, rssi), max(turn.high, rssi)
                return
        self.turns.append(Heard(antenna, begin, until, rssi, rssi))

    def set_down_at(self, run: Run, still_at: Ns, still_cdb: int) -> Ns:
        """When a tag that stands by that run came to stand there, and last stood elsewhere at
        `still_at` (0 is never): soon after its last turn on the way; two thirds of the time since
        it stood elsewhere, if nobody heard it on its way; else half a usual gap before its first.
        """
        turns = self._before(run, still_at)
        stood = self._change(turns, run, still_cdb)
        first = turns[stood].begin if stood < len(turns) else run.began
        carried_at = turns[stood - 1].until if stood else 0
        waited = first - max(carried_at, still_at)
        if waited > CARRIED_MAX_NS:
            return first - run.antenna.zone.silences.gap_ns // 2
        if carried_at <= still_at:
            return first - max(0, waited) // 3
        return carried_at + max(0, min(waited // 2, SET_DOWN_NS))

    def set_down_in(self, run: Run, still_at: Ns, still_cdb: int) -> WatchedZone | None:
        """In which zone it was read best as it was set down; None if it was near none."""
        turns = self._before(run, still_at)
        carried = turns[: self._change(turns, run, still_cdb)]
        best, zone = SET_BY_CDB, None
        for turn in carried:
            if turn.antenna.known and turn.until >= carried[-1].until - SET_BY_NS:
                off = turn.high - turn.antenna.mean_cdbm
                if off >= best:
                    best, zone = off, turn.antenna.zone
        return zone

    def _before(self, run: Run, still_at: Ns) -> list[Heard]:
        """The turns before that run which may be of the way there."""
        soonest = max(still_at, run.began - SET_DOWN_MAX_NS)
        turns = [turn for turn in self.turns if turn.until > soonest and turn.begin < run.began]
        turns.sort(key=lambda turn: turn.until)
        return turns

    def _change(self, turns: Sequence[Heard], run: Run, still_cdb: int) -> int:
        """The number of the first of these turns in which it stood."""
        odds, best, stood = 0.0, 0.0, len(turns)
        for number in reversed(range(len(turns))):
            odds += self._odds(turns[number], run, still_cdb)
            if odds > best:
                best, stood = odds, number
        return stood

    def _odds(self, turn: Heard, run: Run, still_cdb: int) -> float:
        """Log odds of standing by that run, against being carried, of one turn before it."""
        here = turn.antenna is run.antenna
        if turn.high == RSSI_UNKNOWN_CDBM:
            return 0.0 if here else UNUSUAL
        if turn.high - turn.low > still_cdb:
            return CHANGED
        off = turn.high - (run.level if here else turn.antenna.mean_cdbm)
        if (here and abs(off) <= still_cdb) or self._again(turn, still_cdb):
            return MATCHES
        lasted = min(LASTED_MAX, (turn.until - turn.begin) // SAMPLE_NS * SAMPLE_NATS)
        if not here:
            return lasted + (_far(off) if turn.antenna.known else UNUSUAL)
        if off > 0:
            return lasted + STRONGER
        return lasted + next((odds for least, odds in SHADES if off >= least), BEYOND_SHADE)

    def _again(self, turn: Heard, still_cdb: int) -> bool:
        """Whether that antenna read it at that level later too."""
        return any(
            other.antenna is turn.antenna
            and other.begin - turn.until > APART_NS
            and abs(other.high - turn.high) <= still_cdb
            for other in self.turns
        )


def _far(off_cdb: int) -> float:
    low, high = FAR_NATS
    return max(low, min(high, (off_cdb - FAR_CDB) / FAR_STEP_CDB))
