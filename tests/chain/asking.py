"""What the tests of the chain ask of the running daemon, and of the core's file."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from gateway.clock import BootClock, WallClock
from gateway.status import NotRunningError, ask
from gateway.store.booking import utc
from simulators.demo.chain import Chain


def device_is_up(chain: Chain, device: str) -> bool:
    """Ask the running daemon, as `shelfgate status` does."""
    try:
        told = ask(chain.folder / "state", {"request": "status"})
    except NotRunningError:
        return False
    states = {each["device"]: each["state"] for each in told["status"]["devices"]}
    return bool(states[device] == "up")


def now_utc() -> str:
    """This moment as the gateway writes it."""
    return utc(WallClock().wall(BootClock().now())[0])


def held_movements(folder: Path) -> list[dict[str, Any]]:
    """The movements as the core accepted them, oldest first."""
    return [body for body in held_events(folder) if body["event"] == "movement"]


def held_events(folder: Path) -> list[dict[str, Any]]:
    """All records that the core accepted, oldest first."""
    book = sqlite3.connect(f"file:{folder}/core.db?mode=ro", uri=True)
    try:
        rows = book.execute("SELECT body FROM record WHERE status = 'accepted' ORDER BY n")
        return [json.loads(body) for (body,) in rows]
    finally:
        book.close()


def known_items(folder: Path, version: int) -> set[str]:
    """The items that the daemon has noted in that version, 0 being those of its files."""
    store = sqlite3.connect(f"file:{folder}/state/shelfgate.db?mode=ro", uri=True)
    try:
        question = "SELECT code FROM reference WHERE kind = 'item' AND version = ?"
        return {code for (code,) in store.execute(question, (version,))}
    finally:
        store.close()
