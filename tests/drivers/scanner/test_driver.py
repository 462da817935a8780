"""The driver against the simulated scanner, a pseudo-terminal and a stream of key records."""

import asyncio
import os
import re
import socket
from pathlib import Path
from random import Random

import pytest

from gateway.model import Heartbeat, Scan
from simulators.scanner import Format, ScannerServer, gs1_128
from tests.drivers.scanner.desk import Desk
from tests.drivers.scanner.test_keys import B_17


async def test_scans_come_in_order_whatever_packets_they_are_in() -> None:
    texts = [f"scan {number}" for number in range(50)]
    async with ScannerServer(Format(packet_max_bytes=5), Random(3)) as server:
        desk = Desk(link="tcp", host="127.0.0.1", port=server.port)
        desk.start()
        await server.connected()
        for text in texts:
            await server.scan(text)
        await desk.until(51)
        assert isinstance(desk.seen[0], Heartbeat)
        assert desk.told() == ["well", *texts]
        await desk.stop()


async def test_elements_of_a_label_are_told_with_its_text() -> None:
    async with ScannerServer() as server:
        desk = Desk(link="tcp", host="127.0.0.1", port=server.port)
        desk.start()
        await server.connected()
        await server.scan(gs1_128(("10", "L1"), ("37", "48"), ("01", "09506000134352")))
        await desk.until(2)
        elements = (("10", "L1"), ("37", "48"), ("01", "09506000134352"))
        text = "10L1\x1d3748\x1d0109506000134352"
        assert desk.seen[-1] == Scan("gun", text, elements)
        await desk.stop()


async def test_bad_bytes_are_a_fault_until_the_next_good_scan() -> None:
    async with ScannerServer(Format(b"\x02", b"\x03\r")) as server:
        desk = Desk(
            link="tcp",
            host="127.0.0.1",
            port=server.port,
            prefix="\x02",
            suffix="\x03",
            no_read=["NOREAD"],
        )
        desk.start()
        await server.connected()
        await server.send(b"no marks\r\x02A\xff\x03\r" + b"y" * 9000 + b"\r")
        await server.scan("NOREAD")
        await server.scan("good")
        await server.scan("again")
        await desk.until(6)
        assert desk.told() == [
            "scan it again: without its prefix or suffix: no marks",
            "scan it again: not utf-8: \\x02A\\xff\\x03",
            "scan it again: a scan is longer than 8192 bytes: is the end right?",
            "well",
            "good",
            "again",
        ]
        assert desk.counts == {"scanner_garbled": 3, "scanner_no_read": 1}
        await desk.stop()


async def test_scan_that_a_lost_link_tears_is_told() -> None:
    async with ScannerServer() as server:
        desk = Desk(link="tcp", host="127.0.0.1", port=server.port)
        desk.start()
        await server.connected()
        await server.send(b"half a sc")
        server.hang_up()
        assert await desk.lost() == "the scanner closed the connection"
        assert desk.told() == ["scan it again: the link was lost in the middle of a scan"]


async def test_each_connection_begins_anew() -> None:
    async with ScannerServer() as server:
        desk = Desk(link="tcp", host="127.0.0.1", port=server.port)
        for text in ("one", "two"):
            desk.start()
            await server.connected()
            await server.scan(text)
            await desk.until(len(desk.told()) + 1 + (text == "one"))
            server.hang_up()
            await desk.lost()
        assert desk.told() == ["well", "one", "two"]


async def test_all_that_was_sent_whole_comes_and_nothing_else() -> None:
    texts = [f"{number:05}-äß" for number in range(200)]
    sent = []
    async with ScannerServer(Format(torn=0.05, noise=0.1), Random(7)) as server:
        desk = Desk(link="tcp", host="127.0.0.1", port=server.port)
        desk.start()
        await server.connected()
        for text in texts:
            if await server.scan(text):
                sent.append(text)
            elif not server._connected.is_set():
                await desk.lost()
                desk.start()
                await server.connected()
        server._format = Format()
        await server.scan("last")
        async with asyncio.timeout(10):
            while desk.scans()[-1:] != ["last"]:
                await desk.until(len(desk.told()) + 1)
        assert desk.scans() == [*sent, "last"]
        assert 150 < len(sent) < 190
        await desk.stop()


async def test_nobody_there_is_a_lost_link_with_its_place() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        desk = Desk(link="tcp", host="127.0.0.1", port=port)
        desk.start()
        assert (await desk.lost()).startswith(f"127.0.0.1:{port} cannot be reached")


async def test_serial_port_and_its_loss() -> None:
    scanner, port = os.openpty()
    desk = Desk(link="serial", path=os.ttyname(port), baud=115_200)
    desk.start()
    await desk.connected()
    os.write(scanner, b"]C1")
    os.write(scanner, b"8018950600013435200005\r\nB-1")
    await desk.until(2)
    assert desk.seen[-1] == Scan("gun", "8018950600013435200005", (("8018", "950600013435200005"),))
    os.close(scanner)
    assert "connection" in await desk.lost()
    os.close(port)
    assert desk.told()[2:] == ["scan it again: the link was lost in the middle of a scan"]


async def test_keyboard_is_a_file_of_records(tmp_path: Path) -> None:
    keyboard = tmp_path / "event7"
    os.mkfifo(keyboard)
    desk = Desk(link="keyboard", path=str(keyboard), grab=False, prefix="B")
    kernel = os.open(keyboard, os.O_RDWR)
    desk.start()
    os.write(kernel, B_17[:100])
    os.write(kernel, B_17[100:])
    await desk.until(2)
    assert desk.told() == ["well", "-17"]
    await desk.stop()
    os.close(kernel)


@pytest.mark.parametrize(
    ("link", "made", "told"),
    [
        ("keyboard", False, "event7 cannot be opened: No such file"),
        ("keyboard", True, "event7 cannot be had alone: .*is it a keyboard"),
        ("serial", False, "event7 cannot be opened: .*No such file"),
        ("serial", True, "event7 cannot be opened"),
    ],
)
async def test_no_such_device_is_a_lost_link(
    tmp_path: Path, link: str, made: bool, told: str
) -> None:
    path = tmp_path / "event7"
    if made:
        path.write_bytes(b"")
    desk = Desk(link=link, path=str(path))
    desk.start()
    assert re.search(told, await desk.lost())
    assert desk.seen == []
