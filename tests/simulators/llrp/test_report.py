from dataclasses import replace
from typing import Any

import pytest
from llrpkit.protocol import decode_message

from simulators.llrp.field import Sighting
from simulators.llrp.report import (
    ENABLE_DOPPLER,
    ENABLE_PEAK_RSSI,
    ENABLE_PHASE,
    END_OF_AISPEC,
    END_OF_ROSPEC,
    NONE,
    Accumulator,
    Content,
    Origin,
    ReportSpec,
    parse_report_spec,
)
from simulators.llrp.wire import frame

EPC = bytes.fromhex("3034000091b7584a00000001")
ALL = 0xFFC0
HERE = Origin(rospec=9, spec_index=1, inventory_spec=3, antenna=2)
SEEN = Sighting(EPC, -51.6, pc=0x3000, crc=0xBEEF, phase=4097, doppler=-33, channel=17)


def decoded(body: bytes | None) -> list[Any]:
    assert body is not None
    report = decode_message(frame(61, 1, body))
    return list(report.tag_report_datas)


def gather(spec: ReportSpec, utc: bool = True) -> Accumulator:
    return Accumulator(spec, has_utc_clock=utc)


def test_report_with_everything_enabled_is_complete() -> None:
    spec = ReportSpec(content=ALL, with_crc=True, with_pc=True)
    (tag,) = decoded(gather(spec).add(SEEN, HERE, 1_000))
    assert bytes(tag.epc_parameter.epc) == EPC
    assert (tag.ro_spec_id.ro_spec_id, tag.spec_index.spec_index) == (9, 1)
    assert tag.inventory_parameter_spec_id.inventory_parameter_spec_id == 3
    assert (tag.antenna_id.antenna_id, tag.peak_rssi.peak_rssi) == (2, -52)
    assert tag.channel_index.channel_index == 17
    assert tag.first_seen_timestamp_utc.microseconds == 1_000
    assert tag.last_seen_timestamp_utc.microseconds == 1_000
    assert tag.tag_seen_count.tag_count == 1
    assert [type(d).__name__ for d in tag.air_protocol_tag_datas] == ["C1G2_PC", "C1G2_CRC"]
    assert tag.access_spec_id.access_spec_id == 0


@pytest.mark.parametrize(
    ("bit", "attribute"),
    [
        (Content.ROSPEC_ID, "ro_spec_id"),
        (Content.SPEC_INDEX, "spec_index"),
        (Content.INVENTORY_PARAMETER_SPEC_ID, "inventory_parameter_spec_id"),
        (Content.ANTENNA_ID, "antenna_id"),
        (Content.CHANNEL_INDEX, "channel_index"),
        (Content.PEAK_RSSI, "peak_rssi"),
        (Content.FIRST_SEEN, "first_seen_timestamp_utc"),
        (Content.LAST_SEEN, "last_seen_timestamp_utc"),
        (Content.SEEN_COUNT, "tag_seen_count"),
        (Content.ACCESS_SPEC_ID, "access_spec_id"),
    ],
)
def test_each_selector_bit_brings_its_field_alone(bit: int, attribute: str) -> None:
    (tag,) = decoded(gather(ReportSpec(content=bit)).add(SEEN, HERE, 5))
    optional = [
        "ro_spec_id",
        "spec_index",
        "inventory_parameter_spec_id",
        "antenna_id",
        "channel_index",
        "peak_rssi",
        "first_seen_timestamp_utc",
        "last_seen_timestamp_utc",
        "tag_seen_count",
        "access_spec_id",
    ]
    assert [name for name in optional if getattr(tag, name) is not None] == [attribute]


def test_reader_without_utc_stamps_in_uptime() -> None:
    spec = ReportSpec(content=Content.FIRST_SEEN | Content.LAST_SEEN)
    (tag,) = decoded(gather(spec, utc=False).add(SEEN, HERE, 5))
    assert tag.first_seen_timestamp_uptime.microseconds == 5
    assert tag.last_seen_timestamp_uptime.microseconds == 5
    assert tag.first_seen_timestamp_utc is None


