"""How long one sense waits for the other at a place that has both. Part of the movement rule.

A step is told once `hold_s` is over, with the tags that came by then. Whether the senses agree is
known when its tags have had their time: what comes shows within seconds, what goes is missed late
where tags are read seldom, as `ReadPace` tells.
"""

from __future__ import annotations

from pydantic import Field

from gateway.model import NS_PER_S, Ns, ReadPace
from gateway.ports import PluginSettings
from rules.act import WaitingStep, WaitingTag

PACE_MARGIN_NS = 3 * NS_PER_S
"""How much later than a tag's leave window its Departure may come: coverage comes in spans."""

ARRIVE_NS, ARRIVE_MAX_NS = 15 * NS_PER_S, 30 * NS_PER_S
"""Within this time a tag that was put down is found; the latter where tags are read seldom, or one
stands in somebody's shadow: only then do the senses disagree.
"""

ARRIVE_SHARE = 0.4
"""A tag is found by 3 reads, and missed after the time of 10: so much of its leave window."""

TELL_MAX_NS = 55 * NS_PER_S
"""A disagreement is told within a minute, even where a tag is so seldom read that it may be missed
later yet: then it joins, and the alert is cleared."""

UNEXPLAINED_NS = 3600 * NS_PER_S
"""How long a disagreement stands and waits for what explains it: somebody has looked by then."""


class MovementSettings(PluginSettings):
    """Quick or sure: `hold_s` is how long a step is kept back for the tags that belong to it, which
    are named in the movement if they come by then; what is longer tells the EPCs of more.

    `tag_wait_s` is how late a departure may be proven: then the senses disagree. `step_wait_s` is
    how long a tag waits for its step, `missing_s` how long one that fell silent may be in
    somebody's shadow while its weight lies there.

    What tags alone tell less surely than `sure_min` is not booked but unresolved, and an alert. By
    default that is what is likelier wrong than right: to book it does more harm than good. Of what
    scales tell, `right_min` in `[rules.count]` decides.
    """

    hold_s: float = Field(3.0, gt=0)
    tag_wait_s: float = Field(28.0, gt=0)
    step_wait_s: float = Field(8.0, gt=0)
    missing_s: float = Field(300.0, gt=0)
    first_wait_s: float = Field(3.0, gt=0)
    sure_min: float = Field(0.5, ge=0, lt=1)


class Waits:
    """See the module. Every wait is longer by the lateness of the slowest device.

    `sure_permille` is `sure_min`, in the unit of a confidence.
    """

    def __init__(self, settings: MovementSettings, lateness_max_ns: Ns) -> None:
        self._hold_ns = int(settings.hold_s * NS_PER_S)
        self._tag_ns = int(settings.tag_wait_s * NS_PER_S) + lateness_max_ns
        self.step_ns = int(settings.step_wait_s * NS_PER_S) + lateness_max_ns
        self.missing_ns = int(settings.missing_s * NS_PER_S) + lateness_max_ns
        self._arrive_ns = min(ARRIVE_NS + lateness_max_ns, self._tag_ns)
        self._arrive_max_ns = min(ARRIVE_MAX_NS + lateness_max_ns, self._tag_ns)
        self._margin_ns = PACE_MARGIN_NS + lateness_max_ns
        self.sure_permille = int(settings.sure_min * 1000)
        self._paces: dict[str, dict[str, Ns]] = {}

    def pace(self, pace: ReadPace) -> bool:
        """A tag is missed later or sooner than was thought; False if that is in time anyway."""
        paces = self._paces.setdefault(pace.zone, {})
        paces[pace.epc] = pace.leave_ns
        if pace.leave_ns + self._margin_ns <= self._tag_ns:
            del paces[pace.epc]
            return False
        return True

    def departed(self, zone: str, epc: str) -> None:
        """That tag is no longer there."""
        self._paces.get(zone, {}).pop(epc, None)

    def hold_ns(self, zone: str, *, arriving: bool, doubtful: bool) -> Ns:
        """How long a step is kept back: one that may be of another item, until its tags say so."""
        if not doubtful:
            return min(self._hold_ns, self._tag_ns)
        if arriving:
            slowest = max(self._paces.get(zone, {}).values(), default=0)
            return max(self._arrive_ns, min(int(slowest * ARRIVE_SHARE), ARRIVE_MAX_NS))
        return self.tags_ns(zone, arriving=False)

    def tags_ns(self, zone: str, *, arriving: bool) -> Ns:
        """How long after a step its tags may show that they belong to it."""
        if arriving:
            return self._arrive_max_ns
        slowest = max(self._paces.get(zone, {}).values(), default=0)
        slowest += self._margin_ns if slowest else 0
        return min(max(self._tag_ns, slowest), max(self._tag_ns, TELL_MAX_NS))

    def anew(self, now: Ns, waiting: WaitingStep | WaitingTag) -> Ns:
        """When a wait ends that begins anew, because the zone is watched again."""
        zone, arriving = waiting.zone, waiting.arriving
        if isinstance(waiting, WaitingTag):
            return now + (self.missing_ns if waiting.spare else self.step_ns)
        if waiting.alerted:
            return now + UNEXPLAINED_NS
        if waiting.told:
            return now + self.tags_ns(zone, arriving=False)
        return now + self.hold_ns(zone, arriving=arriving, doubtful=True)
