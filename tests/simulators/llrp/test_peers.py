"""Foreign clients inventory against the simulated reader over a real socket."""

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from llrpkit.reader import Reader
from pyllrp.LLRPConnector import LLRPConnector
from pyllrp.pyllrp import (
    GET_READER_CONFIG_Message,
    GetReaderConfigRequestedData,
)
from pyllrp.TagInventory import TagInventory
from sllurp.llrp import LLRP_DEFAULT_PORT, LLRPReaderClient, LLRPReaderConfig, LLRPReaderState

from simulators.llrp import (
    IMPINJ_R420,
    PLAIN,
    Device,
    LlrpReader,
    Options,
    RadioSettings,
    StillField,
    numbered_epcs,
)
from simulators.llrp.faults import truncated
from simulators.llrp.wire import frame, tlv
from tests.simulators.llrp.client import Client
from tests.simulators.llrp.tap import Piece, Tap, write_capture

TAGS = numbered_epcs(20)
HEX = {epc.hex() for epc in TAGS}
FLAVOURS = pytest.mark.parametrize("device", [IMPINJ_R420, PLAIN], ids=["impinj", "plain"])
CONTENT = {
    "EnableROSpecID": True,
    "EnableSpecIndex": True,
    "EnableInventoryParameterSpecID": True,
    "EnableAntennaID": True,
    "EnableChannelIndex": True,
    "EnablePeakRSSI": True,
    "EnableFirstSeenTimestamp": True,
    "EnableLastSeenTimestamp": True,
    "EnableTagSeenCount": True,
    "EnableAccessSpecID": True,
}


ONE_SEGMENT_A_READ = RadioSettings(reads_per_s=60.0, slice_s=0.0)
"""llrpjs takes one message from each piece of data that comes and leaves the others lying."""


def make(device: Device = IMPINJ_R420, radio: RadioSettings | None = None) -> LlrpReader:
    random = Random(3)
    options = Options(device=device, radio=radio or RadioSettings())
    return LlrpReader(StillField(TAGS, random, (1, 2)), random, options)


def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Poll a condition in a thread."""
    deadline = time.perf_counter() + seconds
    while not condition():
        assert time.perf_counter() < deadline, "condition not met"
        time.sleep(0.01)


def sllurp_inventory(port: int, **config: Any) -> list[dict[str, Any]]:
    """Read with sllurp's threaded client until every tag was seen."""
    reads: list[dict[str, Any]] = []
    wish = {
        "antennas": [1, 2],
        "report_every_n_tags": 60,
        "session": 0,
        "tag_content_selector": CONTENT,
        "keepalive_interval": 100,
    }
    client = LLRPReaderClient("127.0.0.1", port, LLRPReaderConfig(wish | config))
    client.add_tag_report_callback(lambda _reader, tags: reads.extend(tags))
    client.connect()
    try:
        until(lambda: {r["EPC"].decode() for r in reads} >= HEX)
        until(lambda: client.llrp.state == LLRPReaderState.STATE_INVENTORYING)
        # It waits for an answer only after it has asked: a quick one passes it by.
        client.disconnect(timeout=0.3)
    finally:
        client.hard_disconnect()
        client.join(2)
    assert not client.is_alive()
    return reads


@FLAVOURS
async def test_sllurp_reads_every_tag(device: Device) -> None:
    async with make(device) as reader:
        reads = await asyncio.to_thread(sllurp_inventory, reader.port)
        assert {r["EPC"].decode() for r in reads} == HEX
        assert {r["AntennaID"] for r in reads} == {1, 2}
        stamp = "FirstSeenTimestampUTC" if device.has_utc_clock else "FirstSeenTimestampUptime"
        assert all(stamp in r for r in reads)
    assert LLRP_DEFAULT_PORT == 5084


async def test_sllurp_gets_the_vendor_parts() -> None:
    extras = {"EnableRFPhaseAngle": True, "EnablePeakRSSI": True, "EnableRFDopplerFrequency": True}
    async with make() as reader:
        reads = await asyncio.to_thread(
            sllurp_inventory,
            reader.port,
            impinj_search_mode="2",
            impinj_tag_content_selector=extras,
        )
        assert all(0 <= r["ImpinjRFPhaseAngle"] < 4096 for r in reads)
        assert all(-7000 < r["ImpinjPeakRSSI"] < -3900 for r in reads)


async def seen_by(stream: AsyncGenerator[Any, None], wanted: set[str] = HEX) -> set[str]:
    """The EPCs that a stream of llrpkit brings, until it ends or has all that is wanted."""
    epcs: set[str] = set()
    async with aclosing(stream) as tags:
        async for tag in tags:
            epcs.add(tag.epc_hex)
            if epcs >= wanted:
                break
    return epcs


