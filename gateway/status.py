"""The daemon's local socket: a person's tools ask the running gateway.

A client connects to `control.sock` in the state folder and sends one line, a JSON object with
`request` and what that asks for. The first line of the answer is `{"ok": true, ...}` or
`{"ok": false, "error": ...}`; some answers go on with lines of their own. Then the server hangs
up. A client that hangs up its sending side asks a long answer to end.

Only the gateway's own user and group can connect; requests are a closed list; nothing here runs
code or reads files on behalf of a client.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import structlog

SOCKET_FILE = "control.sock"
SOCKET_MODE = 0o660

PATH_MAX_BYTES = 107
"""sockaddr_un of Linux, unix(7)."""

REQUEST_MAX_BYTES = 16 * 1024
CONNECTIONS_MAX = 16
"""A handful of people and a monitoring agent; more are turned away."""

REQUEST_TIMEOUT_S = 5.0
WRITE_TIMEOUT_S = 30.0
"""A client that takes nothing for so long has gone."""

CLOSE_TIMEOUT_S = 2.0
"""What a stopping gateway waits for recordings to end."""

ANSWER_TIMEOUT_S = 60.0
"""What a client waits for the next line: longer than any command may take."""

ANSWER_MAX_BYTES = 16 * 1024 * 1024

Object: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = Callable[[Object, asyncio.Event], AsyncGenerator[bytes, None]]
"""Yields the lines of an answer; the event is set when the client wants it to end."""

log = structlog.get_logger("status")


class NotRunningError(Exception):
    """No daemon listens there."""


class RefusedError(Exception):
    """The request cannot be answered; says why."""


def success(**told: Any) -> bytes:
    """The first line of an answer that is one."""
    return _line({"ok": True, **told})


class StatusServer:
    """Answers on the socket until cancelled."""

    def __init__(self, folder: Path, answers: Mapping[str, Answer]) -> None:
        self.path = folder / SOCKET_FILE
        self._answers = answers
        self._open: dict[asyncio.Task[None], asyncio.Event] = {}

    async def run(self) -> None:
        """Listen; a socket left by a dead daemon is replaced.

        A gateway that cannot listen goes on without: its work does not depend on being watched.
        """
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        try:
            server = await asyncio.start_unix_server(
                self._accept, self.path, limit=REQUEST_MAX_BYTES, backlog=CONNECTIONS_MAX
            )
        except OSError as error:
            log.error("no local socket", path=str(self.path), reason=str(error))  # noqa: TRY400 - see reason
            return
        self.path.chmod(SOCKET_MODE)
        try:
            await (
                asyncio.Event().wait()
            )  # serve_forever would wait for clients when it is cancelled
        finally:
            server.close()
            with contextlib.suppress(FileNotFoundError):
                self.path.unlink()
            await self._end_answers()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        enough = asyncio.Event()
        task = asyncio.create_task(self._converse(reader, writer, enough), name="status client")
        self._open[task] = enough
        task.add_done_callback(self._open.pop)

    async def _end_answers(self) -> None:
        """Let long answers end; cancel what does not."""
        for enough in self._open.values():
            enough.set()
        tasks = list(self._open)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSE_TIMEOUT_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, enough: asyncio.Event
    ) -> None:
        try:
            await self._answer(reader, writer, enough)
        except RefusedError as error:
            with contextlib.suppress(OSError, TimeoutError):
                await _write(writer, _line({"ok": False, "error": str(error)}))
        except (OSError, TimeoutError):
            pass  # the client has gone
        except Exception:  # a client's question must not end the gateway
            log.exception("a request failed")
        finally:
            writer.close()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, enough: asyncio.Event
    ) -> None:
        if len(self._open) > CONNECTIONS_MAX:
            raise RefusedError(f"{CONNECTIONS_MAX} clients are connected already; try again")
        request = await _request(reader)
        name = request.get("request")
        answer = self._answers.get(str(name))
        if answer is None:
            raise RefusedError(f"unknown request {name!r}; known: {', '.join(self._answers)}")
        watch = asyncio.create_task(_watch_end(reader, enough), name="status client's end")
        lines = answer(request, enough)
        try:
            async for line in lines:
                await _write(writer, line)
        finally:
            watch.cancel()
            await lines.aclose()


async def _request(reader: asyncio.StreamReader) -> Object:
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT_S):
            line = await reader.readuntil(b"\n")
        request = json.loads(line)
    except asyncio.LimitOverrunError:
        raise RefusedError(f"a request has at most {REQUEST_MAX_BYTES} bytes") from None
    except asyncio.IncompleteReadError:
        raise RefusedError("a request is one line") from None
    except (ValueError, RecursionError):
        raise RefusedError("a request is a JSON object") from None
    if not isinstance(request, dict):
        raise RefusedError("a request is a JSON object")
    return request


async def _watch_end(reader: asyncio.StreamReader, enough: asyncio.Event) -> None:
    """Until the client hangs up its side; what it may still say does not count."""
    with contextlib.suppress(OSError):
        while await reader.read(REQUEST_MAX_BYTES):
            pass
    enough.set()


async def _write(writer: asyncio.StreamWriter, line: bytes) -> None:
    async with asyncio.timeout(WRITE_TIMEOUT_S):
        writer.write(line)
        await writer.drain()


def _line(told: Object) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


# The client


class Conversation:
    """One request to the running daemon, and the lines of its answer."""

    def __init__(self, folder: Path, request: Object) -> None:
        """Ask; NotRunningError if nobody listens, RefusedError if the answer is no."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(ANSWER_TIMEOUT_S)
        try:
            self._socket.connect(str(folder / SOCKET_FILE))
            self._socket.sendall(_line(request))
            self._file = self._socket.makefile("rb")
            self.first = self._first()
        except PermissionError as error:
            self._socket.close()
            raise RefusedError(
                f"{folder / SOCKET_FILE}: {error.strerror}; ask as the gateway's user or group"
            ) from error
        except OSError as error:
            self._socket.close()
            raise NotRunningError(f"no gateway listens at {folder / SOCKET_FILE}") from error
        except RefusedError:
            self.close()
            raise

    def lines(self) -> Iterator[bytes]:
        """What follows the first line, until the daemon hangs up; it may be silent for long."""
        self._socket.settimeout(None)
        while line := self._file.readline(ANSWER_MAX_BYTES):
            yield line

    def enough(self) -> None:
        """Ask a long answer to end; what is under way still comes."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()

    def _first(self) -> dict[str, Any]:
        line = self._file.readline(ANSWER_MAX_BYTES)
        if not line:
            raise RefusedError("the gateway hung up; see its log")
        first: dict[str, Any] = json.loads(line)
        if not first.get("ok"):
            raise RefusedError(str(first.get("error")))
        return first


def ask(folder: Path, request: Object) -> dict[str, Any]:
    """The answer to a request that has a single line. See Conversation."""
    conversation = Conversation(folder, request)
    conversation.close()
    return conversation.first
