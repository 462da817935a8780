"""Builds a gateway from its configuration: store, rules, engine, devices, uplink, telemetry."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from random import Random

import structlog

from gateway.actions import Dispatcher
from gateway.booker import Booker
from gateway.catalogue import Catalogue
from gateway.clock import Anchor, BootClock, WallClock, boot_id
from gateway.coverage import LoopPulse
from gateway.engine import Engine
from gateway.evidence import EvidenceRing
from gateway.health import Health
from gateway.inbox import Inbox
from gateway.model import DeviceFault, Ns, Reference
from gateway.outcome import Outcome
from gateway.pipeline import Pipeline
from gateway.reference import check_units, read_references
from gateway.rulebook import Surroundings, build_engine, pseudonym_key
from gateway.settings import Configuration
from gateway.store import Clocks, Identity, StateRow, Store, StoreFull
from gateway.supervisor import Supervisor
from gateway.telemetry.meter import Meter
from gateway.telemetry.settings import TelemetrySettings

log = structlog.get_logger("gateway")

STORE_FILE = "shelfgate.db"
MACHINE_ID = Path("/etc/machine-id")


@dataclass
class Gateway:
    """All parts of one running gateway."""

    configuration: Configuration
    clock: BootClock
    wall: WallClock
    random: Random
    store: Store
    engine: Engine
    surroundings: Surroundings
    inbox: Inbox
    pipeline: Pipeline
    supervisor: Supervisor
    dispatcher: Dispatcher
    meter: Meter
    health: Health
    booker: Booker
    catalogue: Catalogue

    async def fault(self, code: str, *, active: bool, detail: str) -> None:
        """Let the rules know of trouble of the gateway's own; the alert's device is the gateway."""
        device = self.configuration.gateway.id
        fact = DeviceFault(device, code, active, detail, severity="critical")
        await self.inbox.put(self.clock.now(), fact)


async def assemble(configuration: Configuration, random: Random) -> Gateway:
    """Open the store, restore the rules, and wire everything; nothing runs yet.

    ConfigError if a reference file is wrong, OSError if the state folder is.
    """
    clock, wall = BootClock(), WallClock()
    files = reference_files(configuration)
    folder = configuration.gateway.state_folder
    folder.mkdir(0o750, parents=True, exist_ok=True)
    section = configuration.gateway
    identity = Identity(section.id, machine_id(folder), boot_id(), section.language)
    store = await Store.open(folder / STORE_FILE, identity, Clocks(clock, wall))
    pulse, inbox = LoopPulse(clock), Inbox()
    supervisor = Supervisor(configuration.devices, inbox, clock, pulse, random)
    meter = _meter(configuration, wall)
    lateness_max_ns = supervisor.lateness_max_ns
    engine, surroundings = await _engine(configuration, store, lateness_max_ns, wall, meter)

    def booked(outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            meter.outcome(outcome.events, clock.now())

    def refused(turns: int) -> None:
        """Only a log: the store raises and clears the alert, with space that it holds back."""
        log.critical("no space left for movements", turns_refused=turns)

    booker = Booker(store, refused)
    booker.booked.append(booked)
    pipeline = Pipeline(engine, inbox, booker, clock, pulse)
    pipeline.taps.append(lambda _at, fact: meter.observe(fact))
    ring = EvidenceRing(configuration.site)
    pipeline.taps.append(ring.note)
    pipeline.explain = ring.explained
    health = Health(store, supervisor, inbox, (clock, wall), meter)
    for device in supervisor.devices.values():
        device.count = meter.device_counter(device.configuration.device)
    catalogue = Catalogue(await store.read(lambda reader: reader.references()))
    gateway = Gateway(
        configuration,
        clock,
        wall,
        random,
        store,
        engine,
        surroundings,
        inbox,
        pipeline,
        supervisor,
        Dispatcher(store, supervisor, inbox, clock, configuration.site.lights),
        meter,
        health,
        booker,
        catalogue,
    )
    changes, misfits = catalogue.of_files(files)
    for fact, reason in misfits:
        log.warning("reference not taken over", code=fact.code, reason=reason)
    with suppress(StoreFull):  # the rules know them; they are booked by the next start
        await pipeline.feed(changes)
    return gateway


def reference_files(configuration: Configuration) -> list[Reference]:
    """The reference facts of all configured files, relative to the configuration."""
    section, beside = configuration.reference, configuration.path.parent
    facts: list[Reference] = []
    for kind, path in (
        ("item", section.items),
        ("location", section.locations),
        ("book", section.book),
        ("expected", section.expected),
        ("badge", section.badges),
    ):
        if path is not None:
            facts.extend(read_references(kind, beside / path))  # type: ignore[arg-type] # literals
    if section.book is not None:
        check_units(facts, beside / section.book)
    return facts


def machine_id(folder: Path) -> str:
    """The machine's own id; without one, an id kept beside the store."""
    if MACHINE_ID.is_file():
        known = MACHINE_ID.read_text(encoding="ascii").strip()
        if known:
            return known
    own = folder / "machine-id"
    if not own.is_file():
        own.write_text(uuid.uuid4().hex, encoding="ascii")
    return own.read_text(encoding="ascii").strip()


