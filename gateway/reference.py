"""Reference facts from files: items, locations, book stock, expected sets, badges; TOML or CSV.

    items.csv:     code,name,name_zh,unit_g,unit_sd_g,uom,uoms,density_kg_l,lot_rule,gtins,
                   epc_prefixes,company_prefixes
    locations.csv: code,name,name_zh,kind,parent
    book.csv:      code,item,quantity,uom,safety,reorder,lot,expires,received
                                                       (a row for each item, or each lot of it;
                                                        `code` is the location)
    expected.csv:  code,portal,direction,epcs                         (EPCs parted by spaces)
    badges.csv:    code,actor,scan,epc           (without an actor movements name the code)

In TOML the same keys stand in `[[item]]`, `[[location]]`, `[[book]]`, `[[expected]]` and
`[[badge]]` tables; lists are lists there, `names` and `uoms` tables. Every wrong row is named with
its file, its row, its column and what was expected.

Names in other languages have a column each, which ends in the language (`name_zh`, `name_de`).
Other units of an item are told with how many of its own are in one, several parted by spaces:
`BOX=12 PALLET=480`. An item whose `uom` is a mass or volume (kg, l) is bulk goods. A `kind` is
site, area, shelf, cell or bin, a `parent` the code of another row. Days are written 2027-03-31.

A GTIN has 8, 12, 13 or 14 digits, a company prefix 6 to 12; several are parted by spaces, as are
EPC prefixes.
"""

from __future__ import annotations

import csv
import difflib
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import ValidationError

from gateway.book import together
from gateway.catalogue import Known, whole_line
from gateway.model import BookLine, BookStock, Item, Location, Reference
from gateway.places import misplaced
from gateway.ports import ConfigError
from gateway.reference_rows import (
    NAME_COLUMN,
    BadgeRow,
    BookRow,
    ExpectedRow,
    ItemRow,
    LocationRow,
    with_names,
)

ROWS_MAX = 1_000_000
"""A file with more rows is the wrong file."""

_Row: TypeAlias = ItemRow | LocationRow | BookRow | ExpectedRow | BadgeRow
_KINDS: dict[str, type[_Row]] = {
    "item": ItemRow,
    "location": LocationRow,
    "book": BookRow,
    "expected": ExpectedRow,
    "badge": BadgeRow,
}
_NAMED = {"item", "location"}


def read_references(
    kind: Literal["item", "location", "book", "expected", "badge"], path: Path
) -> list[Reference]:
    """All facts of one file; ConfigError names every wrong row at once."""
    model = _KINDS[kind]
    facts: dict[tuple[str, ...], Known] = {}
    places: dict[str, str] = {}
    problems: list[str] = []
    for place, row in _rows(kind, path):
        try:
            fact = model(**row).fact()
        except ValidationError as error:
            problems += [f"{path}:{place}: {told}" for told in _told(error, model)]
            continue
        key = _key(fact)
        if key in facts:
            column = "code" if len(key) == 1 else "lot" if len(key) > 2 else "item"
            problems.append(f"{path}:{place}: {column}: {key[-1]!r} stands twice")
        facts[key] = fact
        places[fact.code] = place
    problems += [f"{path}:{places[code]}: {told}" for code, told in _astray(facts.values())]
    if problems:
        raise ConfigError("\n".join(problems))
    if kind == "book":
        return list(_books(path, facts.values()))
    return _each_trade_item_once(path, list(facts.values()))


def check_units(facts: Iterable[Reference], path: Path) -> None:
    """ConfigError if a book counts an item of the files in a unit that the item has not."""
    told = list(facts)
    items = {fact.code: fact for fact in told if isinstance(fact, Item)}
    problems = []
    for book in (fact for fact in told if isinstance(fact, BookStock)):
        for line in book.lines:
            try:
                whole_line(line, items)
            except ValueError as error:
                problems.append(f"{path}: {line.item!r} at {book.code!r}: {error}")
    if problems:
        raise ConfigError("\n".join(problems))


