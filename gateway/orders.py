"""The commands that the core or a person may give (docs/asyncapi.yaml, CommandRequest).

A pulse is decided once per request id, and so is the cancelling of a task and the answer to a
proposal: the id is kept in the transaction that decides it, so that a request that the broker gives
again after a crash is answered and not carried out again.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, get_args

from gateway.alerts import listed_alerts
from gateway.answers import Answers
from gateway.assembly import Gateway
from gateway.corrections import Corrections, labels
from gateway.counts import Counts
from gateway.finding import NotFoundError
from gateway.model import (
    Location,
    LocationKind,
    Pulse,
    SnapshotRequest,
    TaskCancel,
    pseudonym,
)
from gateway.outcome import Outcome
from gateway.ports import JsonValue, Row
from gateway.reconcile import Reconcile
from gateway.rulebook import naming_key
from gateway.snapshots import Snapshots
from gateway.stock_figures import STOCK_RULE, stock_lines, stock_sums
from gateway.store import StoreReader, StoreRefused
from gateway.tasks import ENDED, listed_tasks, shown_task
from gateway.uplink.commands import CommandError, CommandHandler, Commands
from gateway.uplink.messages import (
    BadPayloadError,
    Request,
    bounded_text_of,
    key_of,
    text_of,
    whole_of,
)
from gateway.why import why

COMMAND_ROWS = "command"
"""Stands where a rule's name stands in the store: these rows are nobody else's."""

STOCK_LINES_MAX = 500
"""Balances in one answer: what a payload of the contract holds, with the longest codes."""

WHY_BYTES_MAX = 250_000
"""JSON bytes of an answer to `why`: a payload of the contract, less what is around it."""

ALERT_KEY_MAX, NOTE_MAX = 512, 250
"""As the contract says."""

REMEMBERED_MAX = 256
"""Acts whose request is remembered over a restart; a broker gives back far fewer."""


class Orders:
    """Carries out what is asked. `remembered` are the rows of an earlier run."""

    def __init__(self, gateway: Gateway, remembered: Mapping[str, Row]) -> None:
        self._gateway = gateway
        self._remembered = OrderedDict(remembered)

    async def snapshot(self, request: Request) -> Mapping[str, JsonValue]:
        """Book the absolute stock of one location, or of all."""
        asked = SnapshotRequest("requested", text_of(request.args, "location", ""))
        await self._gateway.pipeline.feed([asked])
        return {"as_of_seq": self._gateway.store.last_seq}

    async def stock(self, request: Request) -> Mapping[str, JsonValue]:
        """Tell what locations hold, and what is said about it."""
        location = text_of(request.args, "location", "")
        item = text_of(request.args, "item", "")
        by = text_of(request.args, "by", "")
        if by and by not in get_args(LocationKind):
            raise BadPayloadError(f"by: one of {', '.join(get_args(LocationKind))} is wanted")
        rows = await self._gateway.store.read(lambda reader: reader.state_rows(STOCK_RULE))
        lines = list(stock_lines((row.row for row in rows), location, item))
        if by:
            lines = list(stock_sums(lines, by, await self._gateway.store.read(_locations)))
        return {"lines": lines[:STOCK_LINES_MAX], "left_off": len(lines[STOCK_LINES_MAX:])}

    async def tare(self, request: Request) -> Mapping[str, JsonValue]:
        """Tare one cell."""
        return await self._pulse("tare", request)

    async def zero(self, request: Request) -> Mapping[str, JsonValue]:
        """Zero one cell."""
        return await self._pulse("zero", request)

    async def requeue(self, request: Request) -> Mapping[str, JsonValue]:
        """Book a quarantined record anew."""
        try:
            record = await self._gateway.store.requeue(whole_of(request.args, "seq", 1))
        except StoreRefused as error:
            raise CommandError(str(error)) from error
        return {"seq": record.seq}

    async def alerts(self, _request: Request) -> Mapping[str, JsonValue]:
        """The alerts that stand, and who has seen them."""
        language = self._gateway.configuration.gateway.language
        return await self._gateway.store.read(lambda reader: listed_alerts(reader, language))

    async def acknowledge_alert(self, request: Request) -> Mapping[str, JsonValue]:
        """Note who has seen an alert. Doing it again changes nothing, so no request is kept."""
        key = bounded_text_of(request.args, "key", ALERT_KEY_MAX)
        actor = key_of(request.args, "actor")
        note = None
        if "note" in request.args:
            note = bounded_text_of(request.args, "note", NOTE_MAX)
        try:
            codes = await self._gateway.store.acknowledge_alert(key, actor, note)
        except StoreRefused as error:
            raise CommandError(str(error)) from error
        return {"key": key, "codes": list(codes)}

    async def why(self, request: Request) -> Mapping[str, JsonValue]:
        """Tell all that is known of a record."""
        called = bounded_text_of(request.args, "record", ALERT_KEY_MAX)
        try:
            told = await self._gateway.store.read_apart(lambda reader: why(reader, called))
        except NotFoundError as error:
            raise CommandError(str(error)) from error
        if len(json.dumps(told, ensure_ascii=False).encode()) > WHY_BYTES_MAX:
            raise CommandError(f"too much is known of {called}: ask at the gateway, shelfgate why")
        return told

    async def tasks(self, _request: Request) -> Mapping[str, JsonValue]:
        """The open tasks, and how far each is."""
        return await self._gateway.store.read(listed_tasks)

    async def task(self, request: Request) -> Mapping[str, JsonValue]:
        """One task with all that is known of it."""
        return await self._task(key_of(request.args, "task_id"))

    async def cancel_task(self, request: Request) -> Mapping[str, JsonValue]:
        """Take a task back; the rule confirms what was done until now."""
        known = self.remembered(request)
        if known is not None:
            return known.value
        code = key_of(request.args, "task_id")
        actor = key_of(request.args, "actor") if "actor" in request.args else ""
        task = await self._task(code)
        if task["state"] in ENDED:
            raise CommandError(f"task {code!r} is confirmed already: {task['state']}")
        if not self._gateway.engine.takes(TaskCancel):
            raise CommandError("no rule that runs takes tasks")
        row = Row(request.id, {"task_id": code})
        await self._gateway.pipeline.feed([TaskCancel(code, actor)], [self.remember(row)])
        return row.value

    async def _task(self, code: str) -> Mapping[str, JsonValue]:
        def look(reader: StoreReader) -> Mapping[str, JsonValue] | None:
            return shown_task(reader, code)

        found = await self._gateway.store.read(look)
        if found is None:
            raise CommandError(f"no task {code!r} is known")
        return found

    async def _pulse(
        self, kind: Literal["tare", "zero"], request: Request
    ) -> Mapping[str, JsonValue]:
        """Decide the pulse durably; it is sent once its decision is on disk."""
        known = self.remembered(request)
        if known is not None:
            return known.value
        cell = text_of(request.args, "cell")
        if cell not in {wired.cell for wired in self._gateway.configuration.site.cells}:
            raise CommandError(f"no cell {cell!r} is wired")
        row = Row(request.id, {"cell": cell, "kind": kind})
        pulse = Pulse(cell.rpartition(":")[0], kind, cell)
        decided = replace(self.remember(row), actions=(pulse,))
        await (await self._gateway.booker.submit([decided]))
        return row.value

    def remembered(self, request: Request) -> Row | None:
        """What came of that request, if it was carried out before."""
        return self._remembered.get(request.id)

    def remember(self, row: Row) -> Outcome:
        """What keeps the request durably, for the transaction that carries it out."""
        forgotten = self._forgotten()
        self._remembered[row.key] = row
        return Outcome(
            self._gateway.clock.now(),
            puts=((COMMAND_ROWS, 1, row),),
            deletes=tuple((COMMAND_ROWS, old) for old in forgotten),
        )

    def _forgotten(self) -> list[str]:
        surplus = len(self._remembered) - REMEMBERED_MAX + 1
        return [self._remembered.popitem(last=False)[0] for _ in range(surplus)]


def _locations(reader: StoreReader) -> tuple[Location, ...]:
    return reader.locations()


async def commands(gateway: Gateway) -> Commands:
    """The closed list. `replay-from` is the uplink's own."""
    rows = await gateway.store.read(lambda reader: reader.state_rows(COMMAND_ROWS))
    orders = Orders(gateway, {row.row.key: row.row for row in rows})
    corrections = Corrections(gateway, await gateway.store.read(labels))
    answers, counts = Answers(gateway, orders), Counts(gateway)
    books = Reconcile(gateway)
    handlers = {
        "snapshot": orders.snapshot,
        "tare": orders.tare,
        "zero": orders.zero,
        "requeue": orders.requeue,
        "alert-ack": orders.acknowledge_alert,
        "task-cancel": orders.cancel_task,
        "wrong": corrections.wrong,
        "approve": answers.approve,
        "count-start": counts.start,
        "reconcile": books.reconcile,
        "count-approve": answers.approve_counts,
    }
    queries = {
        "stock": orders.stock,
        "alert-ls": orders.alerts,
        "why": orders.why,
        "task-ls": orders.tasks,
        "task-show": orders.task,
        "proposals": answers.proposals,
        "count-status": counts.status,
        "snapshot-difference": Snapshots(gateway).difference,
    }
    key = naming_key(gateway.configuration)
    named = {name: _naming(handler, key) for name, handler in handlers.items()}
    return Commands(named, gateway.health.count, queries)


def _naming(handler: CommandHandler, key: bytes) -> CommandHandler:
    """The same, told of people by what stands for their names in records."""

    async def carry_out(request: Request) -> Mapping[str, JsonValue] | None:
        if key and "actor" in request.args:
            actor = pseudonym(key, key_of(request.args, "actor"))
            request = request._replace(args={**request.args, "actor": actor})
        return await handler(request)

    return carry_out