async def _engine(
    configuration: Configuration,
    store: Store,
    lateness_max_ns: Ns,
    wall: WallClock,
    meter: Meter,
) -> tuple[Engine, Surroundings]:
    """The rules, with their durable rows and the reference facts that are known already."""
    surroundings = Surroundings(
        site=configuration.site,
        epoch=store.epoch.uuid,
        boot=boot_id(),
        lateness_max_ns=lateness_max_ns,
        last_alive=(
            last_alive(store.opened.last_anchor, wall.anchor) if store.opened.last_seq else None
        ),
        pseudonym_key=pseudonym_key(configuration),
    )
    rules = configuration.rules
    rows = await store.read(
        lambda reader: {rule.name: reader.state_rows(rule.name) for rule in rules}
    )
    references = await store.read(lambda reader: reader.references())
    _meter_restored(meter, configuration, rows)
    return build_engine(rules, surroundings, rows, references, meter.observe), surroundings


def _meter_restored(
    meter: Meter, configuration: Configuration, rows: Mapping[str, Sequence[StateRow]]
) -> None:
    """Let telemetry begin with the counts and tags that the rules take back."""
    planned = {cell.cell: cell.planned for cell in configuration.site.cells}
    for _, row in rows.get("count", ()):
        on_hand, items = row.value.get("on_hand"), planned.get(row.key, ())
        if isinstance(on_hand, int) and len(items) == 1:
            meter.stock(row.key, items[0], on_hand)
        elif isinstance(on_hand, Mapping) and "lost" not in row.value:
            for item in items:
                meter.stock(row.key, item, int(str(on_hand.get(item, 0))))
    tags = [row.value for _, row in rows.get("presence", ()) if "zone" in row.value]
    for zone, present in Counter(str(value["zone"]) for value in tags).items():
        meter.tags(zone, present)


def last_alive(before: Anchor | None, now: Anchor) -> Ns:
    """When an earlier run was last known to watch, in this boot's time (negative before it).

    A wall clock without a battery may start behind that run: then only "before this boot" is sure.
    """
    if before is None:
        return 0
    if before.boot_id == now.boot_id:
        return before.boottime_ns
    return min(0, now.boottime_ns - (now.wall_unix_ns - before.wall_unix_ns))


def _meter(configuration: Configuration, wall: WallClock) -> Meter:
    settings = configuration.telemetry or TelemetrySettings(url="http://127.0.0.1")
    tags = {"gateway": configuration.gateway.id, "site": configuration.gateway.site}
    return Meter(settings, tags, configuration.site, lambda at: wall.wall(at)[0])


def product_version() -> str:
    """The installed release."""
    return version("shelfgate")
