"""Whose an EPC is, of many who say which EPCs are theirs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from gateway.epc.decoding import kind_of
from gateway.epc.pattern import EpcPattern

Owner = TypeVar("Owner")


class EpcIndex(Generic[Owner]):
    """The trade item that an EPC names counts first, then the longest EPC prefix, then the longest
    company prefix; of equal ones that which stands first.
    """

    def __init__(self, patterns: Iterable[tuple[EpcPattern, Owner]] = ()) -> None:
        pairs = list(patterns)
        self._by_gtin = _first_of((g, owner) for pattern, owner in pairs for g in pattern.gtins)
        self._by_prefix = _Prefixes(
            (p, owner) for pattern, owner in pairs for p in pattern.prefixes
        )
        self._by_company = _Prefixes(
            (p, owner) for pattern, owner in pairs for p in pattern.company_prefixes
        )

    def owner(self, digits: str) -> Owner | None:
        """Whose a tag with that EPC is."""
        kind = kind_of(digits) if self._by_gtin or self._by_company else None
        found = self._by_gtin.get(kind.gtin) if kind else None
        found = found or self._by_prefix.longest(digits)
        return found or (self._by_company.longest(kind.owned) if kind else None)


class _Prefixes(Generic[Owner]):
    def __init__(self, pairs: Iterable[tuple[str, Owner]]) -> None:
        self._owners = _first_of((prefix, owner) for prefix, owner in pairs if prefix)
        self._lengths = sorted(set(map(len, self._owners)), reverse=True)

    def __bool__(self) -> bool:
        return bool(self._owners)

    def longest(self, text: str) -> Owner | None:
        """Whose prefix of that text is the longest."""
        for length in self._lengths:
            owner = self._owners.get(text[:length])
            if owner is not None:
                return owner
        return None


def _first_of(pairs: Iterable[tuple[str, Owner]]) -> dict[str, Owner]:
    return dict(reversed(list(pairs)))
