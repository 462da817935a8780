"""Which EPCs are of an item."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.epc.decoding import kind_of


@dataclass(frozen=True, slots=True)
class EpcPattern:
    """EPCs that begin with one of these hexadecimal digits, are a piece of one of these trade
    items (14 digits each), or of a trade item or asset of one of these companies.
    """

    prefixes: tuple[str, ...] = ()
    gtins: tuple[str, ...] = ()
    company_prefixes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.prefixes or self.gtins or self.company_prefixes)

    def carries(self, digits: str) -> bool:
        """Whether a tag with that EPC is one of them."""
        if self.prefixes and digits.startswith(self.prefixes):
            return True
        if not (self.gtins or self.company_prefixes):
            return False
        kind = kind_of(digits)
        if kind is None:
            return False
        return kind.gtin in self.gtins or kind.owned.startswith(self.company_prefixes)
