"""A gateway that does as a script says, and hears all that the core says to it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt

from simulators.core.contract import Contract
from tests.conformance.records import encode, envelope, movement


class NonconformityError(AssertionError):
    """The core did what the contract forbids, or did not what it demands."""


class FakeGateway:
    """One gateway. What the core said stands in lists, in order; each message was checked."""

    def __init__(
        self, client: aiomqtt.Client, contract: Contract, site: str, name: str, patience_s: float
    ) -> None:
        self.name = name
        self.site = site
        self.hellos: list[dict[str, Any]] = []
        self.acks: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self._patience_s = patience_s
        self._client = client
        self._contract = contract
        self._news = asyncio.Condition()

    async def say_hello(self, epoch: str, last: int, first_kept: int = 1) -> dict[str, Any]:
        """Say hello and return the core's answer."""
        heard = len(self.hellos)
        body = {"epoch": epoch, "first_kept": first_kept, "last": last}
        await self._publish("helloGateway", encode(body))
        await self.until(lambda: any(h["epoch"] == epoch for h in self.hellos[heard:]), "its hello")
        return next(h for h in self.hellos[heard:] if h["epoch"] == epoch)

    async def send(self, epoch: str, *seqs: int, **changes: Any) -> None:
        """Publish movements of these seqs, in this order."""
        for seq in seqs:
            await self.send_record(movement(self.name, epoch, seq, **changes))

    async def send_record(self, data: dict[str, Any], **changes: Any) -> None:
        """Publish a record, its envelope changed at will."""
        await self.send_raw(encode(envelope(self.site, data, **changes)))

    async def send_raw(self, payload: bytes) -> None:
        """Publish anything as an event."""
        await self._publish("event", payload)

    async def ask_results(self, epoch: str, seq: int) -> None:
        """Ask for results from that seq on."""
        args = {"epoch": epoch, "seq": seq}
        body = {"id": f"{self.name}-{seq}", "command": "results-from", "args": args}
        await self._publish("coreRequest", encode(body))

    async def until(self, condition: Callable[[], Any], what: str) -> None:
        """Wait until the core has said something; NonconformityError when patience ends."""
        try:
            async with asyncio.timeout(self._patience_s), self._news:
                await self._news.wait_for(lambda: self.faults or condition())
        except TimeoutError:
            marks = [ack["hw"] for ack in self.acks[-3:]]
            raise NonconformityError(f"waited in vain for {what}; acks of {marks}") from None
        self.judge(not self.faults, "; ".join(self.faults))

    async def settled(self, epoch: str, hw: int) -> None:
        """Wait until the core has acknowledged that far, and no further."""
        await self.until(lambda: self.hw(epoch) >= hw, f"an ack of {hw}")
        self.judge(self.hw(epoch) == hw, f"acknowledged {self.hw(epoch)}, not {hw}")

    def judge(self, good: bool, complaint: str) -> None:
        """NonconformityError if it is not good."""
        if not good:
            raise NonconformityError(complaint)

    def hw(self, epoch: str) -> int:
        """The highest hw acknowledged."""
        return max((ack["hw"] for ack in self.acks if ack["epoch"] == epoch), default=0)

    def results(self, epoch: str, since: int = 0) -> list[dict[str, Any]]:
        """All results of an epoch, from the ack of that index on."""
        acks = (ack for ack in self.acks[since:] if ack["epoch"] == epoch)
        return [result for ack in acks for result in ack["results"]]

    def outcomes(self, epoch: str, seq: int) -> list[str]:
        """What the core said of one record, in order."""
        return [result["status"] for result in self.results(epoch) if result["seq"] == seq]

    def documents(self, epoch: str) -> dict[int, set[str]]:
        """The core's document numbers by seq: more than one for a seq is a double booking."""
        documents: dict[int, set[str]] = {}
        for result in self.results(epoch):
            if "core_document_no" in result:
                documents.setdefault(result["seq"], set()).add(result["core_document_no"])
        return documents

    def judge_documents(self, epoch: str, seqs: set[int]) -> None:
        """NonconformityError unless exactly these are booked, each under one number of its own."""
        documents = self.documents(epoch)
        self.judge(set(documents) == seqs, f"booked {sorted(documents)}, not {sorted(seqs)}")
        for seq, numbers in documents.items():
            self.judge(len(numbers) == 1, f"{seq} was booked as {sorted(numbers)}")
        self.judge(
            len(set.union(set(), *documents.values())) == len(documents),
            f"a document number was given twice: {documents}",
        )

    async def listen(self) -> None:
        """Hear the core, until cancelled."""
        heard = {
            self._topic("helloCore"): self.hellos,
            self._topic("ack"): self.acks,
            self._topic("commandRequest"): self.requests,
        }
        async for message in self._client.messages:
            topic = str(message.topic)
            async with self._news:
                try:
                    value = self._contract.check(
                        topic, bytes(message.payload), retain=message.retain
                    )
                    heard[topic].append(value)
                except ValueError as error:
                    self.faults.append(f"against the contract: {error}")
                self._news.notify_all()

    async def subscribe(self) -> None:
        """Ask the broker for what the core says to this gateway."""
        for channel in ("helloCore", "ack", "commandRequest"):
            await self._client.subscribe(self._topic(channel), qos=1)

    def _topic(self, channel: str) -> str:
        return self._contract.topic(channel, self.site, self.name)

    async def _publish(self, channel: str, payload: bytes) -> None:
        await self._client.publish(self._topic(channel), payload, qos=1)


@asynccontextmanager
async def connect(
    client: aiomqtt.Client, contract: Contract, site: str, name: str, patience_s: float
) -> AsyncIterator[FakeGateway]:
    """Connect a gateway for as long as the block lasts."""
    async with client:
        gateway = FakeGateway(client, contract, site, name, patience_s)
        await gateway.subscribe()
        listening = asyncio.create_task(gateway.listen())
        try:
            yield gateway
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