def _key(fact: Known) -> tuple[str, ...]:
    """What may stand once in a file."""
    if not isinstance(fact, BookStock):
        return (fact.code,)
    line = fact.lines[0]
    return (fact.code, line.item, *(lot.lot for lot in line.lots))


def _told(error: ValidationError, model: type[_Row]) -> Iterator[str]:
    """Each problem of a row: its column, what was expected, and what may have been meant."""
    for entry in error.errors(include_url=False):
        column = ".".join(str(part) for part in entry["loc"])
        text = entry["msg"].removeprefix("Value error, ").removeprefix(f"{column}: ")
        if entry["type"] == "extra_forbidden":
            text = f"unknown column{_did_you_mean(column, model.model_fields)}"
        elif entry["type"] == "missing":
            text = "expected a value; the column is missing or empty"
        elif entry["type"] == "literal_error":
            known = [part.strip("' ") for part in entry["ctx"]["expected"].split("or")]
            known = [each.strip("' ") for part in known for each in part.split(",")]
            text = f"expected {', '.join(known)}{_did_you_mean(str(entry['input']), known)}"
        yield f"{column}: {text}"


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _astray(facts: Iterable[Known]) -> Iterator[tuple[str, str]]:
    """The locations that do not lie where they say."""
    known = {fact.code: fact for fact in facts if isinstance(fact, Location)}
    for code, location in known.items():
        reason = misplaced(location, known)
        if reason is not None:
            unknown = location.parent not in known
            hint = _did_you_mean(location.parent, known) if unknown else ""
            yield code, reason + hint


def _each_trade_item_once(path: Path, facts: list[Known]) -> list[Reference]:
    """The same facts; ConfigError if two items say that a GTIN is theirs."""
    owners: dict[str, str] = {}
    for item in (fact for fact in facts if isinstance(fact, Item)):
        for gtin in item.gtins:
            owner = owners.setdefault(gtin, item.code)
            if owner != item.code:
                raise ConfigError(f"{path}: gtins: {gtin} is of {owner!r} and of {item.code!r}")
    return list(facts)


def _books(path: Path, facts: Iterable[Known]) -> Iterator[BookStock]:
    """The book of each location, out of those of its rows."""
    books: dict[str, dict[str, BookLine]] = {}
    for fact in facts:
        for line in fact.lines if isinstance(fact, BookStock) else ():
            book = books.setdefault(fact.code, {})
            known = book.get(line.item)
            try:
                book[line.item] = line if known is None else together(known, line)
            except ValueError as error:
                raise ConfigError(f"{path}: {line.item!r} at {fact.code!r}: {error}") from error
    for code, lines in books.items():
        yield BookStock(code, tuple(lines.values()))


def _rows(kind: str, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    if path.suffix == ".csv":
        return _csv_rows(kind, path, text)
    if path.suffix == ".toml":
        return _toml_rows(kind, path, text)
    raise ConfigError(f"{path}: expected a file ending in .csv or .toml")


def _csv_rows(kind: str, path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    reader = csv.DictReader(text.splitlines())
    known = _KINDS[kind].model_fields
    strange = [
        f"{path}:1: {name}: unknown column{_did_you_mean(name, known)}"
        for name in reader.fieldnames or ()
        if name not in known and not (kind in _NAMED and name.startswith(NAME_COLUMN))
    ]
    if strange:
        raise ConfigError("\n".join(strange))
    for row in reader:
        if reader.line_num > ROWS_MAX:
            raise ConfigError(f"{path}: more than {ROWS_MAX} rows")
        if None in row or None in row.values():
            raise ConfigError(
                f"{path}:{reader.line_num}: expected {len(reader.fieldnames or ())} columns"
            )
        told = {key: value for key, value in row.items() if value != ""}
        yield str(reader.line_num), with_names(told) if kind in _NAMED else told


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
