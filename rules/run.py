"""A run of reads: does a tag stand where it is read, or is it carried past?

The level (RSSI) of a tag that stands stays the same within half a decibel, because fading is
spatial; that of one that is carried changes by decibels every few centimetres. A run is reads of
one tag at one antenna at one level. Each read that a carried tag would have given at another level
adds to the evidence that it stands; so does a level that is usual for what stands there
(`rules.antenna`). A weaker read is a shadow until it is repeated. A tag whose level is never steady
stands where it is read for longer than it takes to be carried past.

Source: the deviation of RSSI at one spot (0.2 dB median, 1 dB at 99 %) against that along a track
(2.9 dB) in 86 million reads of the AdaRF set; Wald's sequential test for the sum of log ratios.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.model import NS_PER_MS, NS_PER_S, Ns, TagRead
from rules.antenna import ZoneAntenna
from rules.watched_zone import NEVER, WatchedZone

RSSI_SMOOTHING = 8
"""Weight of the past in the running RSSI: about the last eight reads count."""

RSSI_UNKNOWN_CDBM = -7000
"""Assumed where a reader tells no RSSI: weak, so that a zone that does tell wins."""

GAP_NS = 10 * NS_PER_S
"""Longest gap between two reads of one run: in session 1 a tag is silent for up to 5 s, and
antennas take turns.
"""

SAMPLE_NS, SAMPLE_NATS = 150 * NS_PER_MS, 1.5
"""In this time a carried tag goes further than a quarter wave (8 cm), to another fading, and gives
the same level again, within 1.5 dB, about once in five times.
"""

LATER_NS, LATER_NATS = NS_PER_S, 4.0
"""After so long a carried tag is at another distance too, or has passed."""

BLIND_GAP_NS, BLIND_READS, BLIND_CONFIRM_NS = 2 * NS_PER_S, 3, 12 * NS_PER_S // 10
"""Reads that tell no level: longest gap between them, how many it takes, how long they must last.
They must be many instead of steady.
"""

LINGER_NS, LINGER_READS = 12 * NS_PER_S, 8
"""Nobody takes so long to carry a thing past a zone, and reads in that time that show it there."""

STRONG_NATS = 1.0
"""A level that speaks for itself: no other zone need be heard first."""

WEAK_NS = 5 * NS_PER_S
"""What is weaker must last until all antennas had their turn: the next zone may read it better."""

PATIENCE_NS = 3 * NS_PER_S
"""How long a run waits for a stronger zone to have a run of its own."""

RIVAL_SHARE = 10
"""A stronger zone that has less than a tenth of a run's samples since it began is a stray."""

CARRIED_CDB = 1000
"""What is read elsewhere, and so much weaker, is a stray of a tag that stands, or will soon."""

SET_DOWN_NATS = 2.0
"""What it is worth that a tag was seen to be brought to one of two zones: seven to one. More
changes nothing (tuning seeds 1 to 10).
"""


def sure_nats_of(sure: float) -> float:
    """The evidence that it takes to say that a tag stands: odds of 20 to 1,100."""
    return 3.0 + 4.0 * sure


