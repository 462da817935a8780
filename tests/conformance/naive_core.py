"""A core as one writes it in an afternoon: it books what it sees and acknowledges it.

It speaks the contract's messages and keeps none of its promises; the suite must see that.
"""

import asyncio
import json
import sys

import aiomqtt


class NaiveCore:
    """Books each event that it can read, and acknowledges its seq."""

    def __init__(self, client: aiomqtt.Client, base: str) -> None:
        self.client = client
        self.base = base
        self.last: dict[tuple[str, str], int] = {}
        self.booked: dict[tuple[str, str], list[dict[str, object]]] = {}
        self.documents = 0

    async def say(self, gateway: str, leaf: str, body: dict[str, object]) -> None:
        await self.client.publish(f"{self.base}/{gateway}/{leaf}", json.dumps(body), qos=1)

    async def event(self, gateway: str, message: dict[str, object]) -> None:
        data = message["data"]
        assert isinstance(data, dict)
        epoch, seq = data["epoch"], data["seq"]
        self.documents += 1
        result = {
            "seq": seq,
            "status": "accepted",
            "core_document_no": f"DOC-{self.documents}",
        }
        self.last[gateway, epoch] = seq
        self.booked.setdefault((gateway, epoch), []).append(result)
        await self.say(gateway, "ack", {"epoch": epoch, "hw": seq, "results": [result]})

    async def hello(self, gateway: str, message: dict[str, object]) -> None:
        epoch = str(message["epoch"])
        hw = self.last.get((gateway, epoch), 0)
        await self.say(gateway, "hello/core", {"epoch": epoch, "hw": hw})

    async def results(self, gateway: str, message: dict[str, object]) -> None:
        args = message["args"]
        assert isinstance(args, dict)
        key = gateway, args["epoch"]
        results = [
            each for each in self.booked.get(key, []) if int(str(each["seq"])) >= args["seq"]
        ]
        body = {"epoch": args["epoch"], "hw": self.last.get(key, 0), "results": results[:500]}
        await self.say(gateway, "ack", body)

    async def take(self, topic: str, payload: bytes) -> None:
        gateway, _, leaf = topic.removeprefix(self.base + "/").partition("/")
        actions = {"event": self.event, "hello": self.hello, "cmd/core/request": self.results}
        try:
            await actions[leaf](gateway, json.loads(payload))
        except (ValueError, LookupError, TypeError, AssertionError, RecursionError):
            return


async def main() -> None:
    host, port, version, prefix, site = sys.argv[1:]
    protocol = aiomqtt.ProtocolVersion.V5 if version == "5" else aiomqtt.ProtocolVersion.V311
    base = f"{prefix}/{site}"
    async with aiomqtt.Client(host, int(port), protocol=protocol) as client:
        core = NaiveCore(client, base)
        for leaf in ("event", "hello", "cmd/core/request"):
            await client.subscribe(f"{base}/+/{leaf}", qos=1)
        async for message in client.messages:
            await core.take(str(message.topic), bytes(message.payload))


if __name__ == "__main__":
    asyncio.run(main())
