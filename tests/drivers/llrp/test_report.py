import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.llrp.report import TEMPLATES_MAX, ReportDecoder
from drivers.llrp.template import NO_RECORD, Record
from gateway.ports import ProtocolError
from tests.drivers.llrp.captures import edgex_frame, read, split, xml_tags
from tests.drivers.llrp.wire import custom, epc_data, report, tag, tlv

EPC = bytes.fromhex("3034000091b7584a2265b1f5")
FIELDS = ("epc", "antenna", "rssi", "seen", "first", "last")


def decode(frame: bytes) -> list[Record]:
    return ReportDecoder().decode(frame)


def expected_of(twin: Path) -> list[tuple[object, ...]]:
    """What the XML says, with what a tag leaves out taken from the tag before."""
    previous: dict[str, object] = {}
    expected = []
    for tag_of_xml in xml_tags(twin):
        merged = {**{key: previous.get(key) for key in FIELDS[1:]}, **tag_of_xml}
        previous = merged
        expected.append(tuple(merged.get(key) for key in FIELDS))
    return expected


@pytest.mark.parametrize(
    ("stream", "twin", "tags"),
    [
        ("ltk_dx101_a.bin", "ltk_dx101_a.xml.gz", 130),
        ("ltk_dx101_b.bin", "ltk_dx101_b.xml.gz", 132),
        ("ltkjava_RO_ACCESS_REPORT.bin", "ltkjava_RO_ACCESS_REPORT.xml", 1),
    ],
)
def test_reports_of_the_toolkit_equal_their_xml_twins(
    data_folder: Path, stream: str, twin: str, tags: int
) -> None:
    decoder = ReportDecoder()
    frames = split(read(data_folder / "llrp" / stream))
    reports = [frame for frame in frames if frame[1] == 61]
    found = [record[:6] for frame in reports for record in decoder.decode(frame)]
    assert found == expected_of(data_folder / "llrp" / twin)
    assert len(found) == tags
    assert decoder.tags_given_up == 0


def test_reports_with_custom_parameters_everywhere_decode(data_folder: Path) -> None:
    frames = split(read(data_folder / "llrp" / "ltk_dx101_e.bin.gz"))
    reports = [frame for frame in frames if frame[1] == 61 and frame[0] & 3 == 0]
    assert len(reports) == 75
    assert sum(len(decode(frame)) for frame in reports) == 237


def test_nine_reports_of_an_r420_are_nine_epcs(data_folder: Path) -> None:
    paths = sorted((data_folder / "llrp").glob("edgex_ROAccessReport-*.payload.bin"))
    decoder = ReportDecoder()
    records = [record for path in paths for record in decoder.decode(edgex_frame(path))]
    assert len(paths) == len({record[0] for record in records}) == 9
    assert {record[1] for record in records} == {1}
    assert all(-68 <= (record[2] or 0) <= -45 for record in records)


def test_impinj_values_are_taken() -> None:
    extra = custom(25882, 56, struct.pack("!H", 4095)) + custom(25882, 57, struct.pack("!h", -5512))
    extra += custom(25882, 68, struct.pack("!h", -3))
    [record] = decode(report(tag(EPC, antenna=3, extra=extra)))
    assert record[6:] == (4095, -5512, -3)


def test_unknown_vendor_and_subtype_are_skipped() -> None:
    extra = custom(161, 9, b"zebra") + custom(25882, 999, b"") + tlv(500, b"abc")
    [record] = decode(report(tag(EPC, antenna=3, extra=extra)))
    assert record[:2] == (EPC, 3)


def test_unknown_parameter_of_a_message_is_skipped() -> None:
    records = decode(report(tlv(242, b"survey"), tag(EPC, antenna=1), custom(161, 1, b"")))
    assert [record[0] for record in records] == [EPC]


def test_empty_report_has_no_reads() -> None:
    assert decode(report()) == []


def test_unknown_tv_costs_that_tag_only() -> None:
    decoder = ReportDecoder()
    frame = report(tag(EPC, antenna=1), tag(EPC, antenna=2, extra=b"\xa0xx"), tag(EPC, antenna=3))
    assert [record[1] for record in decoder.decode(frame)] == [1, 3]
    assert decoder.tags_given_up == 1


@pytest.mark.parametrize(
    ("bits", "content", "epc"),
    [
        (96, EPC, EPC),
        (128, EPC + b"\1\2\3\4", EPC + b"\1\2\3\4"),
        (1, b"\xff", b"\x80"),
        (7, b"\xff", b"\xfe"),
        (9, b"\xff\xff", b"\xff\x80"),
        (495, b"\xff" * 62, b"\xff" * 61 + b"\xfe"),
        (0, b"", b""),
    ],
)
def test_epc_of_odd_length_keeps_its_bits(bits: int, content: bytes, epc: bytes) -> None:
    decoder = ReportDecoder()
    frame = report(tlv(240, epc_data(bits, content)))
    assert [decoder.decode(frame)[0][0] for _ in range(2)] == [epc, epc]


