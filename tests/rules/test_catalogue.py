"""Which item a tag is of."""

from dataclasses import replace
from random import Random

from gateway.model import Fact, Item, ReferenceDeleted, Site
from gateway.ports import NOTHING, RuleContext
from rules.movement import MovementRule, MovementSettings
from tests.rules.acts import BY_GTIN, NUT, SGTIN, came, play

BY_COMPANY = Item("WASHER", company_prefixes=("061414",))


def test_trade_item_counts_before_prefix_and_company() -> None:
    rule = MovementRule(MovementSettings(), RuleContext(Site(), lambda *_: "id", Random(1)))

    def named(epc: str, *told: Fact) -> str | None:
        for fact in told:
            assert rule.step(0, fact) is NOTHING
        item = rule._catalogue.of_tag(epc)
        return item.code if item else None

    assert named(SGTIN, BY_COMPANY) == "WASHER"
    assert named(SGTIN, replace(BY_COMPANY, code="OWN", company_prefixes=("0614141",))) == "OWN"
    assert named(SGTIN, replace(NUT, epc_prefixes=("3074257bf7",))) == "NUT"
    assert named(SGTIN, BY_GTIN) == "BOLT"
    assert named("3074257bf7194e4000001a") == "NUT"  # it is cut off
    assert named("3074257b") is None
    assert named("3174257bf4499602d2000000") is None  # a unit of the company holds anything
    assert named(SGTIN, ReferenceDeleted("item", "BOLT")) == "NUT"


def test_tag_is_of_the_item_that_the_newest_catalogue_says() -> None:
    rule = MovementRule(MovementSettings(), RuleContext(Site(), lambda *_: "id", Random(1)))

    def named(*told: Fact) -> str | None:
        for fact in told:
            assert rule.step(0, fact) is NOTHING
        item = rule._catalogue.of_tag("3099aa")
        return item.code if item else None

    assert named() is None
    assert named(NUT, replace(NUT, code="OTHER")) == "NUT"
    assert named(replace(NUT, code="SPECIAL", epc_prefixes=("3099a", ""))) == "SPECIAL"
    assert named(ReferenceDeleted("item", "SPECIAL")) == "NUT"
    assert named(replace(NUT, epc_prefixes=("77",))) == "OTHER"
    assert named(ReferenceDeleted("item", "OTHER")) is None


def test_longest_prefix_names_the_item() -> None:
    found = play(items=(NUT, replace(NUT, code="SPECIAL", epc_prefixes=("309901",))))
    found.feed(2.0, came("30990123"), came("30990223"))
    assert [fact.item for fact in found.kinds()] == ["SPECIAL", "NUT"]
