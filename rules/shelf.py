"""What the movement rule knows of places with both senses: their wiring, and what waits there.

The two sides of the decision share it: `rules.fused_steps` and `rules.fused_tags`.
"""

from __future__ import annotations

from collections.abc import Collection

from gateway.model import Badge, CellId, Item, Movement, Ns, ReferenceDeleted, Site
from gateway.ports import RuleContext, Turn
from rules.act import WaitingStep
from rules.alone import Lone
from rules.badges import Badges
from rules.catalogue import Catalogue
from rules.disagreement import Disagreement
from rules.explanation import Explanation
from rules.oddity import Oddities
from rules.open_alerts import OpenAlerts
from rules.quarantine import Quarantine
from rules.reversal import Reversals
from rules.senses import Senses
from rules.settling import Settling
from rules.tagless import Tagless
from rules.telling import Telling
from rules.unsettled import Unsettled
from rules.waiting import Waiting
from rules.waits import Waits


class Shelf:
    """See the module."""

    def __init__(self, context: RuleContext, waits: Waits) -> None:
        last_alive = context.last_alive or 0
        self.site: Site = context.site
        self.waits = waits
        self.catalogue = Catalogue()
        self.telling = Telling(context.site, context.identify, self.catalogue)
        self.senses = Senses(context.site)
        self.settling = Settling()
        self.waiting = Waiting(context.boot, last_alive)
        self.unsettled = Unsettled(context.boot, last_alive, context.site)
        self.open_alerts = OpenAlerts(context.boot, last_alive)
        self.quarantine = Quarantine(context.boot, last_alive)
        self.disagreement = Disagreement()
        self.reversals = Reversals(context.identify, context.boot)
        self.lone = Lone(last_alive)
        self.oddities = Oddities()
        self.tagless = Tagless()
        self.explanation = Explanation(self.catalogue)
        self.badges = Badges()
        self.cells = {cell.cell: cell for cell in context.site.cells}
        self._planned = {
            (cell.zone, item) for cell in context.site.cells for item in cell.planned if cell.zone
        }
        self._zones = {zone for zone, _ in self._planned}
        self.items = {item for _, item in self._planned if item}

    def learn(self, fact: Item | Badge | ReferenceDeleted) -> None:
        """Take what the core or a file tells."""
        if isinstance(fact, Item):
            self.catalogue.put(fact)
        elif isinstance(fact, Badge):
            self.badges.put(fact)
        elif fact.kind == "item":
            self.catalogue.remove(fact.code)
        elif fact.kind == "badge":
            self.badges.remove(fact.code)

    def put_off(self, span_ns: Ns) -> None:
        """Nothing was watched for so long: what waits, waits longer by it."""
        self.waiting.put_off(span_ns)
        self.senses.put_off(span_ns)
        self.lone.put_off(span_ns)

    def planned(self, zone: str, item: str) -> bool:
        """Whether that item is weighed where its tags are read."""
        return (zone, item) in self._planned

    def watched(self, place: str) -> bool:
        """Whether tags are read there while they stand."""
        return any(zone.location == place for zone in self.site.zones)

    def strange(self, zone: str, item: str) -> bool:
        """Whether that item is weighed so elsewhere, but not there, though others are."""
        return zone in self._zones and item in self.items and not self.planned(zone, item)

    def agree(self, now: Ns, zone: str, item: str) -> Turn:
        """An act was as it should be: the alert is over, unless something else keeps it up."""
        unexplained = any(
            step.alerted and step.wanting and (step.zone, step.item) == (zone, item)
            for step in self.waiting.steps()
        )
        if unexplained or self.oddities.any(zone, item):
            return Turn()
        return self.disagreement.gone(now, zone, item)

    def told(self, now: Ns, step: WaitingStep) -> Movement:
        """The movement that a step is; less surely where its tags should be read and are not."""
        alone = step.wanting and self.senses.weight_alone(now, step.cell, step.zone)
        return self.telling.step_alone(now, step) if alone else self.telling.step(now, step)

    def hold_ns(self, now: Ns, step: WaitingStep, *, doubtful: bool) -> Ns:
        """How long a step is kept back for its tags: not at all where none are read."""
        if self.senses.weight_alone(now, step.cell, step.zone):
            return 0
        return self.waits.hold_ns(step.zone, arriving=step.arriving, doubtful=doubtful)

    def weighed_again(self, now: Ns, cells: Collection[CellId]) -> None:
        """Cells that were blind have the whole time to tell what they find."""
        weighed = [self.cells[cell] for cell in cells]
        self.waiting.renew_tags(
            {(cell.zone or "", item) for cell in weighed for item in cell.planned},
            lambda tag: self.waits.anew(now, tag),
        )
        self.lone.back(now + self.waits.step_ns, cells)

    def due(self) -> Ns | None:
        """When the next wait is over."""
        books = (self.waiting, self.lone, self.open_alerts, self.quarantine)
        dues = [book.next_due() for book in books]
        return min((due for due in dues if due is not None), default=None)
