"""The bits of an EPC, read from the left. Section numbers are those of TDS 2.3."""

from __future__ import annotations

from gateway.epc.identity import EpcError

STRING_CHARACTERS = frozenset(
    "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
)
"""GS1 AI encodable character set 82: what a serial number consists of."""

BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
CODE40 = " ABCDEFGHIJKLMNOPQRSTUVWXYZ-.:0123456789"


class Bits:
    """What is left of an EPC to read."""

    def __init__(self, digits: str) -> None:
        """Of hexadecimal digits."""
        self._value = int(digits, 16)
        self._total = self._left = 4 * len(digits)

    def take(self, count: int) -> int:
        """The next so many bits as a number; EpcError if there are less."""
        if count > self._left:
            needed = self._total - self._left + count
            raise EpcError(
                f"cut off: at least {needed} bits are wanted and {self._total} are there"
            )
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def expect_zeros(self, count: int | None = None) -> None:
        """Read bits that are reserved, or all that are left, which only fill the last words."""
        if self.take(self._left if count is None else count):
            raise EpcError("bits that must be zero are not")

    def number(self, count: int, digits: int, name: str) -> str:
        """A number of so many bits as decimal digits; EpcError if it has more."""
        value = self.take(count)
        if value >= 10**digits:
            raise EpcError(f"the {name} {value} has more than {digits} digits")
        return str(value).zfill(digits) if digits else ""

    def decimals(self, count: int, name: str) -> str:
        """So many digits of four bits each (14.5.4)."""
        digits = "".join(f"{self.take(4):x}" for _ in range(count))
        if not digits.isdigit():
            raise EpcError(f"the {name} {digits} is no decimal number")
        return digits

    def string(self, count: int, characters_max: int, name: str) -> str:
        """So many bits of seven to a character, filled up with zeros (14.4.2)."""
        text = ""
        for _ in range(characters_max):
            text += chr(self.take(7))
        self.expect_zeros(count - 7 * characters_max)
        return checked_text(text.rstrip("\0"), name)

    def alphanumeric(self, name: str, characters_max: int) -> str:
        """A text that says itself how it is encoded and how long it is (14.5.6)."""
        indicator, length = self.take(3), self.take(5)
        if length > characters_max:
            raise EpcError(f"the {name} has {length} characters, more than {characters_max}")
        if indicator == 0:
            text = self.number((10**length - 1).bit_length(), length, name)
        elif indicator == 5:
            triples = [self._code40() for _ in range(-(-length // 3))]
            text = "".join(triples)[:length]
        elif indicator in ALPHABETS:
            bits, alphabet = ALPHABETS[indicator]
            text = "".join(alphabet[self.take(bits)] for _ in range(length))
        else:
            raise EpcError(f"the {name} is in no known encoding ({indicator})")
        return checked_text(text, name)

    def delimited(self, name: str, characters_max: int) -> str:
        """Decimal digits that end in F, or in E where an alphanumeric text follows (14.5.5)."""
        digits = ""
        while (digit := self.take(4)) < 10:
            digits += str(digit)
            if len(digits) > characters_max:
                raise EpcError(f"the {name} has more than {characters_max} characters")
        if digit == 0xF:
            return checked_text(digits, name)
        if digit != 0xE:
            raise EpcError(f"the {name} {digits} ends in {digit:x}, neither e nor f")
        return digits + self.alphanumeric(name, characters_max - len(digits))

    def _code40(self) -> str:
        value = self.take(16) - 1
        if not 0 <= value < 40**3:
            raise EpcError("three characters of URN code 40 are out of range")
        return CODE40[value // 1600] + CODE40[value // 40 % 40] + CODE40[value % 40]


ALPHABETS = {
    1: (4, "0123456789ABCDEF"),
    2: (4, "0123456789abcdef"),
    3: (6, BASE64),
    4: (7, "".join(map(chr, range(128)))),
}
"""Bits for each character, and which they are, by the encoding indicator."""


def checked_text(text: str, name: str) -> str:
    """A text that is not empty and of the characters that GS1 allows; EpcError otherwise."""
    if not text:
        raise EpcError(f"the {name} is empty")
    strangers = sorted(set(text) - STRING_CHARACTERS)
    if strangers:
        raise EpcError(f"the {name} has the character {strangers[0]!r}, which GS1 does not allow")
    return text
