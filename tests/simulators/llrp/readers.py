"""A simulated reader in memory, and a client that has it inventory."""

import struct
from random import Random
from typing import Any

from simulators.llrp import (
    IMPINJ_R420,
    Device,
    LlrpReader,
    Options,
    StillField,
    numbered_epcs,
)
from tests.simulators.llrp import orders
from tests.simulators.llrp.client import Client

ONE = orders.number(1)


def make(tags: int = 3, device: Device = IMPINJ_R420, seed: int = 1, **options: Any) -> LlrpReader:
    """A reader over tags that lie still in front of its antennas 1 and 2."""
    random = Random(seed)
    chosen = Options(device=device, **options)
    return LlrpReader(StillField(numbered_epcs(tags), random, (1, 2)), random, chosen)


async def connected(reader: LlrpReader) -> Client:
    """A client of it that the reader took."""
    client = Client.in_memory(reader)
    await client.wait_for(63, attempt(0))
    return client


async def inventory(client: Client, **options: Any) -> None:
    """Have the client start an inventory."""
    options.setdefault("session", 0)
    assert (await client.ask(20, orders.add(**options))).status == 0
    assert (await client.ask(24, ONE)).status == 0


def attempt(status: int) -> bytes:
    """A ConnectionAttemptEvent."""
    return struct.pack("!HHH", 256, 6, status)


def rospec_event(kind: int) -> bytes:
    """A ROSpecEvent of ROSpec 1: started with 0, ended with 1."""
    return struct.pack("!HHBI", 249, 13, kind, 1)


def stamps(client: Client) -> list[int]:
    """The first-seen stamp of every report with one tag."""
    mark = b"\x82\x00\x06"
    return [int.from_bytes(m.body.split(mark)[1][:6], "big") + (6 << 48) for m in client.of(61)]
