"""What is written is read back; what is not understood is refused by file and line."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import (
    ActionDone,
    Approval,
    Badge,
    BookDifference,
    BookDiffers,
    BookLine,
    BookStock,
    CoreBehind,
    CountRequest,
    Coverage,
    DeviceFault,
    DeviceStatus,
    DigestRequest,
    ExpectedSet,
    Fact,
    Heartbeat,
    InputChange,
    Item,
    Location,
    OrderReference,
    ReferenceDeleted,
    Scan,
    SnapshotRequest,
    Stall,
    TagRead,
    TagReport,
    Task,
    TaskCancel,
    Today,
    ToldWrong,
    WeightReport,
    WeightSample,
)
from gateway.ports import Row
from gateway.recording import (
    FACTS,
    End,
    Fed,
    Head,
    Known,
    RecordingError,
    RuleRow,
    Woken,
    end_line,
    fact_line,
    head_line,
    known_line,
    read_recording,
    row_line,
    wake_line,
)

HEAD = Head("edge-1", "a2f0a95f-bb92-47ba-a0b5-cc26963e19f1", "boot", 5)

EXAMPLES: list[Fact] = [
    TagReport("r", (TagRead("r:1", "e280", -5525, 3, 7, 9), TagRead("r:2", "3034"))),
    TagReport("r", (TagRead("r:1", "00", None, 1, 0, 0, 4095, -3, 1_700_000_000_000_000),)),
    WeightReport("s", (WeightSample("s:1", 1234.5), WeightSample("s:2", 0.1 + 0.2, 8))),
    Today("2026-11-24"),
    Scan("gun", "]C1 Länge 5 mm\n"),
    Scan("gun", "010950600013435210A", (("01", "09506000134352"), ("10", "A"))),
    Badge("B-17", "ann", "(8018)950600013435200005", "b0a0", 2),
    InputChange("r", 2, level=True),
    DeviceStatus("r", up=False, reason="cable"),
    DeviceFault("r", "antenna", active=False, antenna=3, blinds=True, severity="critical"),
    Heartbeat("r"),
    Coverage("r", 250_000_000, (1, 4), resumed=True),
    Stall(4_000_000_000),
    CoreBehind(behind=True),
    SnapshotRequest("requested", "A-1"),
    ActionDone("s", "tare", "s:1", ok=False),
    Item("BOLT", "Bolt", 18_900, 150, "pcs", ("3034",), 7, ("09506000134352",), ("950600",)),
    Location("A-1", "Shelf"),
    ExpectedSet("S1", "gate", "out", frozenset({"e2", "30"})),
    Task("T-1", "issue", OrderReference("erp", "so", "4711", "10"), "BOLT", 4, "A-1"),
    Task("T-2", "receipt", OrderReference("erp", "po", "9", ""), "BOLT", 1, serials=("3034",)),
    TaskCancel("T-1", "badge-17"),
    Approval("p-1", approved=False, actor="badge-17"),
    ToldWrong(
        "m-1",
        "issue",
        "BOLT",
        3,
        "pcs",
        "A-1",
        "unknown",
        "ana",
        order=OrderReference("erp", "so", "4711", ""),
    ),
    CountRequest("c-1", "places", ("A-1", "A-2"), "command", "badge-17"),
    DigestRequest(),
    BookDiffers("A-1", (BookDifference("BOLT", 7, 6), BookDifference("NUT", 0, -1, "kg"))),
    BookStock("A-1", (BookLine("BOLT", 7, "pcs", 2), BookLine("NUT", reorder=4)), 3),
    ReferenceDeleted("item", "BOLT"),
]


def write(folder: Path, *lines: bytes) -> Path:
    path = folder / "recording.jsonl"
    path.write_bytes(b"".join(lines))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(RecordingError) as caught:
        list(read_recording(path))
    return str(caught.value).removeprefix(f"{path}:")


def test_every_fact_that_the_engine_is_fed_has_an_example() -> None:
    assert {type(fact).__name__ for fact in EXAMPLES} == set(FACTS)


@pytest.mark.parametrize("fact", EXAMPLES, ids=lambda fact: type(fact).__name__)
def test_facts_are_read_back_as_they_were(tmp_path: Path, fact: Fact) -> None:
    path = write(tmp_path, head_line(HEAD), fact_line(42, fact), end_line(43))
    assert list(read_recording(path)) == [HEAD, Fed(42, fact), End(43)]


@given(st.floats(), st.integers(0, 15), st.text(max_size=20))
def test_weights_and_names_are_read_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, gross_g: float, flags: int, name: str
) -> None:
    fact = WeightReport(name, (WeightSample(f"{name}:1", gross_g, flags),))
    path = write(tmp_path_factory.mktemp("r"), head_line(HEAD), fact_line(1, fact), end_line(1))
    (_, fed, _) = read_recording(path)
    assert isinstance(fed, Fed)
    assert isinstance(fed.fact, WeightReport)
    assert fed.fact.device == name
    read = fed.fact.samples[0]
    assert read == fact.samples[0] or (math.isnan(gross_g) and math.isnan(read.gross_g))


small = st.integers(-1, 2)


@given(st.tuples(*[small] * 4, *[st.none() | small] * 3))
def test_reads_are_read_back_wherever_their_defaults_stand(
    tmp_path_factory: pytest.TempPathFactory, rest: tuple[int | None, ...]
) -> None:
    fact = TagReport("r", (TagRead("r:1", "e2", *rest),))  # type: ignore[arg-type] # in this order
    path = write(tmp_path_factory.mktemp("r"), head_line(HEAD), fact_line(1, fact), end_line(1))
    assert list(read_recording(path))[1] == Fed(1, fact)


def test_beginning_is_read_back_as_it_was(tmp_path: Path) -> None:
    head = Head("edge-1", HEAD.epoch, "b", 9, 17, "synced", 12, 1000, -4)
    row, item = Row("tag:30", {"zone": "A", "n": [1, 2.5, None]}), Item("BOLT", unit_mg=5)
    lines = (head_line(head), row_line("presence", 2, row), known_line(item))
    path = write(tmp_path, *lines, wake_line(10), end_line(11))
    read = list(read_recording(path))
    assert read[0] == head
    assert isinstance(read[1], RuleRow)
    assert (read[1].rule, read[1].schema, read[1].row) == ("presence", 2, row)
    assert read[2:] == [Known(item), Woken(10), End(11)]


def test_defaults_stay_out_of_the_file() -> None:
    line = fact_line(1, TagReport("r", (TagRead("r:1", "e2"),)))
    assert line == b'{"at":1,"fact":"TagReport","device":"r","reads":[["r:1","e2"]]}\n'


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"what\n", "not JSON: "),
        (b"[1]\n", "expected a JSON object"),
        (b"{}\n", "expected one of the keys shelfgate_recording, row, reference, fact, wake, end"),
        (b'{"at":1,"fact":"TagRaport"}\n', "no fact 'TagRaport'; expected one of TagReport"),
        (b'{"at":1,"fact":["Stall"]}\n', "no fact ['Stall']"),
        (b'{"fact":"Stall","span_ns":1}\n', "at: expected nanoseconds as an integer"),
        (b'{"at":1.5,"fact":"Stall","span_ns":1}\n', "at: expected nanoseconds as an integer"),
        (b'{"at":1,"fact":"Stall"}\n', "span_ns: Field required"),
        (b'{"at":1,"fact":"Stall","span_ns":"1"}\n', "span_ns: Input should be a valid integer"),
        (b'{"at":1,"fact":"Stall","span_ns":1,"x":2}\n', "x: unknown key of Stall"),
        (
            b'{"at":1,"fact":"TagReport","device":"r","reads":[["r:1"]]}\n',
            "reads.0.1: Field required",
        ),
        (
            b'{"at":1,"fact":"TagReport","device":"r","reads":[["r:1","e2",-55.5]]}\n',
            "reads.0.2: Input should be a valid integer",
        ),
        (b'{"reference":"Stall","span_ns":1}\n', "no fact 'Stall'; expected one of Item"),
        (b'{"row":{"rule":"presence"}}\n', "schema: Field required"),
        (b'{"row":[1]}\n', "row: expected an object"),
        (b'{"wake":1,"x":2}\n', "x: unknown key"),
        (b'{"wake":true}\n', "wake: expected nanoseconds as an integer"),
        (b"[" * 100_000 + b"\n", "not JSON: "),
    ],
)
def test_nonsense_is_refused_by_line(tmp_path: Path, line: bytes, expected: str) -> None:
    told = refusal(write(tmp_path, head_line(HEAD), line, end_line(1)))
    assert told.startswith(f"2: {expected}")


def test_another_format_is_refused(tmp_path: Path) -> None:
    line = head_line(HEAD).replace(b'"shelfgate_recording":1', b'"shelfgate_recording":2')
    assert refusal(write(tmp_path, line)) == "1: format 2; this release reads 1"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], "1: cut off: expected an end line"),
        ([head_line(HEAD), wake_line(1)], "3: cut off: expected an end line"),
        ([wake_line(1)], "1: expected the head of a recording"),
        ([head_line(HEAD), head_line(HEAD)], "2: a line of this kind cannot stand"),
        ([head_line(HEAD), wake_line(1), known_line(Location("A"))], "3: a line of this kind"),
        ([head_line(HEAD), end_line(1), wake_line(2)], "3: nothing may follow the end"),
    ],
)
def test_lines_out_of_order_are_refused(tmp_path: Path, lines: list[bytes], expected: str) -> None:
    assert refusal(write(tmp_path, *lines)).startswith(expected)


def test_a_line_without_end_is_refused_before_it_fills_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.recording.reading.LINE_MAX_BYTES", 1000)
    path = write(tmp_path, head_line(HEAD), b"[" + b"1," * 5000)
    assert refusal(path) == "2: longer than 1000 bytes"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"none\.jsonl: cannot be read: No such file"):
        list(read_recording(tmp_path / "none.jsonl"))
