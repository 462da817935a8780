import struct
from pathlib import Path
from typing import Any

import pytest
from llrpkit.protocol import decode_message
from llrpkit.reader import Reader

from simulators.llrp.playback import PlaybackReader, Recording
from simulators.llrp.wire import frame, llrp_status, tlv
from tests.simulators.llrp import orders
from tests.simulators.llrp.client import Client

SMALL = Recording({11: llrp_status() + tlv(142, bytes(24))}, (b"first", b"second"))


@pytest.fixture(scope="session")
def session_2007(data_folder: Path) -> Recording:
    return Recording.of_session((data_folder / "llrp/ltk_dx101_a.bin").read_bytes())


@pytest.fixture(scope="session")
def speedway(data_folder: Path) -> Recording:
    folder = data_folder / "llrp"

    def payload(name: str) -> bytes:
        return (folder / f"edgex_{name}.payload.bin").read_bytes()

    reports = tuple(payload(f"ROAccessReport-00{n}") for n in range(1, 10))
    answers = {
        11: payload("GetReaderCapabilitiesResponse-000"),
        12: payload("GetReaderConfigResponse-000"),
    }
    return Recording(answers, reports)


def epcs(client: Client) -> set[str]:
    found = set()
    for message in client.of(61):
        report: Any = decode_message(message.whole)
        found.update(bytes(t.epc_parameter.epc).hex() for t in report.tag_report_datas)
    return found


async def connected(reader: PlaybackReader) -> Client:
    client = await Client.over_socket(reader.port)
    await client.wait_for(63)
    return client


async def start(client: Client) -> None:
    assert (await client.ask(20, orders.add())).status == 0
    assert (await client.ask(24, orders.number(1))).status == 0


async def test_recorded_session_of_2007_is_played_under_new_ids(session_2007: Recording) -> None:
    async with PlaybackReader(session_2007) as reader:
        client = await connected(reader)
        greeting = client.unasked[0].body
        stamp_us = struct.unpack_from("!Q", greeting, 8)[0]
        capabilities: Any = decode_message((await client.ask(1, b"\0")).whole)
        assert capabilities.general_device_capabilities.reader_firmware_version == "2.5.34.240"
        assert stamp_us // 1_000_000 == 1_173_286_878
        await start(client)
        await client.wait_for(61, count=3)
        assert len(epcs(client)) == 65
        assert reader.reported == 3
        client.close()


async def test_speedway_answers_and_its_nine_reports(speedway: Recording) -> None:
    async with PlaybackReader(speedway) as reader:
        client = await connected(reader)
        assert (await client.ask(1, b"\0")).body == speedway.answers[11]
        assert (await client.ask(2, bytes(7))).body == speedway.answers[12]
        await start(client)
        await client.wait_for(61, count=9)
        assert len(epcs(client)) == 9
        client.close()


async def test_foreign_client_inventories_the_recording(speedway: Recording) -> None:
    async with PlaybackReader(speedway) as reader, Reader("127.0.0.1", reader.port) as client:
        assert client.model_number == 2001002
        reads = [tag async for tag in client.inventory(max_tags=9, duration=3.0)]
        assert len({tag.epc_hex for tag in reads}) == 9
        assert {(r.version, r.type) for r in reader.requests} >= {(1, 1), (1, 1023), (1, 20)}


async def test_request_that_was_not_recorded_succeeds() -> None:
    async with PlaybackReader(SMALL) as reader:
        client = await connected(reader)
        for kind in (2, 3, 20, 24, 40, 44):
            answer = await client.ask(kind, orders.add() if kind == 20 else bytes(4))
            assert (answer.type, answer.status) == (kind + 10, 0)
        assert (await client.ask(46, version=2)).status == 110
        assert (await client.ask(46)).status == 109
        assert (await client.ask(14)).type == 4
        await client.closed.wait()


async def test_rospec_is_told_back_with_its_state() -> None:
    async with PlaybackReader(SMALL) as reader:
        client = await connected(reader)
        assert (await client.ask(26)).body == llrp_status()
        await start(client)
        told: Any = decode_message((await client.ask(26)).whole)
        assert [(r.ro_spec_id, r.current_state) for r in told.ro_specs] == [(1, 2)]
        await client.ask(21, orders.number(0))
        assert (await client.ask(26)).body == llrp_status()
        client.close()


async def test_reports_come_once_an_enabling_and_again_after_the_next() -> None:
    async with PlaybackReader(SMALL) as reader:
        client = await connected(reader)
        await start(client)
        await client.ask(22, orders.number(1))
        await client.wait_for(61, count=2)
        await client.ask(25, orders.number(1))
        await client.ask(24, orders.number(1))
        reports = await client.wait_for(61, count=4)
        assert [r.body for r in reports] == [b"first", b"second"] * 2
        client.close()


async def test_keepalives_come_as_asked_and_a_second_client_is_refused() -> None:
    async with PlaybackReader(SMALL) as reader:
        client = await connected(reader)
        await client.ask(3, orders.keepalive(30))
        await client.wait_for(62, count=3)
        second = await connected(reader)
        await second.closed.wait()
        assert second.unasked[0].body.endswith(struct.pack("!HHH", 256, 6, 2))
        client.close()


def test_recording_keeps_the_first_success_of_each_type() -> None:
    failed = llrp_status()[:4] + b"\0\x65" + bytes(2)
    data = frame(34, 1, failed) + frame(34, 2, llrp_status() + b"a") + frame(34, 3, llrp_status())
    recording = Recording.of_session(frame(24, 1, bytes(4)) + data + frame(61, 4, b"r"))
    assert recording.answers == {34: llrp_status() + b"a"}
    assert recording.reports == (b"r",)
