"""The same recording gives the same bytes, and those are what the engine had decided."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.model import (
    NS_PER_MS,
    NS_PER_S,
    Coverage,
    Event,
    Fact,
    Item,
    Ns,
    WeightReport,
    WeightSample,
)
from gateway.ports import ConfigError, Row
from gateway.recording import (
    Head,
    end_line,
    fact_line,
    head_line,
    known_line,
    read_recording,
    row_line,
    wake_line,
)
from gateway.replay import replay
from gateway.rulebook import Surroundings, build_engine
from gateway.settings import Configuration, load_configuration
from gateway.store.booking import kind_of

EPOCH, BOOT = "a2f0a95f-bb92-47ba-a0b5-cc26963e19f1", "0f1e"
START = 100 * NS_PER_S
BOLT = Item("BOLT", "Bolt", 10_000, 100)
HEAD = Head("edge-t", EPOCH, BOOT, START, 1_700_000_000 * NS_PER_S, "synced", last_seq=41)


def weighing() -> Iterator[tuple[Ns, Fact]]:
    """A bin of a hundred bolts, of which somebody takes three after five seconds."""
    for tick in range(240):
        at = START + tick * 50 * NS_PER_MS
        gross_g = 1000.0 if tick < 100 else 970.0
        noise_g = ((tick * 37) % 11 - 5) / 50
        yield at, WeightReport("scale", (WeightSample("scale:1", gross_g + noise_g),))
        if tick % 5 == 0:
            span_ns = 0 if tick == 0 else 250 * NS_PER_MS
            yield at, Coverage("scale", span_ns, resumed=tick == 0)


def run_engine(configuration: Configuration, path: Path) -> list[Event]:
    """Feed an engine as the daemon does, with a recorder on."""
    surroundings = Surroundings(configuration.site, EPOCH, BOOT, 0, None)
    engine = build_engine(configuration.rules, surroundings, {}, [BOLT])
    lines, events = [head_line(HEAD), known_line(BOLT)], []
    for at, fact in weighing():
        lines.append(fact_line(at, fact))
        outcomes = list(engine.feed(at, fact))
        if engine.next_wake <= at + NS_PER_MS:
            lines.append(wake_line(at + NS_PER_MS))
            outcomes += engine.wake(at + NS_PER_MS)
        events += [event for outcome in outcomes for event in outcome.events]
    lines.append(end_line(engine.now))
    path.write_bytes(b"".join(lines))
    return events


@pytest.fixture
def configuration(site: Path) -> Configuration:
    return load_configuration(site)


def test_replay_decides_what_the_engine_had_decided(
    configuration: Configuration, tmp_path: Path
) -> None:
    events = run_engine(configuration, tmp_path / "r.jsonl")
    records = list(map(json.loads, replay(read_recording(tmp_path / "r.jsonl"), configuration)))
    assert [record["event"] for record in records] == [kind_of(event) for event in events]
    (taken,) = (record for record in records if record["event"] == "movement")
    (decided,) = (event for event in events if kind_of(event) == "movement")
    assert taken["movement_id"] == decided.movement_id  # type: ignore[union-attr] # a Movement
    assert (taken["item"], taken["quantity"]) == ("BOLT", 3)
    assert taken["from"] == {"location": "BIN-1"}


def test_replay_twice_gives_the_same_bytes(configuration: Configuration, tmp_path: Path) -> None:
    run_engine(configuration, tmp_path / "r.jsonl")
    once = list(replay(read_recording(tmp_path / "r.jsonl"), configuration))
    again = list(replay(read_recording(tmp_path / "r.jsonl"), configuration))
    assert once == again
    assert len(once) >= 2


def test_replay_numbers_and_stamps_from_the_head(
    configuration: Configuration, tmp_path: Path
) -> None:
    run_engine(configuration, tmp_path / "r.jsonl")
    records = list(map(json.loads, replay(read_recording(tmp_path / "r.jsonl"), configuration)))
    assert [record["seq"] for record in records] == list(range(42, 42 + len(records)))
    assert {record["epoch"] for record in records} == {EPOCH}
    assert all(record["at_recorded"].startswith("2023-11-14T22:13:2") for record in records)


def test_replay_of_another_boot_gives_other_ids(
    configuration: Configuration, tmp_path: Path
) -> None:
    path = tmp_path / "r.jsonl"
    run_engine(configuration, path)
    once = list(replay(read_recording(path), configuration))
    path.write_bytes(path.read_bytes().replace(b'"boot":"0f1e"', b'"boot":"0f1f"'))
    assert once != list(replay(read_recording(path), configuration))


def test_replay_refuses_rows_that_the_rules_do_not_read(
    configuration: Configuration, tmp_path: Path
) -> None:
    path = tmp_path / "r.jsonl"
    row = row_line("stock", 99, Row("A\tBOLT", {}))
    path.write_bytes(head_line(HEAD) + row + end_line(START))
    with pytest.raises(ConfigError, match=r"rule stock: its rows have schema \[99\]"):
        list(replay(read_recording(path), configuration))


def test_replay_feeds_rules_their_rows(write_site: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    value = {"quantity": 7, "uom": "pcs"}
    request = {"at": START, "fact": "SnapshotRequest", "reason": "requested"}
    lines = [head_line(HEAD), row_line("stock", 1, Row("BIN-1\tBOLT", value))]
    path.write_bytes(b"".join([*lines, json.dumps(request).encode() + b"\n", end_line(START)]))
    (record,) = replay(read_recording(path), load_configuration(write_site()))
    assert json.loads(record)["lines"] == [
        {"epcs": [], "item": "BOLT", "quantity": 7, "uom": "pcs"}
    ]
