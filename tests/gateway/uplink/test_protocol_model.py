"""The delivery protocol against a lossy broker, restarts and a forgetful core, in all orders.

The machine drives the real `Position`. Two seeded mistakes of a core, and the mode that trusts
the broker's word, must be found faulty: else the machine proves nothing.
"""

from collections import deque
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gateway.model import NS_PER_S
from gateway.uplink.delivery import Pace, Position
from gateway.uplink.outbox import Bounds

STEADY = settings(
    max_examples=400,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
HUNT = settings(STEADY, max_examples=3000, phases=(Phase.generate,), print_blob=False)

ROUNDS_MAX = 400
"""Fault-free exchanges in which everything must have arrived."""


class Core:
    """Applies hw + 1 and nothing else, unless it is built wrongly."""

    def __init__(self, mistake: str) -> None:
        self.applied: list[int] = []
        self.mistake = mistake

    def take(self, kind: str, seq: int) -> list[tuple[str, int]]:
        if kind == "hello":
            return [("hello", len(self.applied))]
        if seq == len(self.applied) + 1 or (self.mistake == "no dedupe" and seq in self.applied):
            self.applied.append(seq)
        if self.mistake == "ack what was seen":
            return [("ack", seq)]
        if seq > len(self.applied):
            return [("replay", len(self.applied) + 1)]
        return [("ack", len(self.applied))]


class Delivery(RuleBasedStateMachine):
    """The world: a ledger, the gateway's position in it, a broker that drops, a core."""

    mistake = ""
    settle = "core"

    @initialize(seed=st.integers(0, 1000))
    def begin(self, seed: int) -> None:
        self.random = Random(seed)
        self.now = 0
        self.last = 0
        self.high_water = 0
        self.core = Core(self.mistake)
        self.forgot = False
        self.up: deque[tuple[str, int]] = deque()
        self.down: deque[tuple[str, int]] = deque()
        self.reboot()
        self.position.hello(self.now, 0)  # half of all runs would not come further than this

    def bounds(self) -> Bounds:
        return Bounds(1, self.last, self.high_water)

    @rule(number=st.integers(1, 5))
    def move(self, number: int) -> None:
        self.last += number
        self.position.know(self.bounds())

    @rule(number=st.integers(1, 5))
    def send(self, number: int) -> None:
        self.position.timer(self.now)
        if self.position.take_hello():
            self.up.append(("hello", 0))
        for _ in range(number):
            room = self.position.room(self.now)
            if room is None:
                return
            seq = room.after + 1
            assert seq <= self.last
            self.position.sent(self.now, seq, 1000)
            self.up.append(("record", seq))
            mark = self.position.passed(seq)
            self.high_water = max(self.high_water, mark or 0)

    @precondition(lambda self: self.up)
    @rule(again=st.booleans())
    def deliver(self, again: bool) -> None:
        kind, seq = self.up[0] if again else self.up.popleft()
        self.down.extend(self.core.take(kind, seq))

    @precondition(lambda self: self.down)
    @rule(again=st.booleans())
    def answer(self, again: bool) -> None:
        kind, mark = self.down[0] if again else self.down.popleft()
        if kind == "replay":
            self.position.replay(self.now, mark)
            return
        if self.settle == "core" and mark <= self.last:
            self.high_water = max(self.high_water, mark)
        if kind == "ack":
            self.position.ack(self.now, mark)
        else:
            self.position.hello(self.now, mark)

    @precondition(lambda self: self.up or self.down)
    @rule(where=st.sampled_from(["up", "down"]), place=st.integers(0, 2))
    def drop(self, where: str, place: int) -> None:
        queue = self.up if where == "up" else self.down
        if place < len(queue):
            del queue[place]

    @rule()
    def wait(self) -> None:
        if self.position.wake_at is not None:
            self.now = max(self.now, self.position.wake_at)
        self.position.timer(self.now)

    @rule(kind=st.sampled_from(["cut", "reboot", "core forgets"]), keep=st.integers(0, 20))
    def disaster(self, kind: str, keep: int) -> None:
        """One rule for all of them, so that ordinary steps are the most."""
        if kind == "cut":
            self.up.clear()
            self.down.clear()
            self.position.disconnect()
            self.position.connect(self.now, self.bounds())
        elif kind == "reboot":
            self.reboot()
        else:
            self.forgot = self.forgot or keep < len(self.core.applied)
            del self.core.applied[keep:]
            self.down.append(("hello", len(self.core.applied)))

    def reboot(self) -> None:
        """The gateway forgets all but its disk; what was under way may still arrive."""
        self.position = Position(Pace(self.settle, NS_PER_S), self.random)  # type: ignore[arg-type] # one of two words
        self.position.connect(self.now, self.bounds())

    @invariant()
    def core_is_strictly_ordered(self) -> None:
        if hasattr(self, "core"):
            assert self.core.applied == list(range(1, len(self.core.applied) + 1))

    @invariant()
    def each_seq_is_in_the_core_or_in_the_outbox(self) -> None:
        if hasattr(self, "core") and not self.forgot:
            assert self.high_water <= len(self.core.applied)

    @invariant()
    def nothing_runs_too_far_ahead(self) -> None:
        if hasattr(self, "position"):
            assert self.position.next_seq <= self.last + 1
            assert self.position.settled <= self.last

    def teardown(self) -> None:
        """Faults are over: everything arrives, once, and is settled."""
        if not hasattr(self, "core"):
            return
        for _ in range(ROUNDS_MAX):
            self.send(5)
            while self.up:
                self.deliver(again=False)
            while self.down:
                self.answer(again=False)
            if len(self.core.applied) == self.last == self.high_water == self.position.settled:
                return
            self.wait()
        raise AssertionError(f"of {self.last} the core has {len(self.core.applied)}")


def flawed(mistake: str, settle: str = "core") -> type[Delivery]:
    return type("Flawed", (Delivery,), {"mistake": mistake, "settle": settle})


def test_protocol_delivers_each_record_once_and_in_order() -> None:
    run_state_machine_as_test(Delivery, settings=STEADY)
    assert Delivery.mistake == ""


@pytest.mark.parametrize(
    "machine",
    [flawed("no dedupe"), flawed("ack what was seen"), flawed("", settle="broker")],
    ids=["no dedupe", "ack what was seen", "broker's word settles"],
)
def test_protocol_model_finds_the_mistake(machine: type[Delivery]) -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=HUNT)
