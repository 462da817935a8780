"""The rows of reference files, one model a kind; see `gateway.reference`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, ValidationInfo, field_validator

from gateway.measure import DECIMAL, QUANTITY_MAX, whole
from gateway.model import (
    MEASURES,
    Badge,
    BookLine,
    BookLot,
    BookStock,
    ExpectedSet,
    Item,
    Location,
    LocationKind,
    LotRule,
    is_day,
)
from gateway.ports import PluginSettings
from gateway.tag_columns import CompanyPrefixes, Gtins

SCAN_MAX = 256
"""As the contract says; no badge has a longer code."""

NAME_COLUMN = "name_"
"""Columns of names go on with their language: `name_zh`."""

UNITS_MAX = 32
"""Names of an item and units of it, as the contract says."""


def _words(value: Any) -> Any:
    return value.split() if isinstance(value, str) else value


def _units(value: Any) -> Any:
    """`BOX=12 PALLET=480` as what a table of TOML is."""
    if not isinstance(value, str):
        return value
    parts = [part.partition("=") for part in value.split()]
    if len({name for name, _, _ in parts}) < len(parts):
        raise ValueError("a unit stands twice")
    return {name: factor for name, _, factor in parts}


Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
Hex = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[0-9a-fA-F]+$")]
HexList = Annotated[tuple[Hex, ...], BeforeValidator(_words)]
Grams = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=3)]
Density = Annotated[Decimal, Field(ge=0, max_digits=9, decimal_places=6)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Named = Annotated[dict[Language, Name], Field(max_length=UNITS_MAX)]
Units = Annotated[dict[Code, str], Field(max_length=UNITS_MAX), BeforeValidator(_units)]


class _NamedRow(PluginSettings):
    code: Code
    name: str = ""
    names: Named = Field(default_factory=dict)


class ItemRow(_NamedRow):
    """An item."""

    unit_g: Grams = Decimal(0)
    unit_sd_g: Grams = Decimal(0)
    uom: Code = "pcs"
    uoms: Units = Field(default_factory=dict)
    density_kg_l: Density = Decimal(0)
    lot_rule: LotRule = "none"
    gtins: Gtins = ()
    epc_prefixes: HexList = ()
    company_prefixes: CompanyPrefixes = ()

    @field_validator("uoms")
    @classmethod
    def _exact(cls, units: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        for name, factor in units.items():
            if name in MEASURES or name == info.data.get("uom"):
                raise ValueError(f"what {name!r} is, is known without it")
            if not DECIMAL.fullmatch(factor) or Decimal(factor) <= 0:
                raise ValueError(f"{name}: expected a decimal above 0, as in BOX=12")
        return units

    def fact(self) -> Item:
        """As the gateway takes it."""
        return Item(
            code=self.code,
            name=self.name,
            unit_mg=int(self.unit_g * 1000),
            unit_sd_mg=int(self.unit_sd_g * 1000),
            uom=self.uom,
            gtins=self.gtins,
            epc_prefixes=self.epc_prefixes,
            company_prefixes=self.company_prefixes,
            names=tuple(sorted(self.names.items())),
            uoms=tuple(sorted(self.uoms.items())),
            density_mg_l=int(self.density_kg_l * 1_000_000),
            lot_rule=self.lot_rule,
        )


class LocationRow(_NamedRow):
    """A location, and what it lies in."""

    kind: LocationKind | None = None
    parent: Code | None = None

    def fact(self) -> Location:
        """As the gateway takes it."""
        names = tuple(sorted(self.names.items()))
        return Location(self.code, self.name, 0, self.kind, self.parent or "", names)


class BookRow(PluginSettings):
    """What should be at a location of an item, or of one lot of it."""

    code: Code
    item: Code
    uom: Code = "pcs"
    quantity: int | None = None
    safety: int | None = None
    reorder: int | None = None
    lot: Code | None = None
    expires: str = ""
    received: str = ""

    @field_validator("quantity", "safety", "reorder", mode="before")
    @classmethod
    def _counted(cls, told: Any, info: ValidationInfo) -> int:
        """In grams or millilitres, if it is told in a measure."""
        text, uom = str(told).strip(), str(info.data.get("uom", ""))
        found, _ = whole(text, uom if uom in MEASURES else "", None)
        if not 0 <= found <= QUANTITY_MAX:
            raise ValueError("expected nothing below 0")
        return found

    @field_validator("expires", "received")
    @classmethod
    def _day(cls, told: str, info: ValidationInfo) -> str:
        if not is_day(told):
            raise ValueError("expected a day, as in 2027-03-31")
        if info.data.get("lot") is None:
            raise ValueError("is of a lot, and the column lot is empty")
        return told

    def fact(self) -> BookStock:
        """As the gateway takes it; its line is one of several."""
        lots: tuple[BookLot, ...] = ()
        if self.lot is not None:
            lots = (BookLot(self.lot, self.quantity or 0, self.expires, self.received),)
        uom = MEASURES.get(self.uom, (self.uom, 1))[0]
        line = BookLine(self.item, self.quantity, uom, self.safety, self.reorder, lots)
        return BookStock(self.code, (line,))


class ExpectedRow(PluginSettings):
    """What is expected at a portal."""

    code: Code
    portal: Code
    direction: Literal["in", "out"]
    epcs: HexList = ()

    def fact(self) -> ExpectedSet:
        """As the gateway takes it."""
        return ExpectedSet(self.code, self.portal, self.direction, frozenset(self.epcs))


class BadgeRow(PluginSettings):
    """Whose badge is which code or tag."""

    code: Code
    actor: Code | None = None
    scan: str = Field("", max_length=SCAN_MAX)
    epc: Hex | None = None

    def fact(self) -> Badge:
        """As the gateway takes it."""
        return Badge(self.code, self.actor or self.code, self.scan, self.epc or "")


def with_names(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a table of columns, its `name_zh` and the like as `names`."""
    names = {key.removeprefix(NAME_COLUMN): row[key] for key in row if key.startswith(NAME_COLUMN)}
    rest = {key: value for key, value in row.items() if not key.startswith(NAME_COLUMN)}
    return {**rest, "names": names} if names else rest