@FLAVOURS
async def test_llrpkit_reads_every_tag(device: Device) -> None:
    async with make(device) as reader, Reader("127.0.0.1", reader.port) as client:
        assert client.is_impinj is device.has_extensions
        await client.set_keepalive(100)
        assert await seen_by(client.inventory(session=0, duration=3.0, antennas=(1, 2))) == HEX
        gpio = await client.get_gpio()
        assert len(gpio.gpis) == device.input_count
        await client.set_gpo(2, True)
        assert reader.outputs[2]


async def test_llrpkit_is_gated_by_an_input() -> None:
    async with make() as reader, Reader("127.0.0.1", reader.port) as client:
        asyncio.get_running_loop().call_later(0.1, reader.set_input, 1, True)
        asyncio.get_running_loop().call_later(0.6, reader.set_input, 1, False)
        stream = client.inventory(session=0, duration=1.0, gpi_trigger=1)
        assert await seen_by(stream, wanted=HEX | {"no such tag"}) == HEX
        assert not reader.inventorying


async def test_llrpkit_selects_by_epc() -> None:
    async with make() as reader, Reader("127.0.0.1", reader.port) as client:
        wanted = TAGS[4].hex()
        one = client.inventory(session=0, max_tags=5, epc_filter=wanted)
        assert await seen_by(one) == {wanted}
        rest = client.inventory(session=0, max_tags=100, epc_filter=wanted, filter_action="exclude")
        assert await seen_by(rest) == HEX - {wanted}


async def test_pyllrp_reads_every_tag() -> None:
    def inventory(port: int) -> tuple[set[str], list[Any]]:
        client = TagInventory("127.0.0.1", transmitPower=81)
        client.readWaitMilliseconds = 400
        connect = PyllrpConnect(port)
        with connect:
            client.Connect()
        try:
            asked = GET_READER_CONFIG_Message(RequestedData=GetReaderConfigRequestedData.All)
            assert client.connector.transact(asked).success()
            tags, others = client.GetTagInventory()
        finally:
            client.Disconnect()
        return tags, others

    async with make() as reader:
        tags, _others = await asyncio.to_thread(inventory, reader.port)
        assert {tag.lower() for tag in tags} == HEX


class PyllrpConnect:
    """Lets pyllrp's inventory, which knows port 5084 alone, connect to another."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._patch = pytest.MonkeyPatch()

    def __enter__(self) -> None:
        plain = LLRPConnector.connect
        self._patch.setattr(
            LLRPConnector, "connect", lambda each, host: plain(each, host, self._port)
        )

    def __exit__(self, *_error: object) -> None:
        self._patch.undo()


async def test_client_opening_with_version_2_is_answered_and_goes_on() -> None:
    async with make() as reader:
        client = await Client.over_socket(reader.port)
        await client.wait_for(63)
        refused = await client.ask(46, version=2)
        assert (refused.type, refused.status) == (100, 110)
        assert (await client.ask(1, b"\0")).status == 0
        client.close()
        await client.closed.wait()


LLRPJS = """
const { LLRPClient, LLRPCore } = require("llrpjs");
const client = new LLRPClient({ host: "127.0.0.1", port: Number(process.argv[2]) });
const epcs = new Set();
client.on("error", (error) => { console.error(error); process.exit(1); });
client.on("RO_ACCESS_REPORT", (message) => {
  for (const tag of [message.getTagReportData()].flat()) {
    epcs.add(tag.getEPCParameter().getEPC());
  }
});
(async () => {
  await client.connect();
  await client.recv(2000);
  await client.transact(new LLRPCore.SET_READER_CONFIG({ data: { ResetToFactoryDefault: true } }));
  await client.transact(new LLRPCore.DELETE_ROSPEC({ data: { ROSpecID: 0 } }));
  const rospec = JSON.parse(process.argv[3]);
  await client.transact(new LLRPCore.ADD_ROSPEC({ data: { ROSpec: rospec } }));
  await client.transact(new LLRPCore.ENABLE_ROSPEC({ data: { ROSpecID: 1 } }));
  await new Promise((done) => setTimeout(done, 1200));
  console.log(JSON.stringify([...epcs]));
  process.exit(0);
})().catch((error) => { console.error(error); process.exit(1); });
"""
LLRPJS_ROSPEC = {
    "ROSpecID": 1,
    "Priority": 0,
    "CurrentState": "Disabled",
    "ROBoundarySpec": {
        "ROSpecStartTrigger": {"ROSpecStartTriggerType": "Immediate"},
        "ROSpecStopTrigger": {"ROSpecStopTriggerType": "Null", "DurationTriggerValue": 0},
    },
    "AISpec": {
        "AntennaIDs": [1, 2],
        "AISpecStopTrigger": {"AISpecStopTriggerType": "Null", "DurationTrigger": 0},
        "InventoryParameterSpec": {
            "InventoryParameterSpecID": 1,
            "ProtocolID": "EPCGlobalClass1Gen2",
        },
    },
    "ROReportSpec": {
        "ROReportTrigger": "Upon_N_Tags_Or_End_Of_ROSpec",
        "N": 1,
        "TagReportContentSelector": {
            **{name: name in {"EnableAntennaID", "EnablePeakRSSI"} for name in CONTENT},
        },
    },
}


@pytest.fixture(scope="session")
def llrpjs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where node finds llrpjs; a visible skip where node or the package is missing."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("llrpjs")
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefer-offline"]
    try:
        subprocess.run(
            [*command, "--ignore-scripts", "llrpjs@1.0.1"], cwd=folder, check=True, timeout=30
        )
    except (subprocess.SubprocessError, OSError) as error:
        pytest.skip(f"llrpjs cannot be installed: {error}")
    return folder


@pytest.mark.server
async def test_llrpjs_reads_every_tag(llrpjs: Path) -> None:
    script = llrpjs / "inventory.js"
    script.write_text(LLRPJS)
    async with make(radio=ONE_SEGMENT_A_READ) as reader:
        process = await asyncio.create_subprocess_exec(
            "node",
            str(script),
            str(reader.port),
            json.dumps(LLRPJS_ROSPEC),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(15):
            out, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
        assert {epc.lower() for epc in json.loads(out)} == HEX


FALSE_ALARM = "Incorrect length of parameter: 13 bytes decoded, but 15 bytes claimed."
"""tshark forgets the count bytes of Identification; it says so of a real reader's answer too."""


