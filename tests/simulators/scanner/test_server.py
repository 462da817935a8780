"""What the simulated scanner reads and sends, by an ordinary socket."""

import asyncio
import gc
import socket
import sys
from pathlib import Path
from random import Random

import pytest

from simulators.scanner import Format, ScannerServer, data_matrix, gs1_128, link_in_qr

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("printed", "text"),
    [
        (gs1_128(("00", "106141412345678908")), "]C100106141412345678908"),
        (gs1_128(("10", "L1"), ("01", "09506000134352")), "]C110L1\x1d0109506000134352"),
        (data_matrix(("01", "09506000134352"), ("10", "L1")), "]d2010950600013435210L1"),
        (data_matrix(("3103", "001250"), ("21", "7")), "]d23103001250217"),
        (data_matrix(("254", "B2"), ("414", "9506000134369")), "]d2254B2\x1d4149506000134369"),
        (
            link_in_qr("id.gs1.org", ("01", "09506000134352"), ("10", "L1")),
            "]Q1https://id.gs1.org/01/09506000134352/10/L1",
        ),
    ],
)
def test_labels_as_a_scanner_sends_them(printed: str, text: str) -> None:
    assert printed == text


async def received(settings: Format, texts: list[str]) -> tuple[list[bool], bytes]:
    async with ScannerServer(settings, Random(5)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        await server.connected()
        whole = [await server.scan(text) for text in texts]
        server.hang_up()
        data = await reader.read()
        writer.close()
        return whole, data


async def test_each_scan_comes_with_its_marks() -> None:
    whole, data = await received(Format(b"<", b">\r", packet_max_bytes=2), ["one", "two"])
    assert (whole, data) == ([True, True], b"<one>\r<two>\r")


async def test_torn_scan_has_a_beginning_and_no_end() -> None:
    [whole], data = await received(Format(torn=1.0), ["a scan"])
    assert not whole
    assert b"a scan\r\n".startswith(data)
    assert 1 <= len(data) <= len(b"a scan")


async def test_noise_is_a_byte_that_is_no_text() -> None:
    [whole], data = await received(Format(noise=1.0), ["a scan"])
    assert not whole
    assert data.replace(b"\xff", b"", 1) == b"a scan\r\n"
    assert len(data) == 9


async def test_command_sends_what_is_typed() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators.scanner", "--port", "0", "--seed", "9"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    async with asyncio.timeout(20):
        line = (await process.stdout.readline()).decode()
        assert "seed 9" in line
        port = int(line.split(":")[1].split(",")[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        process.stdin.write(b"10L1\\x1d21S\n")
        assert await reader.readline() == b"10L1\x1d21S\r\n"
        assert await process.stdout.readline() == b"sent '10L1\\x1d21S'\n"
        process.stdin.close()
        assert await process.wait() == 0
        writer.close()


@pytest.mark.parametrize("turns", range(8))
def test_whoever_comes_as_it_stops_is_hung_up_on(
    turns: int, recwarn: pytest.WarningsRecorder
) -> None:
    async def stop_meanwhile() -> bytes:
        server = ScannerServer()
        await server.start(0)
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
            for _ in range(turns):
                await asyncio.sleep(0)
            await server.stop()
            return await asyncio.to_thread(client.recv, 1)

    assert asyncio.run(stop_meanwhile()) == b""
    gc.collect()
    assert [str(each.message) for each in recwarn] == []
