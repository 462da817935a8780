"""Tags of which a passage was told while they stood in a zone: do they stand there still?

Who carries a tag through a gate takes it away from where it stood. One that is read there
afterwards at its old level, twice, went through no gate: a tag on its way gives a certain level
about once in five times (`rules.run`). Part of the presence rule; evidence, not durable.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model import NS_PER_S, Ns
from rules.antenna import ZoneAntenna
from rules.standing import Standing

AFTER_NS = 3 * NS_PER_S
"""So long after its passage a tag that went is away from where it stood."""

AGAIN_NS = 1 * NS_PER_S
"""Two reads so far apart are of two places, if it is carried."""

LOOK_NS = 5 * NS_PER_S
"""How often such a tag is looked at, on the clock of its zone."""

REFUTED_MAX_NS = 60 * NS_PER_S
"""One that is not read so for longer is missed like any other, and found again like any other."""

PASSED_MAX = 1_000
"""Such tags at once: some pallets that stood in a zone. Of more, the oldest are let go."""


@dataclass(slots=True)
class _Told:
    """Until when a passage lasted, how the tag stood then, and when it was first read so since."""

    until: Ns
    antenna: ZoneAntenna
    rssi: int
    first_at: Ns | None = None


class Passed:
    """See the module. `still_cdb` is how far the level of a tag that stands may stray."""

    def __init__(self, still_cdb: int) -> None:
        self._still_cdb = still_cdb
        self._tags: dict[str, _Told] = {}

    def __contains__(self, epc: str) -> bool:
        return epc in self._tags

    def note(self, epc: str, until: Ns, tag: Standing) -> None:
        """A passage of it was told."""
        if epc not in self._tags and len(self._tags) >= PASSED_MAX:
            del self._tags[next(iter(self._tags))]
        self._tags[epc] = _Told(until, tag.antenna, tag.rssi)

    def left(self, epc: str) -> None:
        """It stands there no longer, as is told."""
        self._tags.pop(epc, None)

    def stands(self, now: Ns, epc: str, tag: Standing) -> bool:
        """Whether it stands there still."""
        told = self._tags[epc]
        same = tag.antenna is told.antenna and abs(tag.rssi - told.rssi) <= self._still_cdb
        if not same or now - told.until > REFUTED_MAX_NS:
            del self._tags[epc]
        elif told.first_at is not None and tag.still_at >= told.first_at + AGAIN_NS:
            del self._tags[epc]
            return True
        elif told.first_at is None and tag.still_at >= told.until + AFTER_NS:
            told.first_at = tag.still_at
        return False
