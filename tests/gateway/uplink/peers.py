"""What stands on either side of the uplink in its tests: a ledger in memory, a strict core."""

import asyncio
import hashlib
import json
import socket
from collections.abc import Sequence
from random import Random

import aiomqtt

from gateway.canonical import canonical
from gateway.catalogue import Refused
from gateway.model import Reference
from gateway.ports import Record
from gateway.store import Store
from gateway.store.outbox import next_outbox
from gateway.uplink.commands import Commands
from gateway.uplink.delivery import Alarm
from gateway.uplink.messages import Request
from gateway.uplink.outbox import Bounds, Result
from gateway.uplink.session import House
from gateway.uplink.settings import MqttSettings
from gateway.uplink.uplink import Identity, Uplink

EPOCH = "0f8fad5b-d9cb-469f-a165-70867728950e"
NEXT_EPOCH = "1f8fad5b-d9cb-469f-a165-70867728950e"
BASE = "shelfgate/v1/site-1/edge-1"
DEADLINE_S = 15.0


class LoopClock:
    """The running loop's time as a Clock: virtual where the loop is."""

    def now(self) -> int:
        return round(asyncio.get_running_loop().time() * 1e9)


class StoppedClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = 0

    def now(self) -> int:
        return self.at


def make_record(seq: int, epoch: str = EPOCH, filler: int = 0) -> Record:
    body: dict[str, object] = {
        "event": "alert",
        "gateway": "edge-1",
        "epoch": epoch,
        "seq": seq,
        "at_recorded": "2026-11-24T06:00:02.120Z",
        "clock": "synced",
        "code": "test",
        "key": f"dock-{seq}",
        "raised": True,
        "severity": "info",
        "text": "x" * filler,
        "at_event": "2026-11-24T06:00:02.100Z",
    }
    data = canonical(body)  # type: ignore[arg-type] # strings and integers
    return Record(seq, "alert", data, hashlib.sha256(b"\x00" + data).digest())


class MemoryOutbox:
    """The Outbox protocol without a disk; `delay_s` stands for the sync of a commit."""

    def __init__(self, epoch: str = EPOCH) -> None:
        self.epoch = epoch
        self.drained = False
        self.records: list[Record] = []
        self.first_kept = 1
        self.high_water = 0
        self.results: dict[int, Result] = {}
        self.acknowledgements: list[tuple[int, int]] = []
        self.delay_s = 0.0
        self.commits_begun = 0
        self._news = asyncio.Condition()

    def bounds(self) -> Bounds:
        return Bounds(self.first_kept, len(self.records), self.high_water)

    async def record(self, number: int = 1, filler: int = 0) -> None:
        start = len(self.records)
        self.records += [make_record(start + 1 + i, self.epoch, filler) for i in range(number)]
        async with self._news:
            self._news.notify_all()

    async def records_after(self, seq: int, limit: int) -> Sequence[Record]:
        start = max(seq, self.first_kept - 1)
        return self.records[start : start + limit]

    async def recorded_beyond(self, seq: int) -> int:
        async with self._news:
            await self._news.wait_for(lambda: len(self.records) > seq)
        return len(self.records)

    async def acknowledge(self, epoch: str, high_water: int, results: Sequence[Result]) -> None:
        self.commits_begun += 1
        await asyncio.sleep(self.delay_s)
        assert epoch == self.epoch
        assert high_water <= len(self.records), "settled what was never recorded"
        self.high_water = max(self.high_water, high_water)
        self.results.update({result.seq: result for result in results})
        self.acknowledgements.append((high_water, len(results)))


