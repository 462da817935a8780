"""Which record goes out next, and when to go back: the protocol without the network.

Time is an argument, randomness is handed in, nothing here waits. The shell (`session.py`) tells
what happened, then asks `room` for what to publish, `take_hello` whether to greet, `wake_at` when
to call `timer`. The rules (docs/asyncapi.yaml):

* Records go out in seq order. A PUBACK only paces; the core's cumulative `hw` settles.
* The core's hello puts the position to hw + 1, on every connect and whenever it comes.
* An overdue ack: greet again and send hw + 1 alone, later each time, until the core answers.
  One record proves the way; a flood of copies would fill the broker's queue for a core that is off.
* A record that can never pass is withheld: a stand-in with its number goes out, so that those
  behind it do not wait for ever. All else that is refused is tried again, and said loudly.

    offline --connect--> greeting --hello--> flowing --hw above last--> held
"""

from __future__ import annotations

from enum import Enum, auto
from random import Random
from typing import Literal, NamedTuple

from gateway.model import NS_PER_S, Ns, Severity
from gateway.uplink.outbox import Bounds

AHEAD_MAX = 500
"""Records sent beyond the core's mark: half of what Mosquitto queues for one subscriber before it
drops (max_queued_messages 1000), so that a slow core costs no message."""

FETCH_MAX = 64
"""Records fetched from the store at once; about one window."""

RETRY_MAX_NS = 60 * NS_PER_S
"""Longest jitter between two greetings to a core that does not answer."""

REFUSED_MAX_NS = 60 * NS_PER_S
"""Longest pause after the broker refused to take records."""

SNAPSHOT_EVERY_NS = 3600 * NS_PER_S
"""Least time between two snapshots for a core that lacks records that are pruned: a core that does
not follow says so with each greeting, and a snapshot of everything is hundreds of records."""

WITHHELD_MAX = 1024
"""Records known as never passing, remembered to send their stand-in at once next time."""

ALONE_AFTER_CUTS = 3
WITHHOLD_AFTER_CUTS = 6
SUSPECT_MIN_BYTES = 8 * 1024
"""MQTT 3.1.1 brokers cut the connection at a packet they hold for too large, without a word. A
record that was the first unanswered one at three cuts in a row goes alone; at six, if it is large
and larger than all that passed, it is withheld. A smaller one is never suspected."""

PAYLOAD_INVALID = 0x99
TOPIC_INVALID = 0x90
PACKET_TOO_LARGE = 0x95
NEVER_PASSES = frozenset({PAYLOAD_INVALID, TOPIC_INVALID, PACKET_TOO_LARGE})
"""MQTT 5 reason codes that speak of the record, not of the connection or of our rights."""


class Phase(Enum):
    """Where the conversation with the core stands."""

    OFFLINE = auto()
    GREETING = auto()
    FLOWING = auto()
    HELD = auto()


class Alarm(NamedTuple):
    """Something that a person should know, raised once and cleared once per code."""

    code: str
    raised: bool
    severity: Severity
    text: str


class Room(NamedTuple):
    """Publish up to `limit` records above `after`."""

    after: int
    limit: int


class Pace(NamedTuple):
    """Whose word settles, and how long an ack may take."""

    settle: Literal["core", "broker"]
    ack_timeout_ns: Ns


