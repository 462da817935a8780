"""How old what waits for the core is, and how long settling took."""

from types import SimpleNamespace
from typing import Any

from gateway.health import Health
from gateway.model import NS_PER_S
from gateway.ports import Record
from gateway.store import Committed, Epoch, StoreStatus


class Desk:
    """Health over a store that tells what the test says."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.observers: list[Any] = []
        self.latencies: list[tuple[str, int]] = []
        epoch = Epoch(1, "a", "created")
        self.oldest_unix_ns: int | None = None
        self.store: Any = SimpleNamespace(
            epoch=epoch,
            observe=self.observers.append,
            read=self._read,
            last_seq=900,
            high_water=0,
            next_epoch=lambda: epoch,
        )
        meter: Any = SimpleNamespace(latency=lambda name, span: self.latencies.append((name, span)))
        nothing: Any = None
        clock: Any = SimpleNamespace(now=lambda: int(self.now_s * NS_PER_S))
        wall: Any = SimpleNamespace(wall=lambda at: (at, "synced"))
        self.health = Health(self.store, nothing, nothing, (clock, wall), meter)

    async def _read(self, _question: object) -> tuple[StoreStatus, dict[str, int]]:
        epoch, oldest = self.store.epoch, self.oldest_unix_ns
        return StoreStatus(epoch, 1, 900, 0, 900, oldest, 0, 900, 0, 900), {}

    def commit(self, *seqs: int, epoch: Epoch | None = None) -> None:
        records = tuple(Record(seq, "movement", b"{}", b"") for seq in seqs)
        told = Committed(epoch or Epoch(1, "a", "created"), seqs[0], seqs[-1], records)
        for observer in self.observers:
            observer(told)

    def settling(self) -> list[float]:
        return [span / NS_PER_S for name, span in self.latencies if name == "recorded_to_settled"]


def test_settling_is_measured_from_the_commit_of_each_record() -> None:
    desk = Desk()
    desk.commit(1, 2)
    desk.now_s += 2
    desk.commit(3)
    desk.now_s += 1
    desk.health.settled(2)
    assert desk.settling() == [3, 3]
    assert desk.health.oldest_unsettled_ms() == 1000
    desk.health.settled(3)
    assert desk.health.oldest_unsettled_ms() == 0


def test_records_of_an_epoch_that_ended_do_not_hide_those_of_the_next() -> None:
    desk = Desk()
    desk.commit(900)
    desk.now_s += 50
    desk.commit(1, epoch=Epoch(2, "b", "restored"))
    desk.now_s += 1
    assert desk.health.oldest_unsettled_ms() == 1000
    desk.health.settled(1)
    assert desk.settling() == [1]
    assert desk.health.oldest_unsettled_ms() == 0


async def test_backlog_of_an_earlier_run_is_as_old_as_the_ledger_says() -> None:
    desk = Desk()
    desk.oldest_unix_ns = 40 * NS_PER_S
    await desk.health.look()
    assert desk.health.oldest_unsettled_ms() == 60_000
    desk.commit(901)
    desk.now_s += 1
    assert desk.health.oldest_unsettled_ms() == 61_000
    desk.store.high_water = desk.store.last_seq = 901
    desk.health.settled(901)
    assert desk.health.oldest_unsettled_ms() == 0
