"""The running gateway: every task, started together, stopped in order.

Stopping goes with the flow: first the lights and the devices, then what is still in the inbox, then
the uplink, then the store. A bug or a lost disk ends all at once, and systemd starts the gateway
anew from the last commit.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Collection, Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from random import Random, SystemRandom
from typing import Any

import structlog

from gateway.actions import pulse_doubt
from gateway.amend import ROWS_A_LOT, late_amendments
from gateway.assembly import Gateway, assemble, product_version
from gateway.catalogue import Refused
from gateway.clock import BootClock, boot_id
from gateway.core_watch import CoreWatch
from gateway.engine import RuleFailed
from gateway.in_force import keep_in_force
from gateway.local import local_server
from gateway.model import NS_PER_S, ActionDone, Alert, DeviceFault, Fact, Reference, SnapshotRequest
from gateway.notify import feed_watchdog, notify
from gateway.orders import commands
from gateway.orphans import clear_orphans
from gateway.outcome import Outcome
from gateway.ports import LinkError
from gateway.rule_record import RuleRecord, not_to_run
from gateway.schedule import Schedule
from gateway.settings import Configuration
from gateway.stock_figures import STOCK_RULE
from gateway.stock_topics import Clocks, StockTopics, Tell
from gateway.store import StoreFull, StoreReader
from gateway.store.outbox import next_outbox
from gateway.telemetry import names
from gateway.telemetry.influx import InfluxSink
from gateway.telemetry.run import Telemetry
from gateway.telemetry.spool import Spool
from gateway.uplink import credentials
from gateway.uplink.commands import Commands
from gateway.uplink.delivery import Alarm
from gateway.uplink.session import House
from gateway.uplink.uplink import Identity, Uplink

ANCHOR_S = 30.0
"""How precisely a restart knows when the last run was alive; one small commit each."""

PRUNE_S, PRUNE_LOT_S = 60.0, 1.0
"""Old settled rows are looked for each minute, and go a few hundred a second while there are."""

REMIND_S = 30.0
"""How often is looked for alerts that are to be told again: half of the shortest pause."""

GAUGE_S = 1.0
"""How often queue depths and the lag of the loop are looked at."""

LOOK_S = 10.0
"""How often the store's file is asked what it holds: as often as health is told."""

STOCK_LOOK_S = 3600.0
"""How often stock topics that have long been zero are looked for."""

RULE_LEFT_OUT = "rule_left_out"

DRAIN_S = 2.0
"""What stopping waits for facts that are already in the inbox."""

TELEMETRY = "telemetry"

log = structlog.get_logger("gateway")


async def run(configuration: Configuration) -> None:
    """Run until SIGTERM or SIGINT; any other end is an exception, and a bug or a lost disk.

    A rule that ended the process too often is left out, with those whose facts only it books, and
    the others run.
    """
    record = RuleRecord(configuration.gateway.state_folder, boot_id(), product_version())
    left_out = not_to_run(record.left_out())
    rules = tuple(rule for rule in configuration.rules if rule.name not in left_out)
    try:
        await _run(replace(configuration, rules=rules), left_out)
    except (RuleFailed, BaseExceptionGroup) as error:
        for failed in _rules_failed(error):
            record.note(failed.rule, BootClock().now())
        raise


def _rules_failed(error: BaseException) -> Iterator[RuleFailed]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _rules_failed(inner)
    elif isinstance(error, RuleFailed):
        yield error


async def _run(configuration: Configuration, left_out: Collection[str]) -> None:
    gateway = await assemble(configuration, Random(SystemRandom().getrandbits(128)))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    log.info(
        "started",
        version=product_version(),
        epoch=gateway.store.epoch.uuid,
        seq=gateway.store.last_seq,
        unsettled=gateway.store.last_seq - gateway.store.high_water,
        clean=gateway.store.opened.clean,
    )
    await _tell_opening(gateway)
    await clear_orphans(gateway)
    await _tell_left_out(gateway, left_out)
    try:
        await serve(gateway, stop)
    finally:
        await gateway.store.close()
    log.info("stopped", seq=gateway.store.last_seq)


