"""Retained state towards the broker: the newest payload of each topic, sent when there is room."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

TOPICS_MAX = 20_000
"""Retained topics of one gateway; at some 300 bytes each this bounds memory here and in the
broker. A topic beyond it is not taken."""


class RetainedState:
    """Keeps the newest payload per topic, and which of them the broker has not got yet.

    An empty payload clears the topic in the broker and is then forgotten here.
    """

    def __init__(self) -> None:
        self._payloads: dict[str, bytes] = {}
        self._waiting: OrderedDict[str, None] = OrderedDict()
        self._changed = asyncio.Event()

    def put(self, topic: str, payload: bytes) -> bool:
        """Take the newest payload; False if there are too many topics."""
        if topic not in self._payloads and len(self._payloads) >= TOPICS_MAX:
            return False
        if self._payloads.get(topic) != payload:
            self._payloads[topic] = payload
            self._waiting[topic] = None
            self._changed.set()
        return True

    def renew(self) -> None:
        """A broker that may have forgotten all is there: it gets everything again."""
        self._waiting = OrderedDict.fromkeys(self._payloads)
        if self._waiting:
            self._changed.set()

    async def take(self) -> tuple[str, bytes]:
        """Wait for a topic whose newest payload the broker has not got; take it."""
        while not self._waiting:
            self._changed.clear()
            await self._changed.wait()
        topic, _ = self._waiting.popitem(last=False)
        return topic, self._payloads[topic]

    def sent(self, topic: str, payload: bytes) -> None:
        """The broker has that payload."""
        if not payload and self._payloads.get(topic) == payload:
            del self._payloads[topic]

    def failed(self, topic: str) -> None:
        """The broker did not get it: it waits again."""
        if topic in self._payloads:
            self._waiting[topic] = None
            self._changed.set()
