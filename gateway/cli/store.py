"""`shelfgate store`: look into the ledger. Reads go past the daemon, over a connection that cannot
write; what writes goes through the daemon while it runs.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

import apsw
import typer

from gateway.assembly import STORE_FILE, machine_id
from gateway.cli.configured import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigPath,
    configured,
    give_up,
    movement_text,
    say,
    say_json,
    start,
)
from gateway.cli.exits import PROBLEM
from gateway.cli.ledger import reading
from gateway.clock import BootClock, WallClock, boot_id
from gateway.settings import Configuration
from gateway.status import NotRunningError, RefusedError, ask
from gateway.store import Clocks, Identity, Store, StoreFailed, StoreReader, StoreRefused
from gateway.store.booking import utc

app = typer.Typer(add_completion=False, no_args_is_help=True)

T = TypeVar("T")

Epoch = Annotated[str | None, typer.Option("--epoch", help="Another epoch than the current.")]
Seq = Annotated[int, typer.Argument(help="The record's number.", min=1)]


def main(arguments: Sequence[str]) -> None:
    """The commands."""
    start(app, "store", arguments)


@app.command()
def status(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """The store at a glance."""
    with reading(configured(config)) as reader:
        told = asdict(reader.status())
    told["epoch"] = dict(zip(("number", "uuid", "reason"), told["epoch"].values(), strict=True))
    if as_json:
        say_json(told)
        return
    say(f"epoch        {told['epoch']['uuid']} ({told['epoch']['reason']})")
    say(f"records      {told['first_kept']} to {told['last_seq']}, settled {told['high_water']}")
    since = told["oldest_unsettled_unix_ns"]
    say(f"unsettled    {told['unsettled']}" + (f", since {utc(since)}" if since else ""))
    say(f"quarantined  {told['quarantined']}")
    for name in ("file", "wal", "free"):
        say(f"{name:<11}  {told[f'{name}_bytes'] // 1000} kB")


@app.command()
def ls(
    after: Annotated[int, typer.Option("--after", help="Records above this number.")] = -1,
    limit: Annotated[int, typer.Option("--limit", help="How many.", min=1, max=10_000)] = 20,
    quarantine: Annotated[bool, typer.Option("--quarantine", help="Those not taken.")] = False,
    epoch: Epoch = None,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """List records, the newest ones unless told otherwise; with --json each is a line."""
    with reading(configured(config)) as reader:
        if quarantine:
            _list_quarantine(reader, as_json=as_json)
            return
        if after < 0:
            after = max(0, reader.windows()[-1].last_seq - limit)
        for record in _refusable(lambda: reader.records_after(after, limit, epoch)):
            body = json.loads(record.body)
            say(record.body.decode() if as_json else _record_text(body))


@app.command()
def show(
    seq: Seq, epoch: Epoch = None, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False
) -> None:
    """One record with all that is known of it."""
    with reading(configured(config)) as reader:
        rows = _refusable(lambda: reader.rows_after(seq - 1, 1, epoch))
        if not rows or rows[0].record.seq != seq:
            give_up(f"record {seq} is not kept")
        row = rows[0]
        told = {
            "record": json.loads(row.record.body),
            "leaf_hash": row.record.leaf_hash.hex(),
            "recorded_at": utc(row.recorded_unix_ns),
            "boot": row.boot_id,
            "core_document_no": reader.core_document_no(seq, epoch),
            "evidence": reader.evidence(seq, epoch),
        }
    if as_json:
        say_json(told)
    else:
        say(json.dumps(told, ensure_ascii=False, indent=2))


@app.command()
def requeue(seq: Seq, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Book a quarantined record anew, under a new number."""
    configuration = configured(config)
    request = {"request": "command", "id": str(uuid.uuid4()), "command": "requeue"}
    try:
        told = ask(configuration.gateway.state_folder, {**request, "args": {"seq": seq}})["result"]
    except NotRunningError:
        told = {"seq": asyncio.run(_requeue_alone(configuration, seq))}
    except RefusedError as error:
        give_up(error)
    if as_json:
        say_json(told)
    else:
        say(f"record {seq} is booked anew as {told['seq']}")


@app.command()
def verify(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Check every record: numbers, hashes, Merkle root, and SQLite's own check."""
    with reading(configured(config)) as reader:
        report = reader.verify()
    root = None if report.root is None else report.root.hex()
    if as_json:
        say_json({"ok": report.ok, "rows": report.rows, "problems": report.problems, "root": root})
    else:
        say(f"{report.rows} records, {'all well' if report.ok else 'damaged'}")
        for problem in report.problems:
            say(f"  {problem}")
        if root is not None:
            say(f"root {root}")
    if not report.ok:
        raise typer.Exit(PROBLEM)


def _refusable(question: Callable[[], T]) -> T:
    try:
        return question()
    except StoreRefused as error:
        give_up(error)


async def _requeue_alone(configuration: Configuration, seq: int) -> int:
    """Without a daemon we are the one writer; the lock sees to it that we are the only one."""
    folder = configuration.gateway.state_folder
    if not (folder / STORE_FILE).is_file():
        give_up(f"{folder / STORE_FILE}: there is no store yet")
    section = configuration.gateway
    identity = Identity(section.id, machine_id(folder), boot_id(), section.language)
    try:
        store = await Store.open(folder / STORE_FILE, identity, Clocks(BootClock(), WallClock()))
        try:
            return (await store.requeue(seq)).seq
        finally:
            await store.close()
    except (StoreRefused, StoreFailed, OSError, apsw.Error) as error:
        give_up(error)


def _list_quarantine(reader: StoreReader, *, as_json: bool) -> None:
    for row in reader.quarantined():
        if as_json:
            say_json({**row._asdict(), "body": json.loads(row.body)})
        else:
            say(f"#{row.seq} {row.at} {row.kind} {row.cause}: {row.reason} (epoch {row.epoch})")


def _record_text(body: Mapping[str, Any]) -> str:
    if body["event"] == "movement":
        return f"movement    {movement_text(body)}"
    at = body.get("at_event") or body.get("at_decided") or body["at_recorded"]
    if body["event"] == "task_confirmation":
        rest = (
            f"{body['task']} {body['state']}: {body['quantity_done']} of {body['quantity_asked']}"
            f" {body['uom']} {body['item']} {body.get('exception', '')}"
        )
    elif body["event"] == "alert":
        rest = f"{'raised' if body['raised'] else 'cleared'} {body['text']}"
    else:
        rest = f"{body.get('reason', '')} {body.get('location', '')}"
    return f"{body['event']:<11} #{body['seq']} {at} {rest}".rstrip()
