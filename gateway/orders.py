"""The commands that the core or a person may give (docs/asyncapi.yaml, CommandRequest)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from gateway.assembly import Gateway
from gateway.model import Pulse, SnapshotRequest
from gateway.outcome import Outcome
from gateway.ports import JsonValue
from gateway.store import StoreRefused
from gateway.uplink.commands import CommandError, Commands


def commands(gateway: Gateway) -> Commands:
    """The closed list. `replay-from` is the uplink's own."""

    async def snapshot(args: Mapping[str, Any]) -> Mapping[str, JsonValue]:
        request = SnapshotRequest("requested", str(args.get("location", "")))
        await gateway.pipeline.feed([request])
        return {"as_of_seq": gateway.store.last_seq}

    async def tare(args: Mapping[str, Any]) -> Mapping[str, JsonValue]:
        return await _pulse(gateway, "tare", args)

    async def zero(args: Mapping[str, Any]) -> Mapping[str, JsonValue]:
        return await _pulse(gateway, "zero", args)

    async def requeue(args: Mapping[str, Any]) -> Mapping[str, JsonValue]:
        try:
            record = await gateway.store.requeue(int(args["seq"]))
        except StoreRefused as error:
            raise CommandError(str(error)) from error
        return {"seq": record.seq}

    handlers = {"snapshot": snapshot, "tare": tare, "zero": zero, "requeue": requeue}
    return Commands(handlers, gateway.health.count)


async def _pulse(
    gateway: Gateway, kind: Literal["tare", "zero"], args: Mapping[str, Any]
) -> Mapping[str, JsonValue]:
    """Decide the pulse durably; it is sent once its decision is on disk."""
    cell = str(args["cell"])
    device = cell.rpartition(":")[0]
    if cell not in {known.cell for known in gateway.configuration.site.cells}:
        raise CommandError(f"no cell {cell!r} is wired")
    pulse = Outcome(gateway.clock.now(), actions=(Pulse(device, kind, cell),))
    await (await gateway.booker.submit([pulse]))
    return {"cell": cell, "kind": kind}
