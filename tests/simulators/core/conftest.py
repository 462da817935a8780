"""A desk without a network, and a book in memory."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from simulators.core.book import Book
from simulators.core.contract import Position, canonical, leaf_hash, load_contract
from simulators.core.desk import Answer, Desk, Message
from simulators.core.record import Incoming, Rules
from tests.conformance.records import encode, envelope, movement

SITE = "hamburg"


class Bench:
    """A desk, and shorthand to speak to it. Each answer is checked against the contract."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.contract = load_contract()
        self.desk = Desk(book, self.contract, SITE, Random(1))
        self.now_s = 0.0

    def hear(self, channel: str, body: Any, *, retain: bool = False) -> Answer:
        return self.handle([self.message(channel, body, retain=retain)])

    def message(self, channel: str, body: Any, *, retain: bool = False) -> Message:
        return Message(self.contract.topic(channel, SITE, "edge-1"), encode(body), retain)

    def event(self, data: dict[str, Any], **changes: Any) -> Message:
        body = envelope(SITE, data, **changes)
        return Message(self.contract.topic("event", SITE, data["gateway"]), encode(body))

    def handle(self, messages: list[Message]) -> Answer:
        answer = self.desk.handle(messages, self.now_s)
        self.check(answer)
        return answer

    def send(self, epoch: str, *seqs: int, **changes: Any) -> Answer:
        return self.handle([self.event(movement("edge-1", epoch, seq, **changes)) for seq in seqs])

    def check(self, answer: Answer) -> None:
        for message in answer.messages:
            self.contract.check(message.topic, message.payload, retain=message.retain)

    def said(self, answer: Answer, channel: str) -> list[Any]:
        return [
            self.contract.check(message.topic, message.payload)
            for message in answer.messages
            if self.contract.address(message.topic).channel == channel
        ]


def incoming(data: dict[str, Any]) -> Incoming:
    where = Position(data["gateway"], data["epoch"], data["seq"])
    return Incoming(where, leaf_hash(data), canonical(data), data)


@pytest.fixture
def book() -> Iterator[Book]:
    book = Book(Path(":memory:"), Rules())
    yield book
    book.close()


@pytest.fixture
def bench(book: Book) -> Bench:
    return Bench(book)
