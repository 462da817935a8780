"""Reference facts from files: items, locations, book stock, expected sets, badges; TOML or CSV.

    items.csv:     code,name,unit_g,unit_sd_g,uom,gtins,epc_prefixes,company_prefixes
    locations.csv: code,name
    book.csv:      code,item,quantity,uom,safety,reorder            (a row for each item; `code` is
                                                                     the location)
    expected.csv:  code,portal,direction,epcs                        (EPCs parted by spaces)
    badges.csv:    code,actor,scan,epc          (without an actor movements name the code)

In TOML the same keys stand in `[[item]]`, `[[location]]`, `[[book]]`, `[[expected]]` and
`[[badge]]` tables, and the lists are lists. Every wrong row is named with its file, its row and
what was expected.

A GTIN has 8, 12, 13 or 14 digits, a company prefix 6 to 12; several are parted by spaces, as are
EPC prefixes.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError

from gateway.model import Badge, BookLine, BookStock, ExpectedSet, Item, Location, Reference
from gateway.ports import ConfigError, PluginSettings
from gateway.tag_columns import CompanyPrefixes, Gtins

ROWS_MAX = 1_000_000
"""A file with more rows is the wrong file."""

PIECES_MAX = (1 << 53) - 1
"""The largest whole number that the contract can tell."""
SCAN_MAX = 256
"""As the contract says; no badge has a longer code."""


def _words(value: Any) -> Any:
    return value.split() if isinstance(value, str) else value


Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
Hex = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[0-9a-fA-F]+$")]
HexList = Annotated[tuple[Hex, ...], BeforeValidator(_words)]
Pieces = Annotated[int, Field(ge=0, le=PIECES_MAX)]
Grams = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=3)]


class _ItemRow(PluginSettings):
    code: Code
    name: str = ""
    unit_g: Grams = Decimal(0)
    unit_sd_g: Grams = Decimal(0)
    uom: Code = "pcs"
    gtins: Gtins = ()
    epc_prefixes: HexList = ()
    company_prefixes: CompanyPrefixes = ()

    def fact(self) -> Item:
        return Item(
            code=self.code,
            name=self.name,
            unit_mg=int(self.unit_g * 1000),
            unit_sd_mg=int(self.unit_sd_g * 1000),
            uom=self.uom,
            gtins=self.gtins,
            epc_prefixes=self.epc_prefixes,
            company_prefixes=self.company_prefixes,
        )


class _LocationRow(PluginSettings):
    code: Code
    name: str = ""

    def fact(self) -> Location:
        return Location(self.code, self.name)


class _BookRow(PluginSettings):
    code: Code
    item: Code
    quantity: Pieces | None = None
    uom: Code = "pcs"
    safety: Pieces | None = None
    reorder: Pieces | None = None

    def fact(self) -> BookStock:
        line = BookLine(self.item, self.quantity, self.uom, self.safety, self.reorder)
        return BookStock(self.code, (line,))


class _ExpectedRow(PluginSettings):
    code: Code
    portal: Code
    direction: Literal["in", "out"]
    epcs: HexList = ()

    def fact(self) -> ExpectedSet:
        return ExpectedSet(self.code, self.portal, self.direction, frozenset(self.epcs))


class _BadgeRow(PluginSettings):
    code: Code
    actor: Code | None = None
    scan: str = Field("", max_length=SCAN_MAX)
    epc: Hex | None = None

    def fact(self) -> Badge:
        return Badge(self.code, self.actor or self.code, self.scan, self.epc or "")


_KINDS: dict[str, type[_ItemRow | _LocationRow | _BookRow | _ExpectedRow | _BadgeRow]] = {
    "item": _ItemRow,
    "location": _LocationRow,
    "book": _BookRow,
    "expected": _ExpectedRow,
    "badge": _BadgeRow,
}


def read_references(
    kind: Literal["item", "location", "book", "expected", "badge"], path: Path
) -> list[Reference]:
    """All facts of one file; ConfigError names every wrong row at once."""
    model = _KINDS[kind]
    facts: dict[tuple[str, ...], Reference] = {}
    problems: list[str] = []
    for place, row in _rows(kind, path):
        try:
            fact = model(**row).fact()
        except ValidationError as error:
            for entry in error.errors(include_url=False, include_context=False):
                column = ".".join(str(part) for part in entry["loc"])
                problems.append(f"{path}:{place}: {column}: {entry['msg']}")
            continue
        key = (fact.code, fact.lines[0].item) if isinstance(fact, BookStock) else (fact.code,)
        if key in facts:
            column = "item" if len(key) > 1 else "code"
            problems.append(f"{path}:{place}: {column}: {key[-1]!r} stands twice")
        facts[key] = fact
    if problems:
        raise ConfigError("\n".join(problems))
    if kind == "book":
        return list(_books(facts.values()))
    return _each_trade_item_once(path, list(facts.values()))


def _each_trade_item_once(path: Path, facts: list[Reference]) -> list[Reference]:
    """The same facts; ConfigError if two items say that a GTIN is theirs."""
    owners: dict[str, str] = {}
    for item in (fact for fact in facts if isinstance(fact, Item)):
        for gtin in item.gtins:
            owner = owners.setdefault(gtin, item.code)
            if owner != item.code:
                raise ConfigError(f"{path}: gtins: {gtin} is of {owner!r} and of {item.code!r}")
    return facts


def _books(facts: Iterable[Reference]) -> Iterator[BookStock]:
    """The book of each location, out of those of its rows."""
    lines: dict[str, list[BookLine]] = {}
    for fact in facts:
        if isinstance(fact, BookStock):
            lines.setdefault(fact.code, []).extend(fact.lines)
    for code, found in lines.items():
        yield BookStock(code, tuple(found))


def _rows(kind: str, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    if path.suffix == ".csv":
        return _csv_rows(path, text)
    if path.suffix == ".toml":
        return _toml_rows(kind, path, text)
    raise ConfigError(f"{path}: expected a file ending in .csv or .toml")


def _csv_rows(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    reader = csv.DictReader(text.splitlines())
    for row in reader:
        if reader.line_num > ROWS_MAX:
            raise ConfigError(f"{path}: more than {ROWS_MAX} rows")
        if None in row or None in row.values():
            raise ConfigError(
                f"{path}:{reader.line_num}: expected {len(reader.fieldnames or ())} columns"
            )
        yield str(reader.line_num), {key: value for key, value in row.items() if value != ""}


def _toml_rows(kind: str, path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    strangers = sorted(set(content) - {kind})
    if strangers:
        raise ConfigError(f"{path}: {strangers[0]}: unknown key; expected [[{kind}]] tables")
    for index, row in enumerate(content.get(kind, [])):
        yield f"{kind}[{index}]", row
