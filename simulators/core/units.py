"""What a quantity of an order comes to in the unit in which gateways tell stock of its item."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

MASS = {"g": 1, "GRM": 1, "kg": 1000, "KGM": 1000, "t": 1_000_000, "TNE": 1_000_000}
VOLUME = {"ml": 1, "MLT": 1, "l": 1000, "LTR": 1000}
"""Each in grams, or millilitres (contract, Item)."""


def told_in(quantity: int | str, uom: str | None, item: Mapping[str, Any]) -> int | None:
    """So many in whole pieces, grams or millilitres; None if it does not come to that."""
    own = item.get("uom", "pcs")
    measures = next((units for units in (MASS, VOLUME) if own in units), {})
    factor = Decimal(measures.get(own, 1))
    if uom is not None and uom != own:
        if uom in item.get("uoms", {}):
            factor *= Decimal(item["uoms"][uom])
        elif uom in measures:
            factor = Decimal(measures[uom])
        else:
            return None
    total = Decimal(quantity) * factor
    return int(total) if total == int(total) else None
