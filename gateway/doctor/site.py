"""The wiring of the site beside what its devices observe, and what its rules can count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import hypot

from gateway.doctor.finding import Finding, fail, ok, warn
from gateway.model import Item, Reference
from gateway.ports import ResolvesUnits
from gateway.settings import Configuration
from gateway.toml_lines import Path as KeyPath
from gateway.toml_lines import key_lines, line_of

ALIKE_DEVIATIONS = 3.0
"""Pieces that are nearer to one another than this are often taken for the other."""

Points = Mapping[str, frozenset[str] | None]
"""What each device observes: `device:antenna` and `device:cell`; None if only it knows."""


def examine_wiring(configuration: Configuration, points: Points) -> Iterator[Finding]:
    """Antennas and cells that no device observes, though the device is there."""
    site = configuration.site
    wired: list[tuple[KeyPath, Sequence[str]]] = []
    for index, zone in enumerate(site.zones):
        wired.append((("zone", index, "antennas"), zone.antennas))
    for index, gate in enumerate(site.portals):
        wired.append((("portal", index, "outer"), gate.outer))
        wired.append((("portal", index, "inner"), gate.inner))
    for index, cell in enumerate(site.cells):
        wired.append((("cell", index, "cell"), (cell.cell,)))
    well = True
    for key, names in wired:
        for name in names:
            device = name.rpartition(":")[0]
            known = points.get(device)
            if known is not None and name not in known:
                well = False
                text = f"{name!r}: {device} observes only {', '.join(sorted(known)) or 'nothing'}"
                fix = f"correct {key[-1]}, or let the settings of {device} name it"
                yield fail("wiring", f"{place_of(configuration, key)}: {text}", fix)
    if well:
        yield ok("wiring", "leads to what the devices observe")


def examine_planned(configuration: Configuration, facts: Sequence[Reference]) -> Iterator[Finding]:
    """Items planned on cells that nobody describes, or whose pieces are too light to tell."""
    items = {fact.code: fact for fact in facts if isinstance(fact, Item)}
    well = True
    for index, cell in enumerate(configuration.site.cells):
        key = place_of(configuration, ("cell", index, "items" if cell.items else "item"))
        planned = [(f"{key}: {code!r}", items.get(code)) for code in cell.planned]
        found = [
            _strange(configuration, place)
            if item is None
            else _weightless(item, place) or _unresolved(configuration, item, place)
            for place, item in planned
        ]
        if len(planned) > 1:
            found += [_shared(item, place) for place, item in planned if item is not None]
        found += _alike(key, [item for _, item in planned if item is not None])
        for finding in found:
            if finding is not None:
                well = False
                yield finding
    if well:
        yield ok("planned items", "are known, and their pieces heavy enough to count")


def _strange(configuration: Configuration, place: str) -> Finding:
    """Where a core answers it may tell of the item; one beside the files would be a surprise."""
    text = f"{place} is in no reference file"
    if configuration.reference.items is not None and configuration.mqtt.settle == "broker":
        return fail("planned items", text, f"add it to {configuration.reference.items}")
    return warn("planned items", text, "add it to reference.items, or let the core tell of it")


def _weightless(item: Item, place: str) -> Finding | None:
    if item.unit_mg > 0 or item.bulk_g:
        return None
    if item.is_bulk:
        text = f"{place} has no density: what is poured there is not measured"
        return warn("planned items", text, "add its density_kg_l to the reference file")
    text = f"{place} has no unit weight: nothing is counted on the cell"
    return warn("planned items", text, "add its unit_g to the reference file")


def _shared(item: Item, place: str) -> Finding | None:
    if not item.is_bulk:
        return None
    text = f"{place} is bulk goods on a plate of several items: nothing there is told apart"
    return fail("planned items", text, "give it a cell of its own")


def _unresolved(configuration: Configuration, item: Item, place: str) -> Finding | None:
    for rule in configuration.rules:
        settings, unit_g = rule.settings, item.unit_mg / 1000
        if (
            isinstance(settings, ResolvesUnits)
            and not item.is_bulk
            and unit_g < settings.unit_min_g
        ):
            text = (
                f"{place} weighs {unit_g} g a piece; rule {rule.name} tells one piece "
                f"from nothing from {settings.unit_min_g:g} g on"
            )
            fix = (
                "plan packs of it, tag it, or plan no item there; on a scale that is quiet enough "
                f"set a smaller band_g and step_min_g in [rules.{rule.name}]"
            )
            return fail("planned items", text, fix)
    return None


def _alike(place: str, items: Sequence[Item]) -> Iterator[Finding]:
    """Items of one plate whose pieces weigh the same, give or take their spread."""
    for one, other in combinations([item for item in items if item.unit_mg > 0], 2):
        apart_mg = abs(one.unit_mg - other.unit_mg)
        if apart_mg <= ALIKE_DEVIATIONS * hypot(one.unit_sd_mg, other.unit_sd_mg):
            text = f"{place}: pieces of {one.code!r} and {other.code!r} weigh the same"
            fix = "plan one of them elsewhere; here, what moves of the two stays unresolved"
            yield warn("planned items", text, fix)


def place_of(configuration: Configuration, key: KeyPath) -> str:
    """File, line and key; the file alone if it cannot be read again."""
    path, dotted = configuration.path, f"{key[0]}[{key[1]}].{key[2]}"
    try:
        line = line_of(key, key_lines(path.read_text(encoding="utf-8")))
    except OSError:
        line = None
    return f"{path}:{line}: {dotted}" if line else f"{path}: {dotted}"
