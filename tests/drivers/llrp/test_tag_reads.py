from collections import Counter

import pytest

from drivers.llrp import tag_reads
from drivers.llrp.tag_reads import TagReads
from drivers.llrp.template import NO_RECORD, Record
from gateway.model import NS_PER_MS, NS_PER_S, TagRead

NOW = 1000 * NS_PER_S
GATHER = 5 * NS_PER_MS
EPC = bytes.fromhex("e2001122")


def record(*values: object) -> Record:
    return (*values, *NO_RECORD[len(values) :])  # type: ignore[return-value]


class Built:
    def __init__(self, floor: int | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self.builder = TagReads("dock", floor, NS_PER_S, self.count)

    def count(self, name: str, amount: int = 1) -> None:
        self.counts[name] += amount

    def __call__(self, *records: Record, now: int = NOW) -> list[TagRead]:
        return self.builder.build(list(records), now, now + GATHER)


def test_read_without_stamps_is_as_old_as_its_arrival() -> None:
    assert Built()(record(EPC, 2, -61)) == [TagRead("dock:2", "e2001122", -6100, 1, GATHER)]


def test_impinj_rssi_is_finer_than_the_standard() -> None:
    [read] = Built()((EPC, 1, -61, 3, None, None, 4095, -6137, -5))
    assert read == TagRead("dock:1", "e2001122", -6137, 3, GATHER, 0, 4095, -5)


def test_stamp_of_the_reader_gives_the_age() -> None:
    built = Built()
    built.builder.reader_time.see_event(NOW, 7_000_000)
    [read] = built(record(EPC, 1, None, 4, 6_700_000, 6_900_000), now=NOW)
    assert read.age_ns == GATHER + 100 * NS_PER_MS
    assert (read.seen_count, read.span_ns) == (4, 200 * NS_PER_MS)
    assert read.reported_at_us == 6_900_000
    assert read.rssi_cdbm is None


def test_first_stamp_alone_serves() -> None:
    built = Built()
    built.builder.reader_time.see_event(NOW, 7_000_000)
    [read] = built(record(EPC, 1, -50, 1, 6_950_000))
    assert (read.age_ns, read.reported_at_us) == (GATHER + 50 * NS_PER_MS, 6_950_000)


def test_read_is_never_younger_than_its_arrival() -> None:
    built = Built()
    reads = built(record(EPC, 1, -50, 1, 0, 7_000_000), record(EPC, 1, -50, 1, 0, 7_000_001))
    assert [read.age_ns for read in reads] == [GATHER + 1000, GATHER]


def test_held_read_keeps_its_true_age_and_is_counted() -> None:
    built = Built()
    built.builder.reader_time.see_event(NOW, 400_000_000)
    [read] = built(record(EPC, 1, -50, 1, 100_000_000, 100_000_000))
    assert read.age_ns == GATHER + 300 * NS_PER_S
    assert built.counts == {"reads_late": 1}


def test_unbelievable_stamp_is_replaced_by_arrival() -> None:
    built = Built()
    built.builder.reader_time.see_event(NOW, 10_000_000_000_000)
    [read] = built(record(EPC, 1, -50, 1, 5, 5))
    assert read.age_ns == GATHER
    assert read.reported_at_us == 5
    assert built.counts == {"reads_late": 1, "stamps_implausible": 1}


def test_one_stamp_from_the_future_is_recovered_from() -> None:
    built = Built()
    year_us = 365 * 86_400 * 1_000_000
    assert built(record(EPC, 1, -50, 1, None, year_us))[0].age_ns == GATHER
    assert built(record(EPC, 1, -50, 1, None, 3 * year_us))[0].age_ns == GATHER
    for second in range(10):
        stamp_us = year_us + second * 1_000_000
        [read] = built(record(EPC, 1, -50, 1, None, stamp_us), now=NOW + second * NS_PER_S)
        assert read.age_ns == GATHER
    assert built.builder.reader_time.steps == 2


def test_tag_without_an_epc_is_counted_and_left_out() -> None:
    built = Built()
    assert built(record(None, 1), record(b"", 1)) == []
    assert built.counts == {"tags_without_epc": 2}


def test_read_without_an_antenna_is_counted() -> None:
    built = Built()
    assert built(record(EPC))[0].read_point == "dock:0"
    assert built.counts == {"reads_without_antenna": 1}


def test_read_below_the_floor_is_counted_and_left_out() -> None:
    built = Built(floor=-60)
    assert [read.rssi_cdbm for read in built(record(EPC, 1, -61), record(EPC, 1, -60))] == [-6000]
    assert built(record(EPC, 1))[0].rssi_cdbm is None
    assert built.counts == {"reads_below_floor": 1}


def test_one_tag_is_one_string() -> None:
    built = Built()
    first, second = built(record(EPC, 1)), built(record(bytes(EPC), 1))
    assert first[0].epc is second[0].epc
    assert first[0].read_point is second[0].read_point


def test_strings_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tag_reads, "EPCS_MAX", 10)
    built = Built()
    reads = built(*(record(number.to_bytes(4), 1) for number in range(1, 100)))
    assert len(reads) == 99
    assert len(built.builder._epcs) <= 10
