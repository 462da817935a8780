"""Items and locations from the retained topics, checked field by field."""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal
from typing import TypeVar, get_args

from gateway.epc import EpcError, gtin14
from gateway.measure import DECIMAL
from gateway.model import MEASURES, Item, Location, LocationKind, LotRule, Names
from gateway.uplink.messages import (
    KEY_MAX,
    BadPayloadError,
    Object,
    key_of,
    text_of,
    whole_of,
)

PATTERNS_MAX = 64
NAMES_MAX = 32
NAME_MAX = 1024
UOMS_MAX = 32
"""As the contract says."""

HEX_DIGITS = frozenset("0123456789abcdef")
DECIMAL_DIGITS = frozenset("0123456789")

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", re.ASCII)

_ITEM = {"code", "version", "name", "names", "unit_mg", "unit_sd_mg", "uom", "uoms", "lot_rule"}
_ITEM_TAGS = {"epc_prefixes", "gtins", "company_prefixes", "density_mg_l"}
_LOCATION = {"code", "version", "name", "names", "kind", "parent"}
_LOT_RULES: dict[str, LotRule] = {rule: rule for rule in get_args(LotRule)}
_KINDS: dict[str, LocationKind] = {kind: kind for kind in get_args(LocationKind)}

Word = TypeVar("Word", LotRule, LocationKind)


def parse_item(code: str, value: Object, version: int) -> Item:
    """The item that a payload states; BadPayloadError names the first field that is wrong."""
    _known_only(value, _ITEM | _ITEM_TAGS)
    uom = key_of(value, "uom") if "uom" in value else "pcs"
    return Item(
        code=code,
        name=text_of(value, "name", ""),
        unit_mg=whole_of(value, "unit_mg", 0, 0),
        unit_sd_mg=whole_of(value, "unit_sd_mg", 0, 0),
        uom=uom,
        epc_prefixes=hex_list(value, "epc_prefixes", PATTERNS_MAX),
        version=version,
        gtins=_gtins(value),
        company_prefixes=_company_prefixes(value),
        names=_names(value),
        uoms=_uoms(value, uom),
        density_mg_l=whole_of(value, "density_mg_l", 0, 0),
        lot_rule=_word(value, "lot_rule", _LOT_RULES, "none"),
    )


def parse_location(code: str, value: Object, version: int) -> Location:
    """The location that a payload states; BadPayloadError names the first field that is wrong."""
    _known_only(value, _LOCATION)
    return Location(
        code,
        text_of(value, "name", ""),
        version,
        kind=_word(value, "kind", _KINDS, "bin") if "kind" in value else None,
        parent=key_of(value, "parent") if "parent" in value else "",
        names=_names(value),
    )


def hex_list(value: Object, name: str, most: int) -> tuple[str, ...]:
    """A field that is a list of lower-case hex digits; empty if it is absent."""
    found = _texts(value, name, most)
    for each in found:
        if not each or not HEX_DIGITS.issuperset(each):
            raise BadPayloadError(f"{name}: lower-case hex digits are wanted")
    return found


def _known_only(value: Object, known: Collection[str]) -> None:
    strange = sorted(value.keys() - set(known))
    if strange:
        raise BadPayloadError(f"{strange[0]:.{KEY_MAX}}: this field is not known")


def _word(value: Object, name: str, known: dict[str, Word], default: Word) -> Word:
    found = value.get(name, default)
    if not isinstance(found, str) or found not in known:
        raise BadPayloadError(f"{name}: one of {', '.join(known)} is wanted")
    return known[found]


def _names(value: Object) -> Names:
    found = value.get("names", {})
    if not isinstance(found, dict) or len(found) > NAMES_MAX:
        raise BadPayloadError(f"names: an object of at most {NAMES_MAX} languages is wanted")
    for language, name in found.items():
        if not LANGUAGE.fullmatch(language):
            raise BadPayloadError(f"names.{language:.{KEY_MAX}}: a language is wanted, such as zh")
        if not isinstance(name, str) or not 0 < len(name) <= NAME_MAX:
            raise BadPayloadError(f"names.{language}: 1 to {NAME_MAX} characters are wanted")
    return tuple(sorted(found.items()))


def _uoms(value: Object, uom: str) -> tuple[tuple[str, str], ...]:
    found = value.get("uoms", {})
    if not isinstance(found, dict) or len(found) > UOMS_MAX:
        raise BadPayloadError(f"uoms: an object of at most {UOMS_MAX} units is wanted")
    for name, factor in found.items():
        key_of({name: name}, name)
        if name == uom or name in MEASURES:
            raise BadPayloadError(f"uoms.{name}: what that is, is known without it")
        if not isinstance(factor, str) or not DECIMAL.fullmatch(factor) or Decimal(factor) <= 0:
            raise BadPayloadError(f"uoms.{name}: a decimal above 0 as a string is wanted")
    return tuple(sorted(found.items()))


def _gtins(value: Object) -> tuple[str, ...]:
    try:
        return tuple(gtin14(each) for each in _texts(value, "gtins", PATTERNS_MAX))
    except EpcError as error:
        raise BadPayloadError(f"gtins: {error}") from None


def _company_prefixes(value: Object) -> tuple[str, ...]:
    found = _texts(value, "company_prefixes", PATTERNS_MAX)
    for each in found:
        if not 6 <= len(each) <= 12 or not DECIMAL_DIGITS.issuperset(each):
            raise BadPayloadError("company_prefixes: 6 to 12 digits are wanted")
    return found


def _texts(value: Object, name: str, most: int) -> tuple[str, ...]:
    found = value.get(name, [])
    if not isinstance(found, list) or len(found) > most:
        raise BadPayloadError(f"{name}: a list of at most {most} is wanted")
    if not all(isinstance(each, str) for each in found):
        raise BadPayloadError(f"{name}: strings are wanted")
    return tuple(found)
