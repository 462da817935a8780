"""The local socket: what it answers, and what it refuses."""

import asyncio
import json
import socket
import stat
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway import status
from gateway.status import (
    Conversation,
    NotRunningError,
    Object,
    RefusedError,
    StatusServer,
    ask,
    success,
)
from tests.polling import until


async def echo(request: Object, _enough: asyncio.Event) -> AsyncGenerator[bytes, None]:
    yield success(heard=request.get("text"))


async def count(_request: Object, enough: asyncio.Event) -> AsyncGenerator[bytes, None]:
    yield success()
    yield b"first\n"
    await enough.wait()
    yield b"last\n"


async def refuse(_request: Object, _enough: asyncio.Event) -> AsyncGenerator[bytes, None]:
    raise RefusedError("not today")
    yield b""


async def fail(_request: Object, _enough: asyncio.Event) -> AsyncGenerator[bytes, None]:
    raise KeyError("bug")
    yield b""


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Path]:
    answers = {"echo": echo, "count": count, "refuse": refuse, "fail": fail}
    task = asyncio.create_task(StatusServer(tmp_path, answers).run())
    await until((tmp_path / status.SOCKET_FILE).exists)
    yield tmp_path
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def asked(folder: Path, **request: Any) -> dict[str, Any]:
    return await asyncio.to_thread(ask, folder, request)


async def raw(folder: Path, sent: bytes) -> dict[str, Any]:
    reader, writer = await asyncio.open_unix_connection(folder / status.SOCKET_FILE)
    writer.write(sent)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    told: dict[str, Any] = json.loads(answer)
    return told


async def test_a_request_is_answered(folder: Path) -> None:
    assert await asked(folder, request="echo", text="Länge") == {"ok": True, "heard": "Länge"}


async def test_the_socket_is_closed_to_others(folder: Path) -> None:
    mode = (folder / status.SOCKET_FILE).stat().st_mode
    assert stat.S_IMODE(mode) == 0o660


async def test_an_unknown_request_is_refused_with_the_known_ones(folder: Path) -> None:
    with pytest.raises(RefusedError, match=r"unknown request 'exec'; known: echo, count"):
        await asked(folder, request="exec")


async def test_a_refusal_is_told(folder: Path) -> None:
    with pytest.raises(RefusedError, match="not today"):
        await asked(folder, request="refuse")


async def test_a_bug_in_an_answer_ends_that_answer_only(folder: Path) -> None:
    with pytest.raises(RefusedError, match="hung up; see its log"):
        await asked(folder, request="fail")
    assert (await asked(folder, request="echo", text="a"))["heard"] == "a"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"hello\n", "a request is a JSON object"),
        (b"[1]\n", "a request is a JSON object"),
        (b"[" * 10_000 + b"\n", "a request is a JSON object"),
        (b"\xff\xfe\n", "a request is a JSON object"),
        (b'{"request":"echo"}', "a request is one line"),
        (b'{"request":"echo","text":"' + b"x" * 40_000 + b'"}\n', "at most 16384 bytes"),
    ],
)
async def test_nonsense_is_refused(folder: Path, sent: bytes, expected: str) -> None:
    answer = await raw(folder, sent)
    assert answer["ok"] is False
    assert expected in answer["error"]


async def test_a_long_answer_ends_when_the_client_has_enough(folder: Path) -> None:
    def talk() -> list[bytes]:
        conversation = Conversation(folder, {"request": "count"})
        lines = conversation.lines()
        heard = [next(lines)]
        conversation.enough()
        heard += lines
        conversation.close()
        return heard

    assert await asyncio.to_thread(talk) == [b"first\n", b"last\n"]


async def test_a_long_answer_ends_well_when_the_gateway_stops(tmp_path: Path) -> None:
    task = asyncio.create_task(StatusServer(tmp_path, {"count": count}).run())
    await until((tmp_path / status.SOCKET_FILE).exists)
    conversation = await asyncio.to_thread(Conversation, tmp_path, {"request": "count"})
    task.cancel()
    heard = await asyncio.to_thread(lambda: list(conversation.lines()))
    conversation.close()
    await asyncio.gather(task, return_exceptions=True)
    assert heard == [b"first\n", b"last\n"]
    assert not (tmp_path / status.SOCKET_FILE).exists()


async def test_more_clients_than_allowed_are_turned_away(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "CONNECTIONS_MAX", 1)
    first = await asyncio.to_thread(Conversation, folder, {"request": "count"})
    with pytest.raises(RefusedError, match="1 clients are connected already"):
        await asked(folder, request="echo")
    first.close()
    async with asyncio.timeout(5):
        while True:
            try:
                assert (await asked(folder, request="echo", text="a"))["heard"] == "a"
            except RefusedError:
                continue
            break


async def test_a_silent_client_is_let_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "REQUEST_TIMEOUT_S", 0.05)
    reader, writer = await asyncio.open_unix_connection(folder / status.SOCKET_FILE)
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()


async def test_a_socket_left_by_a_dead_gateway_is_replaced(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / status.SOCKET_FILE))
    left.close()
    with pytest.raises(NotRunningError):
        ask(tmp_path, {"request": "echo"})
    task = asyncio.create_task(StatusServer(tmp_path, {"echo": echo}).run())
    async with asyncio.timeout(5):
        while True:
            try:
                told = await asked(tmp_path, request="echo", text="new")
            except NotRunningError:
                continue
            break
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert told["heard"] == "new"


async def test_a_gateway_that_cannot_listen_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    await StatusServer(folder, {}).run()
    assert not (folder / status.SOCKET_FILE).exists()


def test_asking_where_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError, match="no gateway listens at"):
        ask(tmp_path, {"request": "status"})