class Dissection(NamedTuple):
    """What tshark makes of a capture."""

    kinds: set[int]
    complaints: set[str]


def dissect(tshark: str, capture: Path) -> Dissection:
    fields = ("llrp.type", "_ws.expert.message", "_ws.malformed")
    columns = [word for name in fields for word in ("-e", name)]
    done = subprocess.run(
        [tshark, "-r", str(capture), "-Y", "llrp", "-T", "fields", *columns],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    kinds: set[int] = set()
    complaints: set[str] = set()
    for line in done.stdout.splitlines():
        types, complaint, malformed = line.split("\t")
        kinds.update(int(each) for each in types.split(","))
        if complaint or malformed:
            complaints.add(complaint)
    return Dissection(kinds, complaints)


@pytest.mark.server
@pytest.mark.parametrize("device", [IMPINJ_R420, PLAIN], ids=["impinj", "plain"])
async def test_tshark_finds_no_malformed_frame_in_either_direction(
    device: Device, require: Callable[[str], str], tmp_path: Path
) -> None:
    tshark = require("tshark")
    extras = {"EnableRFPhaseAngle": True, "EnablePeakRSSI": True, "EnableRFDopplerFrequency": False}
    async with make(device) as reader, Tap(reader.port) as tap:
        await asyncio.to_thread(
            sllurp_inventory,
            tap.port,
            **({"impinj_tag_content_selector": extras} if device.has_extensions else {}),
        )
        async with Reader("127.0.0.1", tap.port) as client:
            await client.get_config()
            async for tag in client.inventory(session=0, max_tags=30):
                assert tag.epc_hex in HEX
            reader.set_antenna(2, False)
            reader.raise_exception("too hot", antenna=2)
            await client.set_gpo(1, True)
    capture = tmp_path / "session.pcap"
    write_capture(capture, tap.pieces)
    found = dissect(tshark, capture)
    assert found.complaints <= {FALSE_ALARM}
    assert {p.from_client for p in tap.pieces} == {True, False}
    assert {1, 2, 3, 11, 12, 13, 20, 21, 24, 30, 31, 34, 61, 63} <= found.kinds


@pytest.mark.server
def test_tshark_would_find_a_malformed_frame(require: Callable[[str], str], tmp_path: Path) -> None:
    capture = tmp_path / "broken.pcap"
    good = frame(61, 1, tlv(240, b"\x8d" + TAGS[0] + b"\x81\0\x01"))
    write_capture(capture, [Piece(False, good), Piece(False, truncated(good, Random(1)))])
    assert len(dissect(require("tshark"), capture).complaints) == 1


@pytest.mark.server
def test_tshark_raises_its_false_alarm_on_a_real_reader_too(
    data_folder: Path, require: Callable[[str], str], tmp_path: Path
) -> None:
    capture = tmp_path / "real.pcap"
    body = (data_folder / "llrp/edgex_GetReaderConfigResponse-000.payload.bin").read_bytes()
    write_capture(capture, [Piece(False, frame(12, 1, body))])
    assert dissect(require("tshark"), capture).complaints == {FALSE_ALARM}
