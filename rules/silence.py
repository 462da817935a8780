"""How long a tag must be silent to have left, learned from the silences of its zone that ended.

A tag that stands falls silent when somebody's shadow lies on it, when its antenna has its turn
elsewhere, and in Gen2 session 1 after each read. Beyond the usual gaps such silences are the
rarer the longer they are, exponentially: their number and mean excess tell how long to wait until
no more are taken for departures than is let pass. Where most of the long ones end soon, because
they are chance, the few that are shadows are another tail, further out: the window is the longest
that either asks for. A tag that was read on its way has most likely
left, and need only be given the time to be set down; how often such a one comes back is learned
too. All of it is per zone and bounded, so that a fault can neither make every tag depart nor keep
every tag for ever.

Source: the exceedances of a high threshold are exponential where the tail is (Pickands 1975); of a
mixture, only those of a threshold that the shorter kind does not reach.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log

from gateway.model import NS_PER_S, Ns

LONG_MIN_NS, LONG_GAPS = 3 * NS_PER_S, 2
"""A silence is long from here on: longer than this, and than so many usual gaps."""

KEPT_S = 20 * 3600.0
"""What is learned is that of about so many tag seconds."""

PRIOR_S, PRIOR_LONG, PRIOR_EXCESS_S = 3600.0, 20.0, 2.0
"""What is assumed of a zone that nothing is known of: shadows of 2 s, and how sure that is."""

ROAMED_NS = 18 * NS_PER_S // 10
"""What was set down is read after a gap, once the person has stepped back."""

PRIOR_DEPARTED, DEPARTURES_MIN_PER_H = 1.0, 0.005
"""Assumed departures in that time; and how many each tag is given at least, one in eight days."""

PRIOR_STIRRED, SEEN_SHARE, STIRRED_NATS = 0.4, 0.8, (0.5, 8.0)
"""Assumed of the long silences: how many were of tags that were read elsewhere meanwhile; of tags
that are carried off so many are. And bounds of what such a read is worth.
"""

PRIOR_TAKEN, PRIOR_BACK, TAKEN_KEPT = 10.0, 0.4, 200.0
"""Assumed of tags that were taken up: departures, how many came back after all; and how many
departures are kept in mind.
"""

EXCESS_S = (0.7, 6.0)
"""Bounds of the mean excess."""

FAR_NS = (2 * NS_PER_S, 4 * NS_PER_S, 7 * NS_PER_S)
"""How much longer than long a silence must be to belong to a tail further out."""

PRIOR_FAR, FAR_MIN, FAR_KEPT = 2.0, 5.0, 2000.0
"""Assumed of each such tail: silences; from how many on it counts; and of how many long silences
those further out are remembered: in calm zones one in fifty may be a shadow, and how long shadows
last is a matter of the house, not of the hour.
"""

GAP_NS = (NS_PER_S // 5, 10 * NS_PER_S)
"""Bounds of the usual gap."""

GAPS_KEPT, GAPS_FEW = 64, 8
"""The usual gap is that of about so many tags looked at; once so many were, one that is read much
more seldom counts as three times the usual.
"""

WINDOW_MAX_NS = 50 * NS_PER_S
"""Whoever wants to know within a minute gets no longer window."""


@dataclass(slots=True)
class Tail:
    """Silences that were long and ended: how many, and by how much they were too long in all."""

    count: float
    excess_s: float

    def add(self, excess_ns: Ns) -> None:
        """One more; a silence that is not long adds nothing."""
        if excess_ns > 0:
            self.count += 1
            self.excess_s += min(excess_ns, WINDOW_MAX_NS) / NS_PER_S

    def halve(self) -> None:
        """Forget half of it."""
        self.count /= 2
        self.excess_s /= 2

    @property
    def mean_ns(self) -> Ns:
        """The mean excess."""
        low, high = EXCESS_S
        return int(max(low, min(high, self.excess_s / self.count)) * NS_PER_S)


@dataclass(slots=True)
class Silences:
    """The silences of one zone.

    `far` are those further out, of the last `longs` that were long.

    `false_share` is how many wrong departures are let pass for each true one, `roamed_share` how
    many of the tags that were taken up: the knob between quick and sure. `departed` is how many
    left in `watched_s`: where nobody takes anything, a silence is a shadow. `moves` is how many
    came or left.
    """

    false_share: float
    roamed_share: float
    gap_ns: Ns = 2 * NS_PER_S
    gaps: int = 1
    watched_s: float = PRIOR_S
    stirred: float = PRIOR_STIRRED
    departed: float = PRIOR_DEPARTED
    moves: float = PRIOR_DEPARTED
    taken: float = PRIOR_TAKEN
    quiet: Tail = field(default_factory=lambda: Tail(PRIOR_LONG, PRIOR_LONG * PRIOR_EXCESS_S))
    roamed: Tail = field(default_factory=lambda: Tail(PRIOR_BACK, PRIOR_BACK * PRIOR_EXCESS_S))
    longs: float = PRIOR_LONG
    far: tuple[Tail, ...] = field(
        default_factory=lambda: tuple(Tail(PRIOR_FAR, PRIOR_FAR * PRIOR_EXCESS_S) for _ in FAR_NS)
    )

    @classmethod
    def of(cls, sure: float) -> Silences:
        """What is let pass, from quick (0) to sure (1): 10 % of the departures to 0.025 %, and 16
        to 1.6 % of the tags that were taken up.
        """
        return cls(10.0 ** (-1.0 - 2.6 * sure), 10.0 ** (-0.8 - sure))

    @property
    def long_ns(self) -> Ns:
        """From when on a silence is long."""
        return max(LONG_MIN_NS, LONG_GAPS * self.gap_ns)

    def ended(self, silence_ns: Ns, slack_ns: Ns, *, stirred: bool) -> None:
        """A tag was silent and had not left; it is given so much more time than others. It may
        have been read as if on its way.
        """
        excess_ns = silence_ns - slack_ns - self.long_ns
        if excess_ns <= 0:
            return
        self.quiet.add(excess_ns)
        self.stirred += stirred
        self.longs += 1
        for beyond_ns, tail in zip(FAR_NS, self.far, strict=True):
            tail.add(excess_ns - beyond_ns)
        if self.longs > FAR_KEPT:
            self.longs /= 2
            for tail in self.far:
                tail.halve()

    @property
    def long_per_h(self) -> float:
        """Long silences per tag hour."""
        return self.quiet.count * 3600.0 / self.watched_s

    @property
    def stirred_nats(self) -> float:
        """What one read on the way is worth: how much more likely it is of a tag that was taken up
        than of one that is silent where it stands; twice, because it also tells when.
        """
        low, high = STIRRED_NATS
        return max(low, min(high, 2 * log(SEEN_SHARE * self.quiet.count / self.stirred)))

    def watched(self, span_ns: Ns, gap_ns: Ns) -> None:
        """A tag stood there for so long, with such gaps between its reads."""
        self.watched_s += span_ns / NS_PER_S
        low, high = GAP_NS
        self.gaps = min(GAPS_KEPT, self.gaps + 1)
        if self.gaps > GAPS_FEW:
            high = min(high, 3 * self.gap_ns)
        self.gap_ns += (max(low, min(high, gap_ns)) - self.gap_ns) // self.gaps
        if self.watched_s > KEPT_S:
            self.watched_s /= 2
            self.quiet.halve()
            self.stirred /= 2
            self.departed /= 2
            self.moves /= 2

    def came(self, *, hardly_heard: bool) -> None:
        """A tag came to stand there."""
        self.moves += not hardly_heard

    def left(self, *, roamed: bool, hardly_heard: bool = False) -> None:
        """A tag is told to have left; it may have been read on its way. One that was hardly heard
        may come and go by itself: it does not show how often tags are taken.
        """
        self.departed += not hardly_heard
        self.moves += not hardly_heard
        self.taken += roamed
        if self.taken > TAKEN_KEPT:
            self.taken /= 2
            self.roamed.halve()

    def had_not_left(self, *, hardly_heard: bool = False) -> None:
        """What was told was wrong."""
        self.departed = max(0.0, self.departed - (not hardly_heard))
        self.moves = max(0.0, self.moves - (not hardly_heard))

    def came_back(self, silence_ns: Ns) -> None:
        """A tag that was taken up, or seemed so, is in its zone again after so long."""
        self.roamed.add(silence_ns - self.gap_ns - ROAMED_NS)

    @property
    def moves_per_h(self) -> float:
        """How many tags that are well heard come or leave per tag hour."""
        return max(DEPARTURES_MIN_PER_H, self.moves * 3600.0 / self.watched_s)

    @property
    def false_per_h(self) -> float:
        """How many wrong departures per tag hour are let pass."""
        departures_per_h = self.departed * 3600.0 / self.watched_s
        return self.false_share * max(DEPARTURES_MIN_PER_H, departures_per_h)

    def window_ns(self) -> Ns:
        """How long a tag must be silent to have left."""
        wrong = self.long_per_h / self.false_per_h
        longer = int(self.quiet.mean_ns * max(1.0, log(max(1.0, wrong))))
        for beyond_ns, tail in zip(FAR_NS, self.far, strict=True):
            if tail.count >= FAR_MIN:
                further = log(max(1.0, wrong * tail.count / self.longs))
                longer = max(longer, beyond_ns + int(tail.mean_ns * further))
        return min(WINDOW_MAX_NS, self.long_ns + longer)

    def roamed_ns(self) -> Ns:
        """How long a tag that was taken up must be silent to have left."""
        wrong = self.roamed.count / self.taken / self.roamed_share
        longer = int(self.roamed.mean_ns * log(max(1.0, wrong)))
        return self.gap_ns + ROAMED_NS + longer
