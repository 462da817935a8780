"""Reference facts from files: items, locations, expected sets and badges, as TOML or CSV.

    items.csv:     code,name,unit_g,unit_sd_g,uom,epc_prefixes      (prefixes parted by spaces)
    locations.csv: code,name
    expected.csv:  code,portal,direction,epcs                        (EPCs parted by spaces)
    badges.csv:    code,actor,scan,epc          (without an actor movements name the code)

In TOML the same keys stand in `[[item]]`, `[[location]]`, `[[expected]]` and `[[badge]]` tables,
and the lists are lists. Every wrong row is named with its file, its row and what was expected.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError

from gateway.model import Badge, ExpectedSet, Item, Location, Reference
from gateway.ports import ConfigError, PluginSettings

ROWS_MAX = 1_000_000
"""A file with more rows is the wrong file."""

SCAN_MAX = 256
"""As the contract says; no badge has a longer code."""


def _words(value: Any) -> Any:
    return value.split() if isinstance(value, str) else value


Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
Hex = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[0-9a-fA-F]+$")]
HexList = Annotated[tuple[Hex, ...], BeforeValidator(_words)]
Grams = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=3)]


class _ItemRow(PluginSettings):
    code: Code
    name: str = ""
    unit_g: Grams = Decimal(0)
    unit_sd_g: Grams = Decimal(0)
    uom: Code = "pcs"
    epc_prefixes: HexList = ()

    def fact(self) -> Item:
        unit_mg, unit_sd_mg = int(self.unit_g * 1000), int(self.unit_sd_g * 1000)
        return Item(self.code, self.name, unit_mg, unit_sd_mg, self.uom, self.epc_prefixes)


class _LocationRow(PluginSettings):
    code: Code
    name: str = ""

    def fact(self) -> Location:
        return Location(self.code, self.name)


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


_KINDS: dict[str, type[_ItemRow | _LocationRow | _ExpectedRow | _BadgeRow]] = {
    "item": _ItemRow,
    "location": _LocationRow,
    "expected": _ExpectedRow,
    "badge": _BadgeRow,
}


def read_references(
    kind: Literal["item", "location", "expected", "badge"], path: Path
) -> list[Reference]:
    """All facts of one file; ConfigError names every wrong row at once."""
    model = _KINDS[kind]
    facts: dict[str, Reference] = {}
    problems: list[str] = []
    for place, row in _rows(kind, path):
        try:
            fact = model(**row).fact()
        except ValidationError as error:
            for entry in error.errors(include_url=False, include_context=False):
                column = ".".join(str(part) for part in entry["loc"])
                problems.append(f"{path}:{place}: {column}: {entry['msg']}")
            continue
        if fact.code in facts:
            problems.append(f"{path}:{place}: code: {fact.code!r} stands twice")
        facts[fact.code] = fact
    if problems:
        raise ConfigError("\n".join(problems))
    return list(facts.values())


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
