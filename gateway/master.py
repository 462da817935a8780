"""The words for master data: what is kept, and where.

Part of `gateway.model`; import them from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from gateway.epc import EpcPattern
from gateway.units import MEASURES

LotRule: TypeAlias = Literal["none", "fefo", "fifo"]
"""Which lot goes first: any, that which expires first, or that which came first."""

LocationKind: TypeAlias = Literal["site", "area", "shelf", "cell", "bin"]
"""From the outside in: one lies in any of those before it."""

Names: TypeAlias = tuple[tuple[str, str], ...]
"""What people call it: a language (`zh`, `de-AT`) and the name in it, by language."""


NO_TAGS = EpcPattern()


@dataclass(frozen=True, slots=True)
class Item:
    """A stock-keeping item. It carries the EPCs of its trade items (`gtins`, 14 digits each), else
    those that begin with hex digits of `epc_prefixes`, else all of its makers (`company_prefixes`).

    Stock of it is counted in `base_uom`: whole pieces of its `uom`, or, where that is a measure
    (bulk goods), grams or millilitres; a millilitre weighs by `density_mg_l`. `uoms` are other
    units that orders and books may name, each with the decimal number of `uom` in one of it.

    The `version` of a reference fact grows with each change that the core makes; 0 from a file.
    """

    code: str
    name: str = ""
    unit_mg: int = 0
    unit_sd_mg: int = 0
    uom: str = "pcs"
    epc_prefixes: tuple[str, ...] = ()
    version: int = 0
    gtins: tuple[str, ...] = ()
    company_prefixes: tuple[str, ...] = ()
    names: Names = ()
    uoms: tuple[tuple[str, str], ...] = ()
    density_mg_l: int = 0
    lot_rule: LotRule = "none"

    @property
    def pattern(self) -> EpcPattern:
        """Which EPCs are of it; a false value if it carries no tags, as bulk goods do not."""
        if self.is_bulk:
            return NO_TAGS
        return EpcPattern(self.epc_prefixes, self.gtins, self.company_prefixes)

    @property
    def base_uom(self) -> str:
        """In what stock of it is counted, in whole numbers."""
        return MEASURES[self.uom][0] if self.is_bulk else self.uom

    @property
    def is_bulk(self) -> bool:
        """Whether it is measured, and not counted."""
        return self.uom in MEASURES

    @property
    def bulk_g(self) -> float:
        """What a gram or millilitre of bulk goods weighs; 0 if it is counted or nobody says."""
        if not self.is_bulk:
            return 0.0
        return 1.0 if self.base_uom == "g" else self.density_mg_l / 1e6


@dataclass(frozen=True, slots=True)
class Location:
    """A place that stock can be booked to; it lies in `parent`, if that is told."""

    code: str
    name: str = ""
    version: int = 0
    kind: LocationKind | None = None
    parent: str = ""
    names: Names = ()
