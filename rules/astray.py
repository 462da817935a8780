"""Reads of tags that are not where they are read: on their way, come to stand, strays, ghosts.

Part of the presence rule: it says where a tag is found, the rule says what has happened then. A tag
of which no antenna hears anything astray costs nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.model import NS_PER_S, Ns, TagRead
from rules.antenna import ZoneAntenna
from rules.gone import GONE_MAX, GONE_NS, Gone
from rules.run import CARRIED_CDB, RSSI_UNKNOWN_CDBM, Run, outdone
from rules.standing import Standing
from rules.trail import Trail
from rules.watched_zone import WatchedZone

RUNS_MAX = 10_000
"""Tags that are read where they do not stand: strays, ghosts, what is carried past. The first noted
is forgotten: of a tag that is present, only which of its levels are those of a stray.
"""

STRAY_HOLDS_NS = 90 * NS_PER_S
"""How long a tag may be read by another antenna alone, after a shadow, and still stand at home: in
session 1 each read there makes it silent for its own.
"""

WAY_MAX_NS = 30 * NS_PER_S
"""Nobody carries a thing along the shelves for longer: one that was read on its way, and stands
somewhere so soon after it was taken, had not left.
"""

EXPECTED_NATS = 4.0
"""What it is worth that a scale has felt a piece come which lacks its tag: one read at a level that
speaks for itself will do, but none never.
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A tag stands by that run, since that moment. It came from that zone ("" is unknown); with
    `refutes` what was told of it last was wrong, with `moved` it was seen to stand there lately;
    with `misplaced` nobody moved it: it stood here all the time.
    """

    run: Run
    since: Ns
    came_from: str
    refutes: bool = False
    moved: bool = False
    misplaced: bool = False


class Astray:
    """See the module. `still_cdb` is how far the level of a tag that stands may stray."""

    def __init__(self, still_cdb: int) -> None:
        self._still_cdb = still_cdb
        self._runs: dict[str, dict[ZoneAntenna, Run]] = {}
        self._trails: dict[str, Trail] = {}
        self._gone: dict[str, Gone] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def weigh(
        self, at: Ns, read: TagRead, antenna: ZoneAntenna, tag: Standing | None
    ) -> Found | None:
        """Take in a read of a tag that is absent, or is not read as it stood."""
        if tag is not None and not tag.reads and antenna.zone is tag.zone:
            rssi = read.rssi_cdbm
            tag.found(at, read.seen_count, antenna, RSSI_UNKNOWN_CDBM if rssi is None else rssi)
            if rssi is not None:
                antenna.learn(rssi)
            return None
        run = self._note(at, read, antenna, tag)
        if tag is None:
            return self._absent(at, read.epc, run)
        if antenna.zone is tag.zone:
            self._at_home(at, read, run, tag)
            return None
        gone = self._gone.get(read.epc)
        lately = gone is not None and at - gone.told_at <= GONE_NS
        if gone and lately and self._as_it_stood(run, gone) and not tag.better_here(run):
            run.began = run.first_at
            return self._found(read.epc, run, antenna.zone.location, refutes=True)
        if run.of_stray(tag.still_at, self._still_cdb):
            return self._stray(read, run, tag)
        return self._elsewhere(at, read, run, tag)

    def left(self, now: Ns, epc: str, tag: Standing) -> None:
        """A tag is told to have left; it may yet turn out to stand where it stood, or elsewhere."""
        if not tag.reads:
            return
        silence, roamed = tag.zone.lived - tag.last, tag.stirred_nats > 0
        gone = Gone(tag.antenna, tag.rssi, tag.left_at(), now, silence, roamed)
        tag.silences.left(roamed=roamed, hardly_heard=gone.hardly_heard)
        self.keep_in_mind(epc, gone)

    def gone(self, epc: str) -> Gone | None:
        """Where a tag stood before, if that may yet turn out to be so still."""
        return self._gone.get(epc)

    def keep_in_mind(self, epc: str, gone: Gone) -> None:
        """It stood there, and is told to have left."""
        if len(self._gone) >= GONE_MAX:
            del self._gone[next(iter(self._gone))]
        self._gone[epc] = gone

    def placed(self, now: Ns, epc: str, old: Standing | None) -> None:
        """The tag stands: what is read elsewhere from now on is a stray, or on its way; unless it
        is read again where it stood before, as it stood there.
        """
        self._forget(epc)
        self._gone.pop(epc, None)
        if old is not None and old.reads:
            self.keep_in_mind(epc, Gone(old.antenna, old.rssi, now, now, 0, roamed=False))

    def _note(self, at: Ns, read: TagRead, antenna: ZoneAntenna, tag: Standing | None) -> Run:
        """Add a read to the run of its tag at that antenna. A level that was read here while the
        tag stood elsewhere stays known as that of a stray.
        """
        places = self._runs.setdefault(read.epc, {})
        run, begun = places.get(antenna), at - read.span_ns
        known = run is not None and tag is not None and run.first_at <= tag.still_at
        if run is not None and tag is not None and known and antenna is not tag.antenna:
            run.known(begun)
        elif run is None or known or run.over(begun, read):
            stray = run.stray if run is not None and not known else None
            run = places[antenna] = Run.begin(at, read, antenna)
            run.stray = stray
            if len(self._runs) > RUNS_MAX:
                self._forget(next(iter(self._runs)))
        carried = run.level - CARRIED_CDB
        if any(each.on_way(carried) and each.last_at > run.last_at for each in places.values()):
            run.here_since = begun
        run.add(at, read, self._still_cdb)
        if tag is None or run.first_at > tag.still_at:
            rssi = RSSI_UNKNOWN_CDBM if read.rssi_cdbm is None else read.rssi_cdbm
            self._trails.setdefault(read.epc, Trail()).add(begun, at, antenna, rssi)
        return run

    def _forget(self, epc: str) -> None:
        self._runs.pop(epc, None)
        self._trails.pop(epc, None)

    def _absent(self, at: Ns, epc: str, run: Run) -> Found | None:
        """A tag that is absent is read: has it come, or had it never left?"""
        gone = self._gone.get(epc)
        if gone is not None and at - gone.told_at > GONE_NS:
            del self._gone[epc]
            gone = None
        if gone is None:
            return self._found(epc, run) if self._stands(epc, run) else None
        zone, silences = gone.antenna.zone, gone.antenna.zone.silences
        if self._as_it_stood(run, gone):
            silences.had_not_left(hardly_heard=gone.hardly_heard)
            silences.ended(gone.silence + at - gone.told_at, 0, stirred=False)
            run.began = run.first_at
            return self._found(epc, run, zone.location, refutes=True)
        if not self._stands(epc, run):
            return None
        found = self._found(epc, run, still_at=gone.left_at)
        if not gone.roamed or found.since - gone.left_at > WAY_MAX_NS:
            return found
        silences.had_not_left(hardly_heard=gone.hardly_heard)
        silences.came_back(gone.silence + at - gone.told_at)
        return replace(found, came_from=zone.location, refutes=True)

    def _as_it_stood(self, run: Run, gone: Gone) -> bool:
        same = gone.antenna is run.antenna and not gone.roamed and run.samples > 1
        return same and abs(run.level - gone.rssi) <= self._still_cdb

    def _at_home(self, at: Ns, read: TagRead, run: Run, tag: Standing) -> None:
        """A read in the tag's own zone, but not at its level: it stands, is shaded, or was moved
        within the zone.
        """
        own = run.antenna is tag.antenna
        if not own and run.first_at <= tag.still_at:
            tag.seen_still(at, read.seen_count)
            return
        tag.seen_astray(at, read.seen_count, read.rssi_cdbm if own else None)
        if run.stands() and tag.settle(run):
            run.antenna.learn(run.level)
            self._forget(read.epc)

    def _stray(self, read: TagRead, run: Run, tag: Standing) -> Found | None:
        """A read elsewhere as it was when the tag stood at home: it still does, or never did."""
        if self._as_usual(read, run, tag) and not tag.stirred_nats:
            tag.last = tag.zone.lived
        if not tag.misplaced(run):
            return None
        run.began = run.first_at
        if run.last_at - tag.placed_at <= GONE_NS:
            return self._found(read.epc, run, tag.came_from, refutes=True)
        return replace(self._found(read.epc, run, tag.zone.location), misplaced=True)

    def _as_usual(self, read: TagRead, run: Run, tag: Standing) -> bool:
        """Whether a stray is read as it was when the tag stood at home, which it left not long ago
        if it did; another level may be that of a tag that was set down there.
        """
        rssi = read.rssi_cdbm
        if rssi is None or abs(run.level - rssi) > self._still_cdb:
            return False
        if run.first_at <= tag.still_at:
            return True
        steady = run.stray_steady
        lately = tag.zone.lived - max(tag.still, tag.zone.floor) <= STRAY_HOLDS_NS
        return lately and steady is not None and abs(steady - rssi) <= self._still_cdb

    def _elsewhere(self, at: Ns, read: TagRead, run: Run, tag: Standing) -> Found | None:
        """A read elsewhere that is new: it was taken up, and may stand there now."""
        epc, rssi = read.epc, read.rssi_cdbm
        tag.stir(at, run, run.level if rssi is None else rssi)
        others = self._runs[epc].values()
        rivals = [each for each in others if not each.of_stray(tag.still_at, self._still_cdb)]
        if not run.stands() or not tag.left_for(run):
            return None
        if outdone(run, rivals, self._brought_to(epc, run, tag.still_at)):
            return None
        tag.set_down()
        found = self._found(epc, run, tag.zone.location, still_at=tag.still_at)
        return replace(found, moved=True)

    def _stands(self, epc: str, run: Run) -> bool:
        zone = run.antenna.zone
        expected = bool(zone.expected) and zone.expects(epc, run.last_at)
        stands = run.stands(EXPECTED_NATS if expected else 0.0)
        if not stands:
            return False
        return not outdone(run, self._runs[epc].values(), self._brought_to(epc, run))

    def _brought_to(self, epc: str, run: Run, still_at: Ns = 0) -> WatchedZone | None:
        """Where it was set down, if that was seen since it last stood elsewhere."""
        return self._trail(epc).set_down_in(run, still_at, self._still_cdb)

    def _trail(self, epc: str) -> Trail:
        return self._trails.get(epc) or Trail()

    def _found(
        self, epc: str, run: Run, came_from: str = "", *, refutes: bool = False, still_at: Ns = 0
    ) -> Found:
        """`still_at` is when it was last read where it stood before."""
        since = self._trail(epc).set_down_at(run, still_at, self._still_cdb)
        return Found(run, since, came_from, refutes)
