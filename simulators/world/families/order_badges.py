"""Where the people of a storeroom stand while they work, and what tells it: badges.

Everybody's badge has a printed code; those of some have a tag besides. Whoever has a tag is heard
where antennas listen; all others, and everybody where none do, scan the code when they come, and
again while they stay. The stranger has no badge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from random import Random

from simulators.world.families.storeroom import Place, Storeroom
from simulators.world.families.walks import PEOPLE, away, towards
from simulators.world.radio_events import Carry, Lift, Stand, Tag
from simulators.world.truth import NS_PER_S, BadgePlan, Scanned, ScannerPlan, TruthAct, Visit, ns

TAGGED = 2
"""So many of the people wear a tag."""

BEFORE_S, AFTER_S, STAYS_S = 3.0, 1.0, 20.0
"""Somebody stands there so long before his first act, and after his last; who has something to do
there again so soon stays.
"""

WALKS_S = 2.5
"""How long a badge is near a zone before its bearer stands there, and after."""

BODY_M, BODY_DB = 0.6, 3.0
"""How far from the shelf a badge hangs, and what its bearer swallows while he walks."""

SCANS_EVERY_S = 60.0


def badges() -> list[BadgePlan]:
    """The badges of all who work there."""
    return [
        BadgePlan(f"B-{number}", name, f"scan of {name}", _epc(number) if number <= TAGGED else "")
        for number, name in enumerate(PEOPLE, 1)
    ]


def _epc(number: int) -> str:
    """An asset of the company (GIAI-96)."""
    return f"3414257bf4{number:014x}"


def scanners_of(room: Storeroom) -> list[ScannerPlan]:
    """One at each zone, and one at each plate beside which nobody listens."""
    places = dict.fromkeys(place.zone or place.location for place in room.places)
    return [ScannerPlan(f"{place.lower()}-scanner", place) for place in places]


def visits_of(room: Storeroom, acts: Iterable[TruthAct]) -> list[Visit]:
    """Who stood where and when, in order of time."""
    places = {place.location: place for place in room.places}
    visits: list[Visit] = []
    last: dict[str, int] = {}
    for act in sorted(acts, key=attrgetter("at")):
        if act.person not in PEOPLE:
            continue
        place = places[act.source if act.source in places else act.target]
        where = place.zone or place.location
        begin, until = act.at - ns(BEFORE_S), act.at + ns(AFTER_S)
        known = last.get(act.person)
        if known is not None:
            before = visits[known]
            if before.place == where and begin - before.until <= ns(STAYS_S):
                visits[known] = before._replace(until=until)
                continue
            begin = max(begin, before.until)
        last[act.person] = len(visits)
        visits.append(Visit(act.person, where, min(begin, act.at), until, place.location))
    return sorted(visits, key=attrgetter("begin"))


def show(
    room: Storeroom, visits: Iterable[Visit], known: Sequence[BadgePlan], random: Random
) -> list[Scanned]:
    """Carry the tags about in the air of the room; what is scanned, in order of time."""
    places = {place.location: place for place in room.places}
    codes = {badge.person: badge.scan for badge in known}
    tags = {badge.person: Tag(badge.epc, "badge") for badge in known if badge.epc}
    scanned: list[Scanned] = []
    for visit in visits:
        place = places[visit.location]
        if place.zone and visit.person in tags:
            room.radio.extend(_worn(visit, place, tags[visit.person], random, room.pitch_m))
        else:
            scanned += _scans(visit, codes[visit.person])
    return sorted(scanned)


def _worn(
    visit: Visit, place: Place, tag: Tag, random: Random, pitch_m: float
) -> Iterator[Stand | Lift | Carry]:
    begin_s, until_s = visit.begin / NS_PER_S, visit.until / NS_PER_S
    x_m = (place.number + random.uniform(0.2, 0.8)) * pitch_m / 2
    speed_m_s = random.choice((-1.0, 1.0)) * random.uniform(0.7, 1.3)
    walk = ((0.0, BODY_M),)
    if begin_s > WALKS_S:
        path = towards(begin_s, x_m, speed_m_s)
        yield Carry(begin_s - WALKS_S, begin_s, (tag,), path, walk, BODY_DB)
    yield Stand(begin_s, tag, place.zone, x_m, BODY_M)
    yield Lift(until_s, tag)
    yield Carry(until_s, until_s + WALKS_S, (tag,), away(until_s, x_m, speed_m_s), walk, BODY_DB)


def _scans(visit: Visit, code: str) -> Iterator[Scanned]:
    """When he comes, and now and then."""
    at = visit.begin + NS_PER_S
    while at < visit.until:
        yield Scanned(at, f"{visit.place.lower()}-scanner", code)
        at += ns(SCANS_EVERY_S)