async def serve(gateway: Gateway, stop: asyncio.Event) -> None:
    """Run all tasks; stop them in the order of the flow, telemetry last: it tells of the others."""
    with suppress(StoreFull):
        await keep_in_force(gateway)
    told = await commands(gateway)
    uplink = _uplink(gateway, told)
    rest: dict[str, Coroutine[Any, Any, None]] = {
        "pipeline": gateway.pipeline.run(),
        "actions": gateway.dispatcher.run(),
        "store": gateway.store.failure(),
        "space": gateway.booker.recovered(),
        "uplink": uplink.run(),
        "stock topics": _clear_old(await _stock_topics(gateway, uplink)),
        "local": local_server(gateway, told).run(),
        "anchors": _anchors(gateway),
        "prune": _prune(gateway),
        "reminders": _remind(gateway),
        "gauges": _gauges(gateway, uplink),
        "schedule": _schedule(gateway).run(),
        "watchdog": feed_watchdog(gateway.pipeline.moved),
    }
    telemetry = _telemetry(gateway)
    if telemetry is not None:
        rest[TELEMETRY] = telemetry.run()
    async with asyncio.TaskGroup() as tasks:
        inner = [tasks.create_task(each, name=name) for name, each in rest.items()]
        outer = [tasks.create_task(gateway.supervisor.run(), name="devices")]
        notify("READY=1")
        await stop.wait()
        notify("STOPPING=1")
        await gateway.dispatcher.lights_out()
        await _cancel(outer)
        with suppress(TimeoutError, StoreFull):
            async with asyncio.timeout(DRAIN_S):
                await gateway.inbox.drained()
                await (await gateway.booker.submit(()))
        last = [task for task in inner if task.get_name() == TELEMETRY]
        await _cancel([task for task in inner if task not in last])
        await _cancel(last)


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _schedule(gateway: Gateway) -> Schedule:
    """What is due by the clock on the wall."""

    async def feed(facts: Sequence[Fact]) -> None:
        with suppress(StoreFull):  # told by the booker
            await gateway.pipeline.feed(facts)

    def wall_ns() -> int:
        return gateway.wall.wall(gateway.clock.now())[0]

    return Schedule(gateway.configuration.schedule, wall_ns, feed)


def _uplink(gateway: Gateway, told: Commands) -> Uplink:
    section = gateway.configuration.gateway
    device = section.id

    def alarm(told: Alarm) -> None:
        fault = DeviceFault(device, told.code, told.raised, told.text, severity=told.severity)
        gateway.inbox.put_first(gateway.clock.now(), fault)

    def snapshot() -> None:
        gateway.inbox.put_first(gateway.clock.now(), SnapshotRequest("core_lacks_records"))

    async def restored() -> None:
        try:
            await gateway.store.start_epoch("restored")
        except StoreFull as full:
            raise LinkError("no space left to begin a new epoch") from full
        gateway.inbox.put_first(gateway.clock.now(), SnapshotRequest("ledger_restored"))

    async def learn(facts: Sequence[Reference]) -> Sequence[Refused]:
        changes, refused = gateway.catalogue.judged(facts)
        with suppress(StoreFull):  # told by the booker; the core tells them again on a connect
            await gateway.pipeline.feed(changes)
        return refused

    house = House(
        outbox=lambda: next_outbox(gateway.store),
        clock=gateway.clock,
        random=gateway.random,
        count=gateway.health.count,
        commands=told,
        learn=learn,
        health=gateway.health.report,
        alarm=alarm,
        snapshot=snapshot,
        restored=restored,
        settled=gateway.health.settled,
    )
    identity = Identity(section.site, device, boot_id(), product_version())
    uplink = Uplink(gateway.configuration.mqtt, identity, house)
    gateway.health.uplink = uplink
    return uplink


async def _stock_topics(gateway: Gateway, uplink: Uplink) -> StockTopics:
    """The retained stock topics, in step with what is booked from now on."""
    clocks = Clocks(gateway.clock, gateway.wall)
    tell = Tell(uplink.publish_state, gateway.meter.balance)
    topics = StockTopics(gateway.store, clocks, uplink.topics, tell)
    rows = await gateway.store.read(lambda reader: reader.state_rows(STOCK_RULE))
    topics.restored(row.row for row in rows)
    gateway.booker.booked.append(topics.booked)
    return topics


async def _clear_old(topics: StockTopics) -> None:
    while True:
        await asyncio.sleep(STOCK_LOOK_S)
        topics.clear_old()


def _telemetry(gateway: Gateway) -> Telemetry | None:
    settings = gateway.configuration.telemetry
    if settings is None:
        return None
    token = credentials.read(settings.token) if settings.token else ""
    return Telemetry(
        meter=gateway.meter,
        sink=InfluxSink(settings, token, gateway.meter.count),
        spool=Spool(settings.spool_points_max),
        clock=gateway.clock,
        random=gateway.random,
        store=gateway.configuration.gateway.state_folder,
        interval_s=settings.interval_s,
    )


