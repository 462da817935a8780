"""A line that loses, repeats and mixes up, and a core that restarts: still each record once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from simulators.core.book import Book
from simulators.core.desk import Message
from simulators.core.record import Incoming
from tests.conformance.records import epoch_of, movement
from tests.simulators.core.conftest import Bench

EPOCH = epoch_of("protocol")
SETTINGS = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
)


class Protocol(RuleBasedStateMachine):
    """The gateway is a ledger and what it knows to be settled; the line is two bags of messages."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book(Path(":memory:"))
        self.bench = Bench(self.book)
        self.last = 0
        self.settled = 0
        self.up: list[Message] = []
        self.down: list[Any] = []

    @rule()
    def record(self) -> None:
        self.last += 1

    @rule(window=st.integers(1, 4))
    def publish(self, window: int) -> None:
        for seq in range(self.settled + 1, min(self.settled + window, self.last) + 1):
            self.up.append(self.bench.event(movement("edge-1", EPOCH, seq)))

    @precondition(lambda self: self.up)
    @rule(data=st.data(), again=st.booleans())
    def deliver(self, data: st.DataObject, *, again: bool) -> None:
        chosen = data.draw(st.lists(st.sampled_from(range(len(self.up))), max_size=4, unique=True))
        answer = self.bench.handle([self.up[index] for index in chosen])
        self.down.extend(self.bench.said(answer, "ack"))
        if not again:
            self.up = [each for index, each in enumerate(self.up) if index not in chosen]

    @precondition(lambda self: self.down)
    @rule(data=st.data(), lost=st.booleans())
    def acknowledge(self, data: st.DataObject, *, lost: bool) -> None:
        ack = self.down.pop(data.draw(st.sampled_from(range(len(self.down)))))
        if not lost:
            self.settled = max(self.settled, ack["hw"])

    @rule()
    def restart_core(self) -> None:
        self.bench = Bench(self.book)
        self.down = []

    @invariant()
    def each_record_is_with_the_gateway_or_in_the_core_once(self) -> None:
        rows = self.book._database.execute("SELECT seq, document_no FROM record ORDER BY n")
        seqs, documents = zip(*rows, strict=True) if self.book.hw("edge-1", EPOCH) else ((), ())
        assert list(seqs) == list(range(1, len(seqs) + 1))
        assert len(set(documents)) == len(seqs)
        assert self.settled <= len(seqs) <= self.last
        assert self.book.stock().get(("shelf-edge-1", "M6-NUT"), 0) == len(seqs)

    def teardown(self) -> None:
        self.book.close()


def test_protocol_books_each_record_once() -> None:
    run_state_machine_as_test(Protocol, settings=SETTINGS)
    assert issubclass(Protocol, RuleBasedStateMachine)


def _acknowledge_what_was_seen(original: Callable[..., Any]) -> Callable[..., Any]:
    def apply(self: Book, batch: list[Incoming]) -> Any:
        committed = original(self, batch)
        seen = max((incoming.position.seq for incoming in batch), default=0)
        return committed._replace(marks=dict.fromkeys(committed.marks, seen))

    return apply


def test_protocol_check_finds_an_ack_of_what_was_merely_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Book, "apply", _acknowledge_what_was_seen(Book.apply))
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Protocol, settings=SETTINGS)
