"""Any history of booking, acknowledging, crashing and pruning, against a model in a few lists."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gateway.outcome import Outcome
from gateway.store import (
    Clocks,
    HighWaterBeyondLast,
    Identity,
    Result,
    StoreReader,
    StoreRefused,
)
from gateway.store.database import Opening
from gateway.store.file import Job, StoreFile, open_file

EXAMPLES = 80

numbers = st.integers(1, 400)
statuses = st.sampled_from(["accepted", "rejected", "duplicate"])


class Life:
    """The model of one epoch: ids by number, how far the core is, what is kept."""

    def __init__(self, uuid: str) -> None:
        self.uuid = uuid
        self.ids: list[str] = []
        self.high_water = 0
        self.first_kept = 1


class History(RuleBasedStateMachine):
    """The store beside its model."""

    clocks: ClassVar[Clocks]
    make_turn: ClassVar[Callable[[int], Outcome]]
    folder: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(dir=type(self).folder)
        self.path = Path(self._folder.name) / "store.db"
        self.machine = 0
        self.began = 0
        self.file = self._open()
        self.lives = [Life(self.file.mark.epoch.uuid)]
        self.rows: dict[str, str] = {}
        self.quarantine: set[tuple[str, int]] = set()
        self.requeued: set[tuple[str, int]] = set()

    @property
    def life(self) -> Life:
        return self.lives[-1]

    @rule(turns=st.lists(numbers, min_size=1, max_size=5))
    def book(self, turns: list[int]) -> None:
        outcomes = [type(self).make_turn(number) for number in turns]
        committed = self._do(lambda file: file.book(outcomes))
        assert committed.first_seq == len(self.life.ids) + 1
        for outcome in outcomes:
            movement = outcome.events[0]
            assert hasattr(movement, "movement_id")
            self.life.ids.append(movement.movement_id)
            for _, _, row in outcome.puts:
                self.rows[row.key] = movement.movement_id
            for _, key in outcome.deletes:
                self.rows.pop(key, None)

    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        life = data.draw(st.sampled_from(self.lives))
        mark = data.draw(st.integers(0, len(life.ids)))
        reach = max(mark, life.high_water)
        drawn = data.draw(
            st.dictionaries(st.integers(1, reach), statuses, max_size=3) if reach else st.just({})
        )
        results = [Result(seq, status) for seq, status in drawn.items()]
        settled = self._do(lambda file: file.acknowledge(life.uuid, mark, results))
        assert settled.high_water == reach
        life.high_water = reach
        for seq, status in drawn.items():
            name = (life.uuid, seq)
            known = name in self.requeued or name in self.quarantine
            if status == "rejected" and seq >= life.first_kept and not known:
                self.quarantine.add(name)
                self._alert_about(life, seq)

    @rule(beyond=st.integers(1, 9))
    def acknowledge_beyond(self, beyond: int) -> None:
        mark = len(self.life.ids) + beyond
        with pytest.raises(HighWaterBeyondLast):
            self._do(lambda file: file.acknowledge(self.life.uuid, mark, ()))

    @precondition(lambda self: self.quarantine)
    @rule(data=st.data())
    def requeue(self, data: st.DataObject) -> None:
        uuid, seq = data.draw(st.sampled_from(sorted(self.quarantine)))
        self._do(lambda file: file.requeue(uuid, seq))
        (life,) = [life for life in self.lives if life.uuid == uuid]
        self.life.ids.append(life.ids[seq - 1])
        self._alert_about(life, seq)
        self.quarantine.remove((uuid, seq))
        self.requeued.add((uuid, seq))
        with pytest.raises(StoreRefused):
            self._do(lambda file: file.requeue(uuid, seq))

    @rule(keep=st.integers(0, 12))
    def prune(self, keep: int) -> None:
        self._do(lambda file: file.prune(0, keep))
        surplus = sum(len(life.ids) + 1 - life.first_kept for life in self.lives) - keep
        for life in self.lives:
            while surplus > 0 and life.first_kept <= life.high_water:
                life.first_kept += 1
                surplus -= 1
            if life.first_kept <= len(life.ids):
                break

    @rule()
    def crash(self) -> None:
        self.file.abandon()
        self.file = self._open()

    @rule()
    def stop_cleanly(self) -> None:
        self.file.close()
        self.file = self._open()
        assert self.file.opened.clean
        self.life.ids += ["alert"] * self.began
        self.began = 0

    @rule()
    def move_to_other_machine(self) -> None:
        self.file.abandon()
        self.machine += 1
        self.file = self._open()
        self.lives.append(Life(self.file.mark.epoch.uuid))
        self.life.ids.append("alert")
        self.began += 1

    @invariant()
    def store_equals_model(self) -> None:
        reader = StoreReader(self.path)
        try:
            for life in self.lives:
                records = reader.records_after(0, 10_000, life.uuid)
                kept = {record.seq: self._name(record.body) for record in records}
                assert kept == {
                    seq: name
                    for seq, name in enumerate(life.ids, start=1)
                    if seq >= life.first_kept
                }
            told = {row.key: row.value["last"] for _, row in reader.state_rows("weight")}
            assert told == self.rows
            assert {(row.epoch, row.seq) for row in reader.quarantined()} == self.quarantine
            assert reader.status().quarantined == len(self.quarantine)
            assert self.file.transact([]).committed.quarantined == len(self.quarantine)
            assert [window.epoch.uuid for window in reader.windows()] == [
                life.uuid
                for life in self.lives
                if life is self.life or life.high_water < len(life.ids)
            ]
            report = reader.verify()
            assert report.ok, report
        finally:
            reader.close()

    def teardown(self) -> None:
        self.file.abandon()
        self._folder.cleanup()

    def _alert_about(self, life: Life, seq: int) -> None:
        """A refusal is told and cleared by an alert each, but for that of an alert."""
        if life.ids[seq - 1] != "alert":
            self.life.ids.append("alert")

    def _open(self) -> StoreFile:
        identity = Identity("edge-1", f"machine-{self.machine}", "boot-1")
        return open_file(self.path, identity, type(self).clocks, Opening())

    def _do(self, job: Job) -> Any:
        (result,) = self.file.transact([job]).results
        if isinstance(result, Exception):
            raise result
        return result

    def _name(self, body: bytes) -> str:
        said = json.loads(body)
        return str(said.get("movement_id", said["event"]))


def test_any_history_fits_the_model(
    clocks: Clocks,
    make_turn: Callable[[int], Outcome],
    memory_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(History, "folder", memory_folder, raising=False)
    monkeypatch.setattr(History, "clocks", clocks, raising=False)
    monkeypatch.setattr(History, "make_turn", staticmethod(make_turn), raising=False)
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            database=None,
            derandomize=True,
        ),
    )