def test_epc_that_is_cut_short_is_refused() -> None:
    with pytest.raises(ProtocolError, match="EPC overruns"):
        decode(report(tlv(240, epc_data(128, EPC[:4]))))
    with pytest.raises(ProtocolError, match="overruns its tag"):
        decode(report(tlv(240, b"\x8d" + EPC[:4])))


def test_omitted_antenna_is_carried_over_between_messages() -> None:
    decoder = ReportDecoder()
    decoder.decode(report(tag(EPC, antenna=4, rssi=-50)))
    [record] = decoder.decode(report(tag(EPC)))
    assert record[:3] == (EPC, 4, -50)


def test_omitted_antenna_is_not_carried_to_another_connection() -> None:
    decode(report(tag(EPC, antenna=4)))
    assert decode(report(tag(EPC)))[0][1] is None


def test_only_antenna_is_known_before_the_reader_tells() -> None:
    assert ReportDecoder(antenna=2).decode(report(tag(EPC)))[0][1] == 2


def test_same_length_and_other_shape_is_not_mistaken() -> None:
    decoder = ReportDecoder()
    with_antenna = report(tlv(240, b"\x8d" + EPC + b"\x81\x00\x02"))
    with_channel = report(tlv(240, b"\x8d" + EPC + b"\x87\x00\x09"))
    for _ in range(2):
        assert decoder.decode(with_antenna)[0][1] == 2
        assert decoder.decode(with_channel)[0][1] == 2


def test_vendor_is_part_of_the_shape() -> None:
    decoder = ReportDecoder()
    phase = struct.pack("!H", 77)
    for vendor, value in ((161, None), (25882, 77), (161, None)):
        [record] = decoder.decode(report(tag(EPC, antenna=1, extra=custom(vendor, 56, phase))))
        assert record[6] == value


def test_kind_of_stamps_is_known() -> None:
    decoder = ReportDecoder()
    decoder.decode(report(tlv(240, b"\x8d" + EPC + b"\x85" + bytes(8))))
    assert decoder.uptime
    decoder.decode(report(tlv(240, b"\x8d" + EPC + b"\x84" + bytes(8))))
    assert not decoder.uptime


def test_shapes_kept_are_bounded() -> None:
    decoder = ReportDecoder()
    for size in range(3 * TEMPLATES_MAX):
        decoder.decode(report(tag(EPC, antenna=1, extra=tlv(500, bytes(size)))))
    assert sum(len(kept) for kept in decoder._templates.values()) <= TEMPLATES_MAX


def test_report_of_more_than_a_megabyte_decodes() -> None:
    tags = [
        tag(number.to_bytes(12), antenna=1 + number % 4, rssi=-40, seen=1, first=5, last=6)
        for number in range(33_000)
    ]
    frame = report(*tags)
    assert len(frame) > 1_400_000
    records = decode(frame)
    assert [record[0] for record in records] == [n.to_bytes(12) for n in range(33_000)]


@pytest.mark.parametrize("kind", [60, 62])
def test_other_message_is_refused(kind: int) -> None:
    frame = report(tag(EPC))
    with pytest.raises(ProtocolError):
        decode(struct.pack("!H", 0x400 | kind) + frame[2:])


def test_every_truncation_is_refused() -> None:
    whole = report(tag(EPC, antenna=1, rssi=-3), tlv(240, epc_data(100, bytes(13))))
    boundaries = {10, 10 + len(tag(EPC, antenna=1, rssi=-3))}
    for size in range(10, len(whole)):
        cut = whole[:2] + size.to_bytes(4) + whole[6:size]
        if size in boundaries:
            assert len(decode(cut)) < 2
            continue
        with pytest.raises(ProtocolError):
            decode(cut)


WHOLE = report(
    tag(EPC, antenna=1, rssi=-40, seen=2, extra=custom(25882, 56, b"\1\2")),
    tlv(240, epc_data(100, bytes(13)) + b"\x81\x00\x02"),
    tlv(500, b"skip me"),
)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(10, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=6
    )
)
def test_mutated_report_is_read_or_refused(changes: list[tuple[int, int]]) -> None:
    mutated = bytearray(WHOLE)
    for position, value in changes:
        mutated[position] = value
    decoder = ReportDecoder()
    for _ in range(2):  # the second time through templates that the first one left
        try:
            records = decoder.decode(bytes(mutated))
        except ProtocolError:
            records = []
        assert all(len(record) == len(NO_RECORD) for record in records)
        for record in records:
            assert record[0] is None or isinstance(record[0], bytes)
            assert record[1] is None or 0 <= record[1] <= 65_535


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    frame = struct.pack("!HII", 0x400 | 61, 10 + len(body), 1) + body
    try:
        records = decode(frame)
    except ProtocolError:
        records = []
    assert isinstance(records, list)
