"""The readings that are kept beside a decision."""

from __future__ import annotations

from gateway.evidence import READINGS_MAX, REPORTS_KEPT, EvidenceRing
from gateway.model import (
    NS_PER_S,
    Alert,
    Cell,
    Event,
    Heartbeat,
    Movement,
    Ns,
    Site,
    TagRead,
    TagReport,
    WeightReport,
    WeightSample,
)
from gateway.outcome import Outcome

SITE = Site(cells=(Cell("shelf:1", "A-1"), Cell("shelf:2", "A-2")))
NOW: Ns = 1000 * NS_PER_S


def movement(*epcs: str, place: str = "A-1") -> Movement:
    return Movement(
        "m", "issue", "observed", "BOLT", 1, "pcs", place, "unknown", NOW, NOW, 990, epcs=epcs
    )


def tags(*epcs: str, age_ns: Ns = 0) -> TagReport:
    return TagReport("r", tuple(TagRead("r:1", epc, -4500, 1, age_ns) for epc in epcs))


def weights(gross_g: float) -> WeightReport:
    return WeightReport("shelf", (WeightSample("shelf:1", gross_g), WeightSample("shelf:2", 1.0)))


def explained(ring: EvidenceRing, *events: Event) -> Outcome:
    return ring.explained(Outcome(NOW, events=events))


def test_readings_of_the_tags_and_the_cell_are_kept_newest_first() -> None:
    ring = EvidenceRing(SITE)
    ring.note(NOW - 3 * NS_PER_S, tags("aa", "bb"))
    ring.note(NOW - 2 * NS_PER_S, weights(500.0))
    ring.note(NOW - NS_PER_S, tags("aa", age_ns=NS_PER_S // 2))
    ring.note(NOW, weights(478.6))
    outcome = explained(ring, Alert("c", "k", True, "info", "t", NOW), movement("aa"))
    ((index, body),) = outcome.evidence
    assert index == 1
    assert body["reads"] == [(1500, "r:1", "aa", -4500, 1), (3000, "r:1", "aa", -4500, 1)]
    assert body["weights"] == [(0, 478_600, 0), (2000, 500_000, 0)]


def test_outcome_without_movement_is_left_as_it_is() -> None:
    ring = EvidenceRing(SITE)
    outcome = Outcome(NOW, events=(Alert("c", "k", True, "info", "t", NOW),))
    assert ring.explained(outcome) is outcome


def test_old_and_other_readings_say_nothing() -> None:
    ring = EvidenceRing(SITE)
    ring.note(NOW - 40 * NS_PER_S, tags("aa"))
    ring.note(NOW, tags("bb"))
    ring.note(NOW, Heartbeat("r"))
    ((_, body),) = explained(ring, movement("aa", place="HALL")).evidence
    assert body == {"reads": []}


def test_readings_are_bounded() -> None:
    ring = EvidenceRing(SITE)
    for number in range(2 * REPORTS_KEPT):
        ring.note(NOW, tags("aa"))
        ring.note(NOW, weights(float(number)))
    assert len(ring._tags) == len(ring._weights) == REPORTS_KEPT
    ((_, body),) = explained(ring, movement("aa")).evidence
    assert len(body["reads"]) == len(body["weights"]) == READINGS_MAX  # type: ignore[arg-type]
