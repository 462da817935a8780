import asyncio
import signal
import sys
from pathlib import Path

import pytest

from simulators.llrp.__main__ import arguments, main, make_reader, set_faults
from simulators.llrp.faults import Faults
from simulators.llrp.playback import PlaybackReader
from tests.simulators.llrp import orders
from tests.simulators.llrp.client import Client

ROOT = Path(__file__).resolve().parents[3]


async def test_command_serves_a_client_until_interrupted() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators.llrp", "--port", "0", "--tags", "3", "--seed", "9"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(10):
            line = (await process.stdout.readline()).decode()
            assert "seed 9" in line
            client = await Client.over_socket(int(line.split(":")[1].split(",")[0]))
            await client.wait_for(63)
            await client.ask(20, orders.add())
            await client.ask(24, orders.number(1))
            await client.wait_for(61, count=3)
            client.close()
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    for word in ("--port", "--tags", "--seed", "--fault", "--play", "--certificate", "duplicate"):
        assert word in text


def test_faults_are_set_by_name() -> None:
    faults = Faults()
    set_faults(faults, ["cut=0.1", "delay=1"])
    assert (faults.cut, faults.delay) == (0.1, 1.0)
    with pytest.raises(ValueError, match="no fault is called 'gremlin'"):
        set_faults(faults, ["gremlin=1"])


def test_wrong_wish_is_an_error_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "0", "--rate", "9000"]) == 1
    assert "reads_per_s" in capsys.readouterr().err


async def test_recording_is_played_on_request(tmp_path: Path) -> None:
    recording = tmp_path / "session.bin"
    recording.write_bytes(b"")
    options = arguments().parse_args(["--play", str(recording)])
    assert isinstance(make_reader(options), PlaybackReader)