class Position:
    """The delivery of one epoch over any number of connections."""

    def __init__(self, pace: Pace, random: Random) -> None:
        self.pace = pace
        self.phase = Phase.OFFLINE
        self.next_seq = 1
        self.settled = 0
        self.last = 0
        self.first_kept = 1
        self.timeouts = 0
        self.snapshot_wanted = False
        self.epoch_wanted = False
        self._snapshot_at: Ns | None = None
        self.withheld: dict[int, str] = {}
        self._stand_in_due = 0
        self.alarms: list[Alarm] = []
        self._ack_timeout_ns = pace.ack_timeout_ns
        self._by_core = pace.settle == "core"
        self._random = random
        self._hello_due = False
        self._probing = False
        self._attempt = 0
        self._deadline: Ns | None = None
        self._refusals = 0
        self._resume_at: Ns | None = None
        self._unanswered: dict[int, int] = {}
        self._largest_passed = 0
        self._suspect: tuple[int, int] = (0, 0)
        self._told: dict[str, bool] = {}

    # The connection

    def connect(self, now: Ns, bounds: Bounds) -> None:
        """A connection is up: greet, and start from our own mark until the core says its own."""
        self.know(bounds)
        self.settled = bounds.high_water
        self.next_seq = bounds.high_water + 1
        self._unanswered.clear()
        self._hello_due = True
        self._probing = False
        self._attempt = 0
        self._resume_at = None
        self.phase = Phase.GREETING if self._by_core else Phase.FLOWING
        self._deadline = now + self._ack_timeout_ns if self._by_core else None

    def disconnect(self) -> None:
        """The connection is gone, and with it every answer that was still to come."""
        if self._unanswered and self.phase is not Phase.OFFLINE:
            first = min(self._unanswered)
            cuts = self._suspect[1] + 1 if self._suspect[0] == first else 1
            self._suspect = (first, cuts)
            size = self._unanswered[first]
            large = size >= SUSPECT_MIN_BYTES and size > self._largest_passed
            if cuts >= WITHHOLD_AFTER_CUTS and large:
                self.withhold(first, f"{size} bytes: the broker cuts the connection at it")
        self._unanswered.clear()
        self.phase = Phase.OFFLINE
        self._deadline = self._resume_at = None

    def know(self, bounds: Bounds) -> None:
        """Take over what the store has now."""
        self.last = bounds.last
        self.first_kept = bounds.first_kept

    # What the core says

    def hello(self, now: Ns, high_water: int) -> None:
        """The core says how far it is: go on right behind that, be it forward or back."""
        if not self._by_core or self.phase is Phase.OFFLINE or self._is_beyond(high_water):
            return
        if high_water + 1 < self.first_kept:
            self._want_snapshot(now)
            if self.phase is not Phase.GREETING:
                self._greet_anew(now)  # it cannot know that those records are gone
            return
        self.phase = Phase.FLOWING
        self._move_to(high_water)
        self._deadline = None
        self._alive()

    def _want_snapshot(self, now: Ns) -> None:
        """A core that says the same again and again does not get one each time."""
        if self._snapshot_at is not None and now < self._snapshot_at + SNAPSHOT_EVERY_NS:
            return
        self._snapshot_at = now
        self.snapshot_wanted = True

    def ack(self, now: Ns, high_water: int) -> None:
        """The core has committed up to `high_water`; lower or equal marks are news of old."""
        if not self._by_core or self.phase in (Phase.OFFLINE, Phase.HELD):
            return
        if high_water <= self.settled:
            return
        if high_water > self.last:
            self._greet_anew(now)  # its hello decides whether our ledger went back in time
            return
        self.settled = high_water
        self.next_seq = max(self.next_seq, high_water + 1)
        if self.phase is Phase.GREETING and self._probing:
            self.phase = Phase.FLOWING  # it took the record that was sent to try it
        self._alive()
        if self.phase is Phase.FLOWING:
            waiting = self.next_seq > high_water + 1
            self._deadline = now + self._ack_timeout_ns if waiting else None

    def replay(self, now: Ns, seq: int) -> bool:
        """The core misses `seq`: publish from there. False if that record is not kept."""
        if not self.first_kept <= seq <= self.last + 1 or self.phase is Phase.OFFLINE:
            return False
        self.phase = Phase.FLOWING
        self._move_to(seq - 1)
        self._deadline = now + self._ack_timeout_ns
        self._alive()
        return True

    # What the broker says

    def sent(self, now: Ns, seq: int, size_bytes: int) -> None:
        """The record with that number was handed to the connection."""
        if seq == self.next_seq:
            self.next_seq = seq + 1
        self._unanswered[seq] = size_bytes
        if self._deadline is None and self._by_core:
            self._deadline = now + self._ack_timeout_ns

    def passed(self, seq: int) -> int | None:
        """The broker took it. The new mark if the broker's word settles and all below it passed."""
        size = self._unanswered.pop(seq, 0)
        self._largest_passed = max(self._largest_passed, size)
        if self._suspect[0] == seq:
            self._suspect = (0, 0)
        self._refusals = 0
        self._resume_at = None
        self._clear("uplink_refused")
        if self._by_core:
            return None
        mark = min(self._unanswered, default=self.next_seq) - 1
        if mark <= self.settled:
            return None
        self.settled = mark
        self._clear_withheld()
        return mark

    def refused(self, now: Ns, seq: int, code: int, reason: str) -> None:
        """The broker did not take it: send a stand-in if it never can, else try again later."""
        self._unanswered.pop(seq, None)
        self.next_seq = min(self.next_seq, seq)
        if code in NEVER_PASSES:
            self.withhold(seq, reason)
        elif self._resume_at is None or self._resume_at <= now:
            longest = min(REFUSED_MAX_NS, NS_PER_S << min(self._refusals, 6))
            self._refusals += 1
            self._resume_at = now + NS_PER_S + self._random.randrange(longest)
            self._raise("uplink_refused", "critical", f"the broker refuses our records: {reason}")

    def withhold(self, seq: int, reason: str) -> None:
        """Send a stand-in for a record that can never pass."""
        if seq in self.withheld:
            return
        while len(self.withheld) >= WITHHELD_MAX:
            del self.withheld[next(iter(self.withheld))]
        self.withheld[seq] = reason
        self._stand_in_due = max(self._stand_in_due, seq)
        text = f"record {seq} is withheld, a stand-in goes to the core: {reason}"
        self._raise("record_withheld", "critical", text)

    # What to do

    def room(self, now: Ns) -> Room | None:
        """What may be published now."""
        if self._resume_at is not None and now < self._resume_at:
            return None
        if self.phase is Phase.GREETING and not self._probing:
            return None
        if self.phase in (Phase.OFFLINE, Phase.HELD):
            return None
        top = self.last
        if self._by_core:
            top = min(top, self.settled + (1 if self._probing else AHEAD_MAX))
        if self._suspect[1] >= ALONE_AFTER_CUTS:
            top = min(top, self.next_seq) if not self._unanswered else 0
        limit = min(top - self.next_seq + 1, FETCH_MAX)
        return Room(self.next_seq - 1, limit) if limit > 0 else None

    def take_hello(self) -> bool:
        """Whether a greeting is due; asking takes it."""
        due, self._hello_due = self._hello_due, False
        return due

    @property
    def wake_at(self) -> Ns | None:
        """When to call `timer` at the latest."""
        return min((at for at in (self._deadline, self._resume_at) if at is not None), default=None)

    def timer(self, now: Ns) -> None:
        """Time has passed."""
        if self._resume_at is not None and self._resume_at <= now:
            self._resume_at = None
        if self._deadline is None or now < self._deadline:
            return
        self._attempt += 1
        self.timeouts += 1
        self._hello_due = True
        self._probing = True
        self.next_seq = min(self.next_seq, self.settled + 1)
        self._deadline = now + self._wait()
        if self._attempt >= 2:
            text = "the inventory core does not answer; records wait here"
            self._raise("core_silent", "warning", text)

    def _wait(self) -> Ns:
        """Back-off with full jitter on top of the time that an answer may take."""
        longest = min(RETRY_MAX_NS, self._ack_timeout_ns << min(self._attempt, 16))
        return self._ack_timeout_ns + self._random.randrange(longest)

    def _greet_anew(self, now: Ns) -> None:
        self.phase = Phase.GREETING
        self._hello_due = True
        self._probing = False
        self._deadline = now + self._wait()

    def _move_to(self, high_water: int) -> None:
        self.settled = high_water
        self.next_seq = high_water + 1

    def _alive(self) -> None:
        self._attempt = 0
        self._probing = False
        self._clear("core_silent")
        self._clear_withheld()

    def _clear_withheld(self) -> None:
        """The core has every stand-in: what it lacks is no secret, and stands in quarantine."""
        if self.settled >= self._stand_in_due:
            text = "the core has the stand-in of each record that was withheld"
            self._clear("record_withheld", text)

    def _is_beyond(self, high_water: int) -> bool:
        if high_water <= self.last:
            self._clear("ledger_went_back")
            return False
        self.phase = Phase.HELD
        self.epoch_wanted = True
        self._deadline = None
        text = f"the core holds {high_water}, this ledger ends at {self.last}: it went back in time"
        self._raise("ledger_went_back", "critical", text)
        return True

    def _raise(self, code: str, severity: Severity, text: str) -> None:
        if not self._told.get(code, False):
            self._told[code] = True
            self.alarms.append(Alarm(code, True, severity, text))

    def _clear(self, code: str, text: str = "") -> None:
        """Said the first time too: an earlier run, or the epoch before, may have raised it."""
        if self._told.get(code, True):
            self._told[code] = False
            self.alarms.append(Alarm(code, False, "info", text))
