"""Which settings the rules decided by, and the wiring of the site, from which record on.

A row is kept for each that was ever in force, up to a bound, so that an old movement is explained
by what counted then and not by what is configured now.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from gateway.assembly import Gateway
from gateway.outcome import Outcome
from gateway.ports import JsonValue, Row
from gateway.store import StateRow, StoreReader
from gateway.store.schema import ledger_key

IN_FORCE_ROWS = "in_force"
"""Stands where a rule's name stands in the store: these rows are nobody else's."""

KEPT_MAX = 64
"""A change a week for a year. Of more, the oldest go: what is older is told without."""


async def keep_in_force(gateway: Gateway) -> None:
    """Note what is configured, if it is not what was in force until now."""
    configuration = gateway.configuration
    rules: dict[str, JsonValue] = {
        rule.name: rule.settings.model_dump(mode="json") for rule in configuration.rules
    }
    value: dict[str, JsonValue] = {"rules": rules, "site": asdict(configuration.site)}
    rows = [each.row for each in await gateway.store.read(_rows)]
    if rows and rows[-1].value == json.loads(json.dumps(value)):
        return
    opened = gateway.store.opened
    row = Row(_key(ledger_key(opened.epoch.number, opened.last_seq + 1)), value)
    gone = tuple((IN_FORCE_ROWS, each.key) for each in rows[: len(rows) + 1 - KEPT_MAX])
    noted = Outcome(gateway.clock.now(), puts=((IN_FORCE_ROWS, 1, row),), deletes=gone)
    await (await gateway.booker.submit([noted]))


def in_force(reader: StoreReader, seq: int, epoch: str) -> Mapping[str, JsonValue] | None:
    """The `rules` and the `site` by which that record was decided; None if no longer known."""
    then = _key(reader.key(seq, epoch))
    rows = [each.row for each in _rows(reader) if each.row.key <= then]
    return rows[-1].value if rows else None


def _rows(reader: StoreReader) -> tuple[StateRow, ...]:
    return reader.state_rows(IN_FORCE_ROWS)


def _key(key: int) -> str:
    """Rows are in the order of their keys."""
    return f"{key:020d}"
