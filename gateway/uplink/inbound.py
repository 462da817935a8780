"""A message from the broker, acknowledged by whoever has made safe what it says."""

from __future__ import annotations

from collections.abc import Callable


class Inbound:
    """A received message. `acknowledge` it when what it says is safe, not before."""

    __slots__ = ("_flush", "mid", "payload", "retained", "settled", "topic")

    def __init__(
        self, topic: str, payload: bytes, retained: bool, mid: int, flush: Callable[[], None]
    ) -> None:
        self.topic = topic
        self.payload = payload
        self.retained = retained
        self.mid = mid
        self.settled = False
        self._flush = flush

    def acknowledge(self) -> None:
        """Let the broker forget the message; it goes out when all earlier ones are settled."""
        self.settled = True
        self._flush()


Deliver = Callable[[Inbound], None]