@dataclass(slots=True)
class Run:
    """Reads of one tag at one antenna, `reads` of them at `level` from `first_at` to `last_at`.

    `samples` of these were far enough apart to count, the last at `sampled_at`, and are worth
    `nats`; `dim` is a weaker level and when it was read. `seen` is all reads since `since`. None
    came from elsewhere since `here_since`. `stray` is a level that was read while the tag stood
    elsewhere, `stray_steady` the last that was read more than once. It has been enough since
    `ready_at`, and the tag has stood there since `began`.
    """

    antenna: ZoneAntenna
    since: Ns
    first_at: Ns
    last_at: Ns
    here_since: Ns
    level: int
    told: bool
    reads: int = 0
    samples: int = 0
    sampled_at: Ns = 0
    nats: float = 0.0
    dim: tuple[int, Ns] | None = None
    seen: int = 0
    stray: int | None = None
    stray_steady: int | None = None
    ready_at: Ns = NEVER
    began: Ns = 0

    @classmethod
    def begin(cls, at: Ns, read: TagRead, antenna: ZoneAntenna) -> Run:
        """The first read is still to be added."""
        rssi, since = read.rssi_cdbm, at - read.span_ns
        level = RSSI_UNKNOWN_CDBM if rssi is None else rssi
        return cls(antenna, since, since, since, since, level, rssi is not None)

    def over(self, at: Ns, read: TagRead) -> bool:
        """Whether a read at that time comes too late to belong to it."""
        return at - self.last_at > (BLIND_GAP_NS if read.rssi_cdbm is None else GAP_NS)

    def known(self, at: Ns) -> None:
        """The tag stands elsewhere, and did when it was read here at this level."""
        self.stray = self.level if self.stray is None else max(self.stray, self.level)
        if self.samples > 1:
            if self.stray_steady is None:
                self.antenna.learn_stray(self.level)
            self.stray_steady = self.level
        self.since, self.seen = at, 0

    def add(self, at: Ns, read: TagRead, still_cdb: int) -> None:
        """Take in a read, or as many as it stands for."""
        rssi = RSSI_UNKNOWN_CDBM if read.rssi_cdbm is None else read.rssi_cdbm
        off, at = rssi - self.level, max(self.last_at, at)
        count = read.seen_count
        if read.span_ns > GAP_NS * (count - 1):
            count = 1
        self.last_at = at
        self.seen += count
        if -still_cdb <= off <= still_cdb:
            self.level += off // RSSI_SMOOTHING
            self.dim = None
        elif off < 0 and (self.dim is None or abs(rssi - self.dim[0]) > still_cdb):
            self.dim = (rssi, at)
            return
        else:
            self._begin_anew(rssi, at - read.span_ns, still_cdb)
        self.reads += count
        if self.samples == 0:
            more = min(count - 1, read.span_ns // SAMPLE_NS)
            self.samples, self.nats, self.sampled_at = 1 + more, more * SAMPLE_NATS, at
        elif at - self.sampled_at >= SAMPLE_NS:
            self.nats += LATER_NATS if at - self.sampled_at >= LATER_NS else SAMPLE_NATS
            self.samples, self.sampled_at = self.samples + 1, at

    def _begin_anew(self, rssi: int, at: Ns, still_cdb: int) -> None:
        """Another level: a stronger one at once, for no shadow adds; a weaker one when it is read
        again.
        """
        self.level, self.reads, self.samples, self.nats = rssi, 0, 0, 0.0
        self.first_at, self.ready_at = at, NEVER
        if self.dim is not None and rssi <= self.dim[0] + still_cdb:
            self.reads, self.samples = 1, 1
            self.first_at = self.sampled_at = self.dim[1]
        self.dim = None

    def on_way(self, level: int) -> bool:
        """Whether it may be that of a tag that is carried: stronger than that, and not steady."""
        return self.samples < 2 and self.level > level

    def of_stray(self, still_at: Ns, still_cdb: int) -> bool:
        """Whether a tag that stood elsewhere at that time was read here at this level, or at a
        stronger one, by then.
        """
        if self.first_at <= still_at:
            return True
        return self.stray is not None and self.level <= self.stray + still_cdb

    def stands(self, expected_nats: float = 0.0) -> bool:
        """Whether the tag stands there, by this run and by what lets one expect it."""
        lasted = self.last_at - self.first_at
        if self.told:
            near = self.antenna.near(self.level)
            enough = self.samples > 1 or expected_nats > 0
            evidence = self.nats + near + expected_nats
            steady = enough and evidence >= self.antenna.zone.sure_nats
            steady = steady and (near >= STRONG_NATS or lasted >= WEAK_NS)
        else:
            steady = self.reads >= BLIND_READS and lasted >= BLIND_CONFIRM_NS
        lingers = self.seen >= LINGER_READS and self.last_at - self.since >= LINGER_NS
        if not (steady or lingers):
            return False
        self.began = self.first_at if steady else self.since
        self.ready_at = min(self.ready_at, self.last_at)
        return True


def outdone(run: Run, others: Iterable[Run], brought_to: WatchedZone | None = None) -> bool:
    """Whether another zone reads the tag far more often, or a stronger one has as good a run, or
    may yet have one. `brought_to` is where it was seen to be set down.
    """
    patient = run.last_at - run.ready_at < PATIENCE_NS
    since = run.first_at - PATIENCE_NS if patient else run.first_at
    return any(
        patient or other.samples * RIVAL_SHARE >= run.samples
        if _stronger(other, run, brought_to)
        else other.samples > run.samples * RIVAL_SHARE
        for other in others
        if other.antenna.zone is not run.antenna.zone and other.last_at >= since
    )


def _stronger(one: Run, other: Run, brought_to: WatchedZone | None) -> bool:
    """Whether one antenna reads the tag better than the other, each against what is usual there."""
    if one.antenna.known and other.antenna.known:
        nats = one.antenna.against(one.level, other.antenna, other.level)
        if brought_to is one.antenna.zone:
            nats += SET_DOWN_NATS
        elif brought_to is other.antenna.zone:
            nats -= SET_DOWN_NATS
        return nats > 0
    return one.level > other.level
