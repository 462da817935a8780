"""Person: who moved it.

    badge scanned at a scanner that stands at a location,
      or with which the place is scanned before or after ---> he is there (`rules.sights`)
    badge tag read in a shelf zone (`rules.trails`), a gate -> he is there
    movement --- one person was there when it happened -----> Attribution: the movement names him
             --- several were there ------------------------> nobody is named; alert two_people
             --- nobody, where a badge is demanded ---------> alert no_badge
    a person says that a movement was wrong ----------------> alert told_wrong

A movement through a gate is that of whoever passed with it, else of who was at either end. One
that nobody watched happening (`found_after_gap`), an adjustment and a reversal are nobody's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from gateway.model import (
    NS_PER_S,
    UNKNOWN_LOCATION,
    Attribution,
    Badge,
    DeviceStatus,
    Fact,
    Movement,
    Ns,
    ReferenceDeleted,
    Scan,
    Site,
    TagReport,
    ToldWrong,
    pseudonym,
)
from gateway.ports import NOTHING, ConfigError, PluginSettings, Row, RuleContext, Turn
from rules.badges import Badges
from rules.person_alerts import PersonAlerts
from rules.scan_place import ScanPlaces
from rules.sights import PersonSettings, Present, Sights
from rules.trails import Trails
from rules.turns import together

OWN = frozenset(("observed", "scanned"))
"""Reasons of movements that somebody made, or settled by a scan: then it is who scanned."""

SCANNING_NS = 120 * NS_PER_S
"""What is scanned so long after a badge, with the same scanner, is scanned by its bearer."""

KEY_BYTES_MIN = 16
"""With a shorter key all badges of a company can be tried out."""


class Person:
    """See the module."""

    Settings: ClassVar[type[PluginSettings]] = PersonSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (
        Badge,
        ReferenceDeleted,
        Scan,
        TagReport,
        Movement,
        DeviceStatus,
        ToldWrong,
    )
    schema: ClassVar[int] = 2

    def __init__(self, settings: PersonSettings, context: RuleContext) -> None:
        if settings.pseudonym and len(context.pseudonym_key) < KEY_BYTES_MIN:
            raise ConfigError(
                "rules.person.pseudonym: gateway.pseudonym_key must name a secret of at least "
                f"{KEY_BYTES_MIN} bytes"
            )
        site = context.site
        self._zone_of = {cell.location: cell.zone for cell in site.cells if cell.zone}
        self._demanded = _demanded(settings, site)
        self._pseudonym_key = context.pseudonym_key if settings.pseudonym else b""
        self._scan_places = ScanPlaces(site)
        self._scanning: dict[str, tuple[str, Ns]] = {}
        self._zones = {point: zone.location for zone in site.zones for point in zone.antennas}
        self._gates = {
            point: gate.portal for gate in site.portals for point in (*gate.outer, *gate.inner)
        }
        self._readers = {point.rpartition(":")[0] for point in (*self._zones, *self._gates)}
        self._gates_between: dict[frozenset[str], list[str]] = {}
        for gate in site.portals:
            ends = frozenset((gate.outside, gate.inside))
            self._gates_between.setdefault(ends, []).append(gate.portal)
        self._badges = Badges()
        self._sights = Sights(settings, context.boot, context.last_alive or 0)
        self._trails = Trails(int(settings.keep_s * NS_PER_S))
        self._alerts = PersonAlerts(context.boot, context.last_alive or 0)

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back who was where, and which alerts stand."""
        for row in rows:
            if not self._alerts.restore(row):
                self._sights.restore(row)

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Note who is where; say whose a movement is."""
        if type(fact) is TagReport:
            if fact.device not in self._readers or not self._badges.worn:
                return NOTHING
            return self._read(now, fact)
        turn = self._decide(now, fact)
        restored = type(fact) is DeviceStatus
        return self._waking(now, turn) if turn is not NOTHING or restored else NOTHING

    def _decide(self, now: Ns, fact: Fact | None) -> Turn:
        if type(fact) is Movement:
            return self._moved(now, fact)
        if type(fact) is Scan:
            return self._scanned(now, fact)
        if type(fact) is ToldWrong:
            return self._told_wrong(now, fact)
        if type(fact) is Badge:
            self._badges.put(fact)
        elif type(fact) is ReferenceDeleted and fact.kind == "badge":
            badge = self._badges.remove(fact.code)
            gone = () if badge is None else self._forget(self._actor(badge))
            return Turn(deletes=gone) if gone else NOTHING
        elif fact is None:
            self._end_scanning(now)
            self._trails.overdue(now)
            return together(Turn(deletes=self._sights.overdue(now)), self._alerts.overdue(now))
        return NOTHING

    def _forget(self, actor: str) -> tuple[str, ...]:
        """Forget him everywhere; the keys of the durable rows that go."""
        scanning = self._scanning.items()
        self._scanning = {device: who for device, who in scanning if who[0] != actor}
        self._trails.forget(actor)
        return self._sights.forget(actor)

    def _waking(self, now: Ns, turn: Turn) -> Turn:
        """The turn, with the wish to be woken when the next is to be forgotten or cleared."""
        scanning = (at + SCANNING_NS for _, at in self._scanning.values())
        dues = (
            self._sights.next_due(),
            self._trails.next_due(),
            self._alerts.next_due(),
            min(scanning, default=None),
        )
        due = min((due for due in dues if due is not None), default=None)
        if due is None:
            return turn
        return turn._replace(next_wake=max(due, now + 1))

    def _scanned(self, now: Ns, scan: Scan) -> Turn:
        """A badge, or the place that whoever scanned his badge with that scanner is at now."""
        badge, place = self._badges.scanned(scan), self._scan_places.take(now, scan)
        if badge is not None:
            self._scanning[scan.device] = (self._actor(badge), now)
            place = self._scan_places.of(now, scan.device)
        self._end_scanning(now)
        actor, _ = self._scanning.get(scan.device, ("", 0))
        if place is None or not actor:
            return Turn(next_wake=0) if badge is not None else NOTHING
        return Turn(puts=self._sights.scanned(now, place, actor))

    def _end_scanning(self, now: Ns) -> None:
        """Forget who scanned his badge too long ago to be at what is scanned now."""
        scanning = self._scanning.items()
        self._scanning = {d: (a, at) for d, (a, at) in scanning if now - at < SCANNING_NS}

    def _read(self, now: Ns, report: TagReport) -> Turn:
        worn, news = self._badges.worn, False
        for read in report.reads:
            badge = worn.get(read.epc)
            if badge is None:
                continue
            at, actor, point = now - read.age_ns, self._actor(badge), read.read_point
            if point in self._zones:
                news |= self._trails.read(at, self._zones[point], actor, read.rssi_cdbm)
            elif point in self._gates:
                news |= self._sights.passing(at, self._gates[point], actor)
        return self._waking(now, Turn()) if news else NOTHING

    def _moved(self, now: Ns, movement: Movement) -> Turn:
        if movement.reason not in OWN or movement.kind == "adjustment" or movement.reverses:
            return NOTHING
        ends = [movement.from_location, movement.to_location]
        places = [end for end in ends if end != UNKNOWN_LOCATION]
        scanned = movement.reason == "scanned"
        at = movement.at_decided if scanned else movement.at_event
        actors = self._people(at, ends, places)
        place, what = places[0], f"{movement.quantity} {movement.item}"
        if len(actors) == 1:
            [actor] = actors
            if self._is_doubtful(at, actor, places):
                return NOTHING
            around = dict.fromkeys((*places, *(self._zone_of.get(each, each) for each in places)))
            told = (Attribution(movement.movement_id, actor=actor),)
            return Turn(told, self._sights.worked(at, around, actor))
        if actors:
            count = len(actors)
            return self._alerts.happened(now, "two_people", place, what=what, people=count)
        wanted = next((each for each in places if each in self._demanded), None)
        if wanted is None:
            return NOTHING
        return self._alerts.happened(now, "no_badge", wanted, what=what, people=0)

    def _told_wrong(self, now: Ns, told: ToldWrong) -> Turn:
        ends = f"{told.from_location} -> {told.to_location}"
        note = f" ({told.note})" if told.note else ""
        what = f"{ends}: {told.actor} says that {told.quantity} {told.item} is wrong{note}"
        identity = told.movement_id
        return self._alerts.happened(now, "told_wrong", identity, what=what, people=0)

    def _people(self, at: Ns, ends: list[str], places: list[str]) -> set[str]:
        """Who may have done it: who passed the gate, else who was at either end."""
        gates = [
            self._sights.present(at, gate) for gate in self._gates_between.get(frozenset(ends), ())
        ]
        zones = [self._zone_of.get(place, place) for place in places]
        here = [self._sights.present(at, place) for place in dict.fromkeys((*places, *zones))]
        here += [self._trails.present(at, zone) for zone in dict.fromkeys(zones)]
        return _there(gates) or _there(here)

    def _is_doubtful(self, at: Ns, actor: str, places: list[str]) -> bool:
        """Whether somebody else may have been there."""
        zones = {self._zone_of.get(place, place) for place in places}
        maybe = {other for zone in zones for other in self._trails.present(at, zone).maybe}
        return bool(maybe - {actor})

    def _actor(self, badge: Badge) -> str:
        """His name as it may leave the rule."""
        return pseudonym(self._pseudonym_key, badge.actor)


def _there(found: Iterable[Present]) -> set[str]:
    return {actor for each in found for actor in each.there}


def _demanded(settings: PersonSettings, site: Site) -> set[str]:
    """All locations at which a badge is demanded; ConfigError if nothing moves at one of them."""
    known = {cell.location for cell in site.cells} | {zone.location for zone in site.zones}
    known |= {end for gate in site.portals for end in (gate.outside, gate.inside)}
    for location in settings.demanded:
        if location not in known:
            raise ConfigError(f"rules.person.demanded: nothing moves at a location {location!r}")
    within = {cell.location for cell in site.cells if cell.zone in settings.demanded}
    return within | set(settings.demanded)