async def _tell_opening(gateway: Gateway) -> None:
    """A file that was damaged, cloned or new is told, so that nobody wonders about a new epoch."""
    opened = gateway.store.opened
    anew = opened.began not in {None, "created"}
    detail = f"a new epoch began: {opened.began}; {opened.set_aside or 'the file was kept'}"
    await gateway.fault("new_epoch", active=anew, detail=detail if anew else "")
    for pulse in opened.lost_pulses:
        was_sent = pulse.status == "sent"
        reason = "the gateway died meanwhile" if was_sent else "the gateway died before it sent it"
        await gateway.inbox.put(gateway.clock.now(), pulse_doubt(pulse, reason))
        if was_sent:
            done = ActionDone(pulse.device, pulse.kind, pulse.cell, ok=False)
            await gateway.inbox.put(gateway.clock.now(), done)


async def _tell_left_out(gateway: Gateway, rules: Collection[str]) -> None:
    """What these rules decide is not decided: somebody must know, and know when it is again.

    Booked past the rules, since `health`, which would raise it, may be the one that is left out.
    """
    names = ", ".join(rules)
    if rules:
        log.critical("rules left out", rules=list(rules))
    key = f"{RULE_LEFT_OUT}:{gateway.configuration.gateway.id}"
    text = f"{names} failed again and again, or feed what did, and do not run; install a release"
    if "health" in rules:
        text += "; no other alert is raised meanwhile"
    standing = await gateway.store.read(StoreReader.alerts)
    told = next((up.alert.text for up in standing if up.alert.key == key), "")
    if told == (text if rules else ""):
        return
    now = gateway.clock.now()
    alert = Alert(RULE_LEFT_OUT, key, bool(rules), "critical", text if rules else "all run", now)
    await gateway.booker.submit([Outcome(now, events=(alert,))])


async def _anchors(gateway: Gateway) -> None:
    """Watch the wall clock each second; keep an anchor now and then, and after every step."""
    since = 0.0
    await _keep_anchor(gateway)
    await _amend(gateway)
    while True:
        await asyncio.sleep(1.0)
        since += 1.0
        before = gateway.wall.anchor.quality
        step_ns = gateway.wall.watch()
        if gateway.wall.anchor.quality != before:
            await _amend(gateway)
        if step_ns:
            log.warning("wall clock set", by_s=round(step_ns / NS_PER_S, 3))
        if step_ns or since >= ANCHOR_S:
            since = 0.0
            await _keep_anchor(gateway)


async def _keep_anchor(gateway: Gateway) -> None:
    """While turns are refused nobody counts as watching: what they told is found after them."""
    if gateway.booker.full:
        return
    with suppress(StoreFull):
        await gateway.store.put_anchor(gateway.wall.anchor)


async def _amend(gateway: Gateway) -> None:
    """Once the clock is right, book better times for what this boot recorded before."""
    anchor = gateway.wall.anchor
    if anchor.quality != "synced":
        return
    late = await late_amendments(gateway.store, anchor)
    for start in range(0, len(late), ROWS_A_LOT):
        events = tuple(late[start : start + ROWS_A_LOT])
        await gateway.booker.submit([Outcome(gateway.clock.now(), events=events)])


async def _prune(gateway: Gateway) -> None:
    keep_ns = gateway.configuration.gateway.retention_days * 86_400 * NS_PER_S
    while True:
        pruned = forgotten = 0
        before = gateway.wall.anchor.wall_unix_ns - keep_ns
        with suppress(StoreFull):
            pruned = await gateway.store.prune(before)
            forgotten = await gateway.store.prune_quarantine(before)
        if forgotten:
            gateway.health.count("quarantine_forgotten", forgotten)
            log.warning("records left quarantine and were never booked anew", records=forgotten)
        await asyncio.sleep(PRUNE_LOT_S if pruned or forgotten else PRUNE_S)


async def _remind(gateway: Gateway) -> None:
    """Tell alerts again that stand and that nobody has seen."""
    pause_ns = int(gateway.configuration.gateway.alert_reraise_s * NS_PER_S)
    while True:
        await asyncio.sleep(REMIND_S)
        with suppress(StoreFull):
            await gateway.store.remind(pause_ns)


async def _gauges(gateway: Gateway, uplink: Uplink) -> None:
    loop = asyncio.get_running_loop()
    core = CoreWatch(lambda fact: gateway.inbox.put_first(gateway.clock.now(), fact))
    look_at = loop.time()
    while True:
        if loop.time() >= look_at:
            look_at = loop.time() + LOOK_S
            await gateway.health.look()
        due = loop.time() + GAUGE_S
        await asyncio.sleep(GAUGE_S)
        gateway.meter.gauge(names.LOOP_LAG_MS, max(0.0, loop.time() - due) * 1000)
        gateway.health.gauges()
        core.look(gateway.clock.now(), uplink.state, gateway.health.oldest_unsettled_ms())
