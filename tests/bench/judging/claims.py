"""What a method claims: movements, what it could not resolve, its alerts and its final stock."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from simulators.world.truth import NS_PER_S, Observed, Scenario

GROUP_NS = 3 * NS_PER_S
"""Single tags that went the same way so close together count as one movement of several."""

REVERSED_SOON_NS = 5 * NS_PER_S
"""A movement taken back so soon was never one; later it stays what it was."""


class Claim(NamedTuple):
    """One movement as a method tells it, on the world's clock (ns)."""

    at: int
    decided: int
    item: str
    source: str
    target: str
    quantity: int
    epcs: tuple[str, ...] = ()
    confidence: int = 0
    identity: str = ""
    reverses: str = ""
    actor: str = ""


class Open(NamedTuple):
    """Something that a method could not resolve."""

    at: int
    decided: int
    place: str
    reason: str
    epcs: tuple[str, ...] = ()


class Alarm(NamedTuple):
    """An alert that stood from `raised` to `cleared`."""

    key: str
    raised: int
    cleared: int


@dataclass(slots=True)
class Told:
    """All that a method told of one world. `stock` is None where it keeps none of its own."""

    claims: list[Claim] = field(default_factory=list)
    unresolved: list[Open] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    stock: Counter[tuple[str, str]] = field(default_factory=Counter)


class Method(Protocol):
    """Whoever watches a world: our rules, or a baseline."""

    def observe(self, observed: Observed) -> None: ...

    def finish(self, at: int) -> Told: ...


def lasting(claims: Iterable[Claim]) -> list[Claim]:
    """The claims without those taken back at once, and without the taking back."""
    told = list(claims)
    known = {claim.identity: claim for claim in told if claim.identity}
    soon = {
        claim.reverses
        for claim in told
        if claim.reverses in known
        and claim.decided - known[claim.reverses].decided <= REVERSED_SOON_NS
    }
    return [claim for claim in told if not claim.reverses and claim.identity not in soon]


def grouped(claims: Iterable[Claim]) -> list[Claim]:
    """Single tags of one item that went the same way at the same time, as one claim."""
    groups: list[Claim] = []
    last: dict[tuple[str, str, str], int] = {}
    for claim in sorted(claims, key=lambda claim: claim.at):
        way = (claim.item, claim.source, claim.target)
        index = last.get(way)
        if index is not None and claim.at - groups[index].at <= GROUP_NS:
            one = groups[index]
            groups[index] = one._replace(
                decided=max(one.decided, claim.decided),
                quantity=one.quantity + claim.quantity,
                epcs=(*one.epcs, *claim.epcs),
            )
        else:
            last[way] = len(groups)
            groups.append(claim)
    return groups


def booked(claims: Iterable[Claim]) -> Counter[tuple[str, str]]:
    """What stock the claims come to."""
    stock: Counter[tuple[str, str]] = Counter()
    for claim in claims:
        stock[claim.source, claim.item] -= claim.quantity
        stock[claim.target, claim.item] += claim.quantity
    return stock


def in_bins(claims: Iterable[Claim], scenario: Scenario) -> list[Claim]:
    """What was claimed of a zone, said of the cell in it on which that item is planned."""
    cells = scenario.block.cells
    bins = {(cell.zone, item): cell.location for cell in cells if cell.zone for item in cell.items}
    return [
        claim._replace(
            source=bins.get((claim.source, claim.item), claim.source),
            target=bins.get((claim.target, claim.item), claim.target),
        )
        for claim in claims
    ]
