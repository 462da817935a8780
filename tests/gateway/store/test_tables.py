"""Reference facts as the store keeps them."""

from dataclasses import asdict

from gateway.model import Item
from gateway.store.tables import packed, reference_of


def test_item_is_kept_with_its_trade_items() -> None:
    item = Item("M6-NUT", "nut", 2500, 30, "pcs", ("3034",), 2, ("09506000134352",), ("950600",))
    assert reference_of("item", packed(asdict(item))) == item


def test_item_that_an_older_release_kept_has_no_trade_item() -> None:
    kept = '{"code":"B","name":"","unit_mg":1,"unit_sd_mg":0,"uom":"pcs","epc_prefixes":["30"],'
    item = reference_of("item", kept + '"version":2}')
    assert item == Item("B", unit_mg=1, epc_prefixes=("30",), version=2)
