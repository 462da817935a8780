"""Bytes recorded from real readers, over TCP to the daemon, booked and settled in the core."""

import gzip
import json
import sqlite3
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from simulators.broker import mosquitto
from simulators.demo.chain import Chain, run_chain
from simulators.demo.site_files import GATEWAY, SITE
from simulators.llrp.playback import PlaybackReader, Recording

PLACE = "FLOOR"

CONFIG = """
[gateway]
id = "{gateway}"
site = "{site}"
state_folder = "{folder}/state"

[mqtt]
host = "127.0.0.1"
port = {broker}

[reference]
items = "recorded.csv"

[[device]]
id = "recorded-reader"
driver = "llrp"
host = "127.0.0.1"
port = {reader}

[[zone]]
location = "{place}"
antennas = ["recorded-reader:1", "recorded-reader:2", "recorded-reader:3", "recorded-reader:4"]

[rules.presence]
rssi_floor_dbm = -128.0
"""


def golden_epcs(folder: Path) -> set[str]:
    """The EPCs of the three reports, as the LLRP Toolkit's own decoder read them."""
    tree = ET.fromstring(gzip.decompress((folder / "ltk_dx101_a.xml.gz").read_bytes()))
    found = {
        "".join((node.text or "").split()).lower()
        for node in tree.iter()
        if node.tag.rpartition("}")[2] == "EPC"
    }
    return {epc for epc in found if epc}


def catalogue(epcs: set[str]) -> str:
    """Every recorded tag is an item of its own: a catalogue made for the recording."""
    rows = [f"TAG-{number:03d},,0,0,pcs,{epc}" for number, epc in enumerate(sorted(epcs))]
    return "code,name,unit_g,unit_sd_g,uom,epc_prefixes\n" + "\n".join(rows) + "\n"


@asynccontextmanager
async def playing(
    tmp_path: Path, broker_port: int, reader: PlaybackReader, epcs: set[str]
) -> AsyncIterator[Chain]:
    """The daemon and the core, with a recording as their only reader."""
    async with (
        mosquitto(broker_port) as url,
        run_chain(tmp_path, seed=1, broker_url=url, quiet=True) as chain,
        reader,
    ):
        text = CONFIG.format(
            gateway=GATEWAY,
            site=SITE,
            folder=tmp_path,
            broker=broker_port,
            reader=reader.port,
            place=PLACE,
        )
        chain.config.write_text(text, encoding="utf-8")
        (tmp_path / "recorded.csv").write_text(catalogue(epcs), encoding="utf-8")
        await chain.start_daemon()
        yield chain


def booked_epcs(folder: Path) -> set[str]:
    """The EPCs at the place, as the core booked them by Snapshot and Movement."""
    book = sqlite3.connect(f"file:{folder}/core.db?mode=ro", uri=True)
    try:
        rows = book.execute("SELECT body FROM record WHERE status = 'accepted' ORDER BY n")
        bodies = [json.loads(body) for (body,) in rows]
    finally:
        book.close()
    here: set[str] = set()
    for body in bodies:
        if body["event"] == "snapshot" and body["location"] == PLACE:
            here = {epc for line in body["lines"] for epc in line.get("epcs", ())}
        elif body["event"] == "movement" and body["to"]["location"] == PLACE:
            here |= set(body["epcs"])
    return here


@pytest.mark.server
async def test_recorded_session_is_read_booked_and_settled(
    tmp_path: Path, broker_port: int, data_folder: Path
) -> None:
    epcs = golden_epcs(data_folder / "llrp")
    assert len(epcs) == 65
    recording = Recording.of_session((data_folder / "llrp/ltk_dx101_a.bin").read_bytes())
    reader = PlaybackReader(recording)
    async with playing(tmp_path, broker_port, reader, epcs) as chain:
        await chain.wait_until(lambda: booked_epcs(tmp_path) == epcs, 30)
        assert reader.reported == 3
        assert booked_epcs(tmp_path) == epcs
        stock = await chain.core.stock()
        assert {item for (place, item), _ in stock.items() if place == PLACE} == {
            f"TAG-{number:03d}" for number in range(65)
        }


@pytest.mark.server
async def test_recorded_r420_is_provisioned_and_its_nine_reports_are_booked(
    tmp_path: Path, broker_port: int, data_folder: Path
) -> None:
    folder = data_folder / "llrp"
    answers = {
        11: (folder / "edgex_GetReaderCapabilitiesResponse-000.payload.bin").read_bytes(),
        12: (folder / "edgex_GetReaderConfigResponse-000.payload.bin").read_bytes(),
    }
    reports = [
        (folder / f"edgex_ROAccessReport-00{number}.payload.bin").read_bytes()
        for number in range(1, 10)
    ]
    # EPC-96 is the first parameter of each tag: TLV header 4 bytes, TV type 1 byte, EPC 12 bytes.
    epcs = {struct.unpack_from("!12s", report, 5)[0].hex() for report in reports}
    assert len(epcs) == 9
    # What is read more weakly than others must be read for five seconds: the nine come again every
    # 0.9 s.
    reader = PlaybackReader(Recording(answers, tuple(reports * 12)), report_gap_s=0.1)
    async with playing(tmp_path, broker_port, reader, epcs) as chain:
        await chain.wait_until(lambda: booked_epcs(tmp_path) == epcs, 30)
        assert reader.requests
        assert booked_epcs(tmp_path) == epcs
