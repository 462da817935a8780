"""What one piece of an item weighs: as the catalogue says, and as confirmed picks teach.

The catalogue is taken for the mean of CATALOGUE_PIECES weighed pieces; each counted step adds its
own. Mean and spread are running ones (Welford) whose memory is bounded, so that the next delivery
is learned too. What is learned stays near the catalogue, and a step that misfits by more than
OUTLIER deviations teaches nothing: a faulty cell cannot poison the item. Part of the count rule;
durable, written with a step when it has changed enough.

Source: Welford 1962; counting-scale practice weighs ten pieces for a mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

from gateway.model import Item
from gateway.ports import Row

UNIT_ROW = "unit\t"
"""No cell has a tab in its name."""

SPREAD_MIN = 0.005
"""No real part is more alike than half a per cent; a catalogue that says so is optimistic."""

CATALOGUE_PIECES = 10
"""So many pieces, at least, does one weigh to know their mean and spread."""

PIECES_MAX, STEPS_MAX = 400, 200
"""How far back the mean and the spread remember: past some hundred pieces they are better than
any count needs, and a new delivery must be learned within a few hundred."""

UNIT_SHARE_MAX = 0.01
"""How far the mean may leave the catalogue's beyond its own uncertainty: deliveries differ by so
much; what differs more is another item, and is for a person."""

UNCERTAINTIES_MAX = 3.0
"""That uncertainty is three deviations of the mean of the catalogue's pieces."""

SPREAD_FACTOR_MAX = 2.0
"""How far the spread may leave the catalogue's, either way."""

OUTLIER = 3.0

KEPT_GROWTH, KEPT_SD_SHARE = 1.25, 0.1
"""Written down is what rests on so many times the pieces, or differs by so much of the spread: a
restart loses no more."""


@dataclass(frozen=True, slots=True)
class UnitWeight:
    """One piece: its mean weight, the spread of pieces, and how many pieces the mean rests on."""

    item: str
    unit_g: float
    sd_g: float
    pieces: int

    def variance(self, quantity: int) -> float:
        """Of the weight of so many pieces, in square grams: they differ, and the mean is unsure."""
        return self.sd_g**2 * (abs(quantity) + quantity**2 / self.pieces)


@dataclass(slots=True)
class _Learned:
    """Running mean over `pieces` and running variance per piece over `steps`."""

    catalogue_mg: int
    pieces: int = 0
    mean_g: float = 0.0
    steps: int = 0
    variance: float = 0.0
    kept_pieces: int = 0
    kept_g: float = 0.0

    def kept_anew(self, sd_g: float) -> bool:
        """Whether it has become so much surer, or another, that it is to be written down."""
        moved = abs(self.mean_g - self.kept_g) > KEPT_SD_SHARE * sd_g
        if self.pieces < self.kept_pieces * KEPT_GROWTH and not moved:
            return False
        self.kept_pieces, self.kept_g = self.pieces, self.mean_g
        return True


class UnitWeights:
    """All items whose pieces can be weighed."""

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self._learned: dict[str, _Learned] = {}

    def put(self, item: Item) -> None:
        """Take an item, or its newer version; another weight makes what was learned void."""
        self._items[item.code] = item
        learned = self._learned.get(item.code)
        if learned is not None and learned.catalogue_mg != item.unit_mg:
            del self._learned[item.code]

    def remove(self, code: str) -> None:
        """Forget an item, if it is known; what was learned waits for it."""
        self._items.pop(code, None)

    def item(self, code: str) -> Item | None:
        """The item of that code."""
        return self._items.get(code)

    def restore(self, row: Row) -> bool:
        """Take back what an earlier run learned; False if the row is somebody else's."""
        if not row.key.startswith(UNIT_ROW):
            return False
        value: Any = row.value
        self._learned[row.key.removeprefix(UNIT_ROW)] = _Learned(
            value["catalogue_mg"],
            value["pieces"],
            value["mean_ug"] / 1e6,
            value["steps"],
            (value["sd_ug"] / 1e6) ** 2,
            value["pieces"],
            value["mean_ug"] / 1e6,
        )
        return True

    def of(self, code: str) -> UnitWeight | None:
        """A piece of that item; None if nobody says what it weighs."""
        item = self._items.get(code)
        if item is None or item.is_bulk or item.unit_mg <= 0:
            return None
        unit_g = item.unit_mg / 1000
        sd_g = max(SPREAD_MIN * unit_g, item.unit_sd_mg / 1000)
        learned = self._learned.get(code)
        if learned is None:
            return UnitWeight(code, unit_g, sd_g, CATALOGUE_PIECES)
        pieces, steps = CATALOGUE_PIECES + learned.pieces, CATALOGUE_PIECES + learned.steps
        mean_g = (CATALOGUE_PIECES * unit_g + learned.pieces * learned.mean_g) / pieces
        room_g = UNCERTAINTIES_MAX * sd_g / sqrt(CATALOGUE_PIECES) + UNIT_SHARE_MAX * unit_g
        mean_g = min(unit_g + room_g, max(unit_g - room_g, mean_g))
        spread_g = sqrt((CATALOGUE_PIECES * sd_g**2 + learned.steps * learned.variance) / steps)
        spread_g = min(SPREAD_FACTOR_MAX * sd_g, max(sd_g / SPREAD_FACTOR_MAX, spread_g))
        return UnitWeight(code, mean_g, max(SPREAD_MIN * mean_g, spread_g), pieces)

    def learn(self, code: str, change_g: float, quantity: int, noise_g: float) -> Row | None:
        """So many pieces weighed so much, by two plateaus of that noise. A row, if what is known
        by now is to be written down: that is seldom, for most steps teach little.
        """
        known, item = self.of(code), self._items.get(code)
        if known is None or item is None:
            return None
        misfit = change_g - quantity * known.unit_g
        noise = 2 * noise_g**2
        if misfit**2 > OUTLIER**2 * (known.variance(quantity) + noise):
            return None
        learned = self._learned.setdefault(code, _Learned(item.unit_mg))
        count = abs(quantity)
        own = max(0.0, misfit**2 - noise) / count
        learned.mean_g += (change_g / quantity - learned.mean_g) * count / (learned.pieces + count)
        learned.variance += (own - learned.variance) / (learned.steps + 1)
        learned.pieces = min(PIECES_MAX, learned.pieces + count)
        learned.steps = min(STEPS_MAX, learned.steps + 1)
        if not learned.kept_anew(known.sd_g):
            return None
        return Row(
            UNIT_ROW + code,
            {
                "catalogue_mg": learned.catalogue_mg,
                "pieces": learned.pieces,
                "mean_ug": round(learned.mean_g * 1e6),
                "steps": learned.steps,
                "sd_ug": round(sqrt(learned.variance) * 1e6),
            },
        )
