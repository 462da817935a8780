"""Builds a gateway from its configuration: store, rules, engine, devices, uplink, telemetry."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from random import Random

from gateway.actions import Dispatcher
from gateway.booker import Booker
from gateway.clock import BootClock, WallClock, boot_id
from gateway.coverage import LoopPulse
from gateway.engine import Engine
from gateway.health import Health
from gateway.inbox import Inbox
from gateway.model import DeviceFault, Fact, Ns, Reference
from gateway.pipeline import Pipeline
from gateway.ports import ConfigError, Identify, Row, RuleContext
from gateway.reference import read_references
from gateway.settings import Configuration
from gateway.store import Clocks, Identity, Store
from gateway.supervisor import Supervisor
from gateway.telemetry.meter import Meter
from gateway.telemetry.settings import TelemetrySettings

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
    inbox: Inbox
    pipeline: Pipeline
    supervisor: Supervisor
    dispatcher: Dispatcher
    meter: Meter
    health: Health
    booker: Booker

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
    folder.mkdir(parents=True, exist_ok=True)
    identity = Identity(configuration.gateway.id, machine_id(folder), boot_id())
    store = await Store.open(folder / STORE_FILE, identity, Clocks(clock, wall))
    pulse, inbox = LoopPulse(clock), Inbox()
    supervisor = Supervisor(configuration.devices, inbox, clock, pulse, random)
    meter = _meter(configuration, wall)
    engine = await _engine(configuration, store, (supervisor.lateness_max_ns, wall, random), meter)
    booker = Booker(store, lambda turns, full: _say_full(inbox, configuration, turns, full, clock))
    pipeline = Pipeline(engine, inbox, booker, clock, pulse)
    pipeline.taps.append(lambda _at, fact: meter.observe(fact))
    health = Health(store, supervisor, inbox, (clock, wall), meter)
    for device in supervisor.devices.values():
        device.count = meter.device_counter(device.configuration.device)
    gateway = Gateway(
        configuration,
        clock,
        wall,
        random,
        store,
        engine,
        inbox,
        pipeline,
        supervisor,
        Dispatcher(store, supervisor, inbox, clock),
        meter,
        health,
        booker,
    )
    known = set(await store.read(lambda reader: reader.references()))
    await pipeline.feed([fact for fact in files if fact not in known])
    return gateway


def reference_files(configuration: Configuration) -> list[Reference]:
    """The reference facts of all configured files, relative to the configuration."""
    section, beside = configuration.reference, configuration.path.parent
    facts: list[Reference] = []
    for kind, path in (
        ("item", section.items),
        ("location", section.locations),
        ("expected", section.expected),
    ):
        if path is not None:
            facts.extend(read_references(kind, beside / path))  # type: ignore[arg-type] # literals
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
    surroundings: tuple[Ns, WallClock, Random],
    meter: Meter,
) -> Engine:
    """The rules, with their durable rows and the reference facts that are known already."""
    lateness_max_ns, wall, random = surroundings
    rules = []
    rows: dict[str, list[Row]] = {}
    for rule in configuration.rules:
        stored = await store.read(lambda reader, name=rule.name: reader.state_rows(name))
        context = RuleContext(
            site=configuration.site,
            identify=_identify(store.epoch.uuid),
            random=Random(random.getrandbits(64)),
            boot=boot_id(),
            lateness_max_ns=lateness_max_ns,
            last_alive=last_alive(store, wall) if store.opened.last_seq else None,
        )
        instance = rule.factory(rule.settings, context)
        strange = {row.schema for row in stored} - {instance.schema}
        if strange:
            raise ConfigError(
                f"rule {rule.name}: its rows have schema {sorted(strange)}, it reads "
                f"{instance.schema}; install the release that wrote them or clear the state"
            )
        rules.append((rule.name, instance))
        rows[rule.name] = [row.row for row in stored]
    engine = Engine(rules, meter.observe)
    engine.restore(rows, await store.read(lambda reader: reader.references()))
    return engine


def last_alive(store: Store, wall: WallClock) -> Ns:
    """When an earlier run was last known to watch, in this boot's time (negative before it)."""
    anchor = store.opened.last_anchor
    if anchor is None:
        return 0
    if anchor.boot_id == wall.anchor.boot_id:
        return anchor.boottime_ns
    return wall.anchor.boottime_ns - (wall.anchor.wall_unix_ns - anchor.wall_unix_ns)


def _identify(epoch: str) -> Identify:
    space = uuid.UUID(epoch)
    boot = boot_id()

    def identify(*parts: str | int) -> str:
        return str(uuid.uuid5(space, "/".join(map(str, (boot, *parts)))))

    return identify


def _meter(configuration: Configuration, wall: WallClock) -> Meter:
    settings = configuration.telemetry or TelemetrySettings(url="http://127.0.0.1")
    tags = {"gateway": configuration.gateway.id, "site": configuration.gateway.site}
    return Meter(settings, tags, configuration.site, lambda at: wall.wall(at)[0])


def _say_full(
    inbox: Inbox, configuration: Configuration, turns: int, full: bool, clock: BootClock
) -> None:
    detail = f"no space left for movements; {turns} turns refused so far" if full else ""
    fact: Fact = DeviceFault(
        configuration.gateway.id, "store_full", full, detail, severity="critical"
    )
    inbox.put_first(clock.now(), fact)


def product_version() -> str:
    """The installed release."""
    return version("shelfgate")
