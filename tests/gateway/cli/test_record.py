"""`shelfgate record` as a process of its own, against a socket that answers as the gateway does."""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.recording import Head, end_line, head_line, wake_line
from gateway.status import SOCKET_FILE, Answer, Object, StatusServer, success
from tests.polling import until

HEAD = head_line(Head("edge-t", "a2f0a95f-bb92-47ba-a0b5-cc26963e19f1", "b", 1))
MAIN = "import sys; from gateway.cli import main; main(sys.argv[1:])"

CONFIG = """\
[gateway]
id = "edge-t"
site = "test"
state_folder = "{folder}"
[mqtt]
host = "127.0.0.1"
"""


async def whole(_request: Object, enough: asyncio.Event) -> AsyncGenerator[bytes, None]:
    yield success()
    yield HEAD
    await enough.wait()
    yield end_line(9)


async def cut(_request: Object, _enough: asyncio.Event) -> AsyncGenerator[bytes, None]:
    yield success()
    yield HEAD
    yield wake_line(3)


@asynccontextmanager
async def answering(folder: Path, answer: Answer) -> AsyncIterator[None]:
    (folder / "gateway.toml").write_text(CONFIG.format(folder=folder), encoding="utf-8")
    task = asyncio.create_task(StatusServer(folder, {"record": answer}).run())
    await until((folder / SOCKET_FILE).exists)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def started(folder: Path) -> asyncio.subprocess.Process:
    words = ["record", "--config", str(folder / "gateway.toml"), "--out", str(folder / "r.jsonl")]
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        MAIN,
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_record_ends_well_when_a_person_has_enough(
    tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "r.jsonl"
    async with answering(tmp_path, whole):
        process = await started(tmp_path)
        await until(out.exists)
        process.send_signal(number)
        assert await ended(process) == (0, f"{out}: 2 lines\n", "")
    assert out.read_bytes() == HEAD + end_line(9)


async def test_record_that_was_cut_off_is_a_problem(tmp_path: Path) -> None:
    async with answering(tmp_path, cut):
        code, _, err = await ended(await started(tmp_path))
    assert code == 1
    assert "cut off after 2 lines: the gateway hung up" in err


async def test_record_does_not_overwrite(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    out.write_text("mine", encoding="utf-8")
    async with answering(tmp_path, whole):
        code, _, err = await ended(await started(tmp_path))
    assert (code, err) == (1, f"{out}: File exists\n")
    assert out.read_text(encoding="utf-8") == "mine"