def test_vendor_parts_come_as_asked() -> None:
    extras = frozenset({ENABLE_PHASE, ENABLE_PEAK_RSSI, ENABLE_DOPPLER})
    (tag,) = decoded(gather(ReportSpec(extras=extras)).add(SEEN, HERE, 5))
    phase, rssi, doppler = tag.custom
    assert (phase.phase_angle, rssi.rssi, doppler.doppler_frequency) == (1, -5160, -33)


@pytest.mark.parametrize("length", [2, 8, 18, 62])
def test_epc_of_other_length_carries_its_bit_count(length: int) -> None:
    body = gather(ReportSpec()).add(SEEN._replace(epc=bytes(range(length))), HERE, 5)
    assert body is not None
    head = bytes([0, 241, 0, 6 + length, length * 8 >> 8, length * 8 & 255])
    assert body[4 : 10 + length] == head + bytes(range(length))
    assert decoded(body)


def test_every_read_is_a_report_when_n_is_one() -> None:
    gathered = gather(ReportSpec())
    assert [len(decoded(gathered.add(SEEN, HERE, t))) for t in range(3)] == [1, 1, 1]
    assert gathered.end_of_rospec() == b""


def test_reads_accumulate_into_one_entry() -> None:
    gathered = gather(ReportSpec(END_OF_ROSPEC, 0, ALL))
    for at_us, rssi in ((10, -60.0), (20, -41.0), (30, -70.0)):
        assert gathered.add(SEEN._replace(rssi_dbm=rssi), HERE, at_us) is None
    assert gathered.end_of_ai_spec() == b""
    (tag,) = decoded(gathered.end_of_rospec())
    assert tag.tag_seen_count.tag_count == 3
    assert tag.peak_rssi.peak_rssi == -41
    assert tag.first_seen_timestamp_utc.microseconds == 10
    assert tag.last_seen_timestamp_utc.microseconds == 30
    assert gathered.end_of_rospec() == b""


@pytest.mark.parametrize(("content", "entries"), [(ALL, 2), (ALL & ~Content.ANTENNA_ID, 1)])
def test_entries_split_by_an_enabled_key_field_alone(content: int, entries: int) -> None:
    gathered = gather(ReportSpec(END_OF_ROSPEC, 0, content))
    gathered.add(SEEN, HERE, 10)
    gathered.add(SEEN, HERE._replace(antenna=3), 20)
    assert len(decoded(gathered.end_of_rospec())) == entries


def test_report_of_n_entries_comes_when_they_are_full() -> None:
    gathered = gather(ReportSpec(every=3))
    epcs = [EPC[:-1] + bytes([n]) for n in (1, 2, 1, 3)]
    out = [gathered.add(SEEN._replace(epc=epc), HERE, 1) for epc in epcs]
    assert [body is None for body in out] == [True, True, True, False]
    assert len(decoded(out[3])) == 3


def test_triggers_say_where_the_rest_comes() -> None:
    for trigger, at_ai_spec, at_rospec in (
        (NONE, False, False),
        (END_OF_AISPEC, True, True),
        (END_OF_ROSPEC, False, True),
    ):
        gathered = gather(ReportSpec(trigger, 0))
        gathered.add(SEEN, HERE, 1)
        assert bool(gathered.end_of_ai_spec()) == at_ai_spec
        gathered.add(SEEN, HERE, 1)
        assert bool(gathered.end_of_rospec()) == at_rospec
        gathered.add(SEEN, HERE, 1)
        assert gathered.take() != b""


def test_seen_count_stays_within_sixteen_bits() -> None:
    gathered = gather(ReportSpec(END_OF_ROSPEC, 0, ALL))
    for at_us in range(70_000):
        gathered.add(SEEN, HERE, at_us)
    (tag,) = decoded(gathered.take())
    assert tag.tag_seen_count.tag_count == 65_535


def test_report_spec_survives_its_own_encoding() -> None:
    spec = ReportSpec(1, 7, ALL, with_crc=True, extras=frozenset({52, 67}))
    assert parse_report_spec(spec.encode()[4:], extensions=True) == spec
    assert parse_report_spec(replace(spec, extras=frozenset()).encode()[4:], extensions=False)