class Gateway:
    """An uplink with everything around it in memory, but the store if one is given."""

    def __init__(self, port: int, store: Store | None = None, **mqtt: object) -> None:
        self.outbox = MemoryOutbox()
        self._store = store
        self.counts: dict[str, int] = {}
        self.alarms: list[Alarm] = []
        self.learned: list[Reference] = []
        self.snapshots = 0
        self.tares: list[str] = []
        self.release_tare = asyncio.Event()
        self.release_tare.set()
        values = {"host": "127.0.0.1", "port": port, "ack_timeout_s": 0.3, "keepalive_s": 5} | mqtt
        self.settings = MqttSettings.model_validate(values)
        house = House(
            outbox=lambda: self.outbox if store is None else next_outbox(store),
            clock=LoopClock(),
            random=Random(7),
            count=self.count,
            commands=Commands({"tare": self._tare}, self.count),
            learn=self._learn,
            health=lambda: {"last": len(self.outbox.records)},
            alarm=self.alarms.append,
            snapshot=self._snapshot,
            restored=self._restored,
        )
        identity = Identity("site-1", "edge-1", "boot-1", "0.1.0")
        self.uplink = Uplink(self.settings, identity, house)
        self._task: asyncio.Task[None] | None = None

    def count(self, name: str, amount: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + amount

    async def __aenter__(self) -> "Gateway":  # noqa: PYI034 - not meant to be derived from
        self._task = asyncio.create_task(self.uplink.run())
        return self

    async def __aexit__(self, *_exc: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _tare(self, request: Request) -> None:
        await self.release_tare.wait()
        self.tares.append(str(request.args))

    async def _learn(self, references: Sequence[Reference]) -> Sequence[Refused]:
        self.learned += references
        return ()

    def _snapshot(self) -> None:
        self.snapshots += 1

    async def _restored(self) -> None:
        if self._store is not None:
            await self._store.start_epoch("restored")
            return
        self.outbox.drained = True
        self.outbox = MemoryOutbox(NEXT_EPOCH)
        await self.outbox.record()


async def stop(task: asyncio.Task[None]) -> None:
    """End a peer's task: its MQTT library may turn a cancellation into an error of its own."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.1)


class StrictCore:
    """A core that applies hw + 1 and nothing else; an independent MQTT library speaks for it."""

    def __init__(self, port: int, version: str = "5") -> None:
        self.applied: dict[str, list[int]] = {}
        self.bodies: dict[int, bytes] = {}
        self.types: list[str] = []
        self.duplicates = 0
        self.gaps = 0
        self.hellos: list[dict[str, int]] = []
        self.asked: list[dict[str, object]] = []
        self.mute = False
        self.silent_results = False
        self.client: aiomqtt.Client | None = None
        self._port = port
        self._version = (
            aiomqtt.ProtocolVersion.V5 if version == "5" else aiomqtt.ProtocolVersion.V311
        )
        self._task: asyncio.Task[None] | None = None

    def high_water(self, epoch: str = EPOCH) -> int:
        return len(self.applied.get(epoch, []))

    def lose(self, keep: int, epoch: str = EPOCH) -> None:
        """Forget what came after `keep`, as a core restored from an older copy."""
        del self.applied[epoch][keep:]

    async def __aenter__(self) -> "StrictCore":  # noqa: PYI034 - not meant to be derived from
        ready = asyncio.Event()
        self._task = asyncio.create_task(self._serve(ready))
        async with asyncio.timeout(DEADLINE_S):
            await ready.wait()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        assert self._task is not None
        await stop(self._task)
        self.client = None

    async def say(self, path: str, value: object, *, retain: bool = False) -> None:
        assert self.client is not None
        payload = value if isinstance(value, bytes) else json.dumps(value).encode()
        await self.client.publish(f"{BASE}/{path}", payload, qos=1, retain=retain)

    async def _serve(self, ready: asyncio.Event) -> None:
        while True:
            try:
                async with aiomqtt.Client(
                    "127.0.0.1",
                    self._port,
                    protocol=self._version,
                    identifier="core",
                    socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
                ) as client:
                    self.client = client
                    for path in ("event", "hello", "cmd/core/request"):
                        await client.subscribe(f"{BASE}/{path}", qos=1)
                    for epoch in self.applied:
                        await self.say("hello/core", {"epoch": epoch, "hw": self.high_water(epoch)})
                    ready.set()
                    async for message in client.messages:
                        await self._take(message)
            except aiomqtt.MqttError:
                await asyncio.sleep(0.05)

    async def _take(self, message: aiomqtt.Message) -> None:
        assert isinstance(message.payload, bytes)
        if self.mute:
            return
        value = json.loads(message.payload)
        path = message.topic.value.removeprefix(f"{BASE}/")
        if path == "hello":
            self.hellos.append(value)
            epoch = value["epoch"]
            self.applied.setdefault(epoch, [])
            await self.say("hello/core", {"epoch": epoch, "hw": self.high_water(epoch)})
        elif path == "cmd/core/request":
            self.asked.append(value)
        else:
            await self._apply(value)

    async def _apply(self, event: dict[str, object]) -> None:
        data = event["data"]
        assert isinstance(data, dict)
        epoch, seq = data["epoch"], data["seq"]
        applied = self.applied.setdefault(epoch, [])
        status = "accepted"
        if seq > len(applied) + 1:
            self.gaps += 1
            args = {"epoch": epoch, "seq": len(applied) + 1}
            request = {"id": f"gap-{self.gaps}", "command": "replay-from", "args": args}
            await self.say("cmd/request", request)
            return
        if seq <= len(applied):
            self.duplicates += 1
            status = "duplicate"
        else:
            applied.append(seq)
            self.types.append(str(event["type"]))
            if event["type"] != "shelfgate.alert.v1":
                status = "rejected"
        result = {"seq": seq, "status": status, "reason": "test"}
        results = [] if self.silent_results else [result]
        await self.say("ack", {"epoch": epoch, "hw": len(applied), "results": results})
