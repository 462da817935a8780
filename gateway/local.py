"""What the running gateway answers on its local socket: status, record, command. A closed list."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from gateway.alerts import told_alert
from gateway.assembly import STORE_FILE, Gateway, product_version
from gateway.model import NS_PER_S
from gateway.ports import JsonValue
from gateway.proposals import listed_proposals
from gateway.recorder import record
from gateway.status import Answer, Object, RefusedError, StatusServer, success
from gateway.store import StoreReader
from gateway.uplink.commands import Commands
from gateway.uplink.messages import Request

LAST_RECORDS = 10
"""Records that the status shows: what fits on a screen."""

SEARCHED_RECORDS = 200
"""Records looked through for movements; alerts may stand between them."""

RECORD_MAX_S = 86_400.0
"""A recording of a day is about as much as anybody replays."""


def local_server(gateway: Gateway, commands: Commands) -> StatusServer:
    """The server of this gateway."""
    answers: dict[str, Answer] = {
        "status": lambda _request, _enough: _status(gateway),
        "record": lambda request, enough: _record(gateway, request, enough),
        "command": lambda request, _enough: _command(commands, request),
    }
    return StatusServer(gateway.configuration.gateway.state_folder, answers)


async def report(gateway: Gateway) -> dict[str, JsonValue]:
    """How the gateway is: the health of the contract, and what a person wants to know besides."""
    section, now = gateway.configuration.gateway, gateway.clock.now()
    store, uplink = gateway.store, gateway.health.uplink
    told: dict[str, JsonValue] = {
        "gateway": section.id,
        "site": section.site,
        "version": product_version(),
        "epoch": store.epoch.uuid,
        "store": str(section.state_folder / STORE_FILE),
        **gateway.health.report(),
    }
    if uplink is not None:
        state, position = uplink.state, uplink.position
        told["uplink"] = {
            "connected": state.connected,
            "since_s": (now - state.since) // NS_PER_S,
            "reason": state.reason,
            "broker": gateway.configuration.mqtt.host,
            "mqtt": state.mqtt_version or "",
            "settle": gateway.configuration.mqtt.settle,
            "core": position.phase.name.lower() if position else "offline",
        }
    alerts = await store.read(StoreReader.alerts)
    told["alerts"] = [told_alert(raised, section.language) for raised in alerts]
    waiting = await store.read(listed_proposals)
    told["proposals"] = waiting["open"]
    told["last_movements"] = await store.read(_last_movements)
    return told


def _last_movements(reader: StoreReader) -> list[JsonValue]:
    last = reader.windows()[-1].last_seq
    records = reader.records_after(max(0, last - SEARCHED_RECORDS), SEARCHED_RECORDS)
    bodies = [json.loads(record.body) for record in records if record.kind == "movement"]
    return bodies[-LAST_RECORDS:]


async def _status(gateway: Gateway) -> AsyncGenerator[bytes, None]:
    yield success(status=await report(gateway))


async def _command(commands: Commands, request: Object) -> AsyncGenerator[bytes, None]:
    name, args, number = request.get("command"), request.get("args", {}), request.get("id")
    if not isinstance(name, str) or not isinstance(args, Mapping) or not isinstance(number, str):
        raise RefusedError("a command has `command`, `id` (strings) and `args` (an object)")
    answer: dict[str, Any] = json.loads(await commands.answer(Request(number, name, args)))
    if not answer["ok"]:
        raise RefusedError(answer["error"])
    yield success(result=answer.get("result", {}))


async def _record(
    gateway: Gateway, request: Object, enough: asyncio.Event
) -> AsyncGenerator[bytes, None]:
    seconds = request.get("seconds", RECORD_MAX_S)
    if type(seconds) not in {int, float} or not 0 < seconds <= RECORD_MAX_S:
        raise RefusedError(f"seconds: more than 0, at most {RECORD_MAX_S:.0f}")
    timer = asyncio.get_running_loop().call_later(seconds, enough.set)
    lines = record(gateway, enough)
    try:
        first = await anext(lines)
        yield success()
        yield first
        async for line in lines:
            yield line
    finally:
        timer.cancel()
        await lines.aclose()
