"""Commands from the core or a person's tool: a closed list, each carried out once per id."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import structlog

from gateway.ports import Counter, JsonValue
from gateway.uplink.messages import BadPayloadError, Request

MEMORY_MAX = 256
"""Answers remembered by id: a requester that heard nothing asks again within seconds, not later
than after so many other commands."""

COMMAND_TIMEOUT_S = 30.0
"""A command that takes longer is given up and answered so; the slowest, a tare, takes seconds."""

ERROR_MAX = 1024
"""Longest error text, as the contract says."""

CommandHandler: TypeAlias = Callable[[Request], Awaitable[Mapping[str, JsonValue] | None]]
"""Carries out one command; raises CommandError to refuse it. One that may be done only once keeps
its request's id durably: after a crash the broker gives the request again."""

log = structlog.get_logger(__name__)


class CommandError(Exception):
    """The command cannot be carried out; the text is the answer."""


class Commands:
    """The commands that there are. What was carried out once is answered again, not done again.

    A command runs to its end even if the connection that brought it is lost meanwhile. `queries`
    change nothing: they are answered anew each time, and their long answers are not kept.
    """

    def __init__(
        self,
        handlers: Mapping[str, CommandHandler],
        count: Counter,
        queries: Mapping[str, CommandHandler] | None = None,
    ) -> None:
        self._queries = frozenset(queries or ())
        self._handlers = {**handlers, **(queries or {})}
        self._count = count
        self._known: OrderedDict[str, asyncio.Task[bytes]] = OrderedDict()

    def add(self, name: str, handler: CommandHandler) -> None:
        """One more command; a name stands once."""
        if name in self._handlers:
            raise ValueError(f"command {name!r} is there already")
        self._handlers[name] = handler

    async def answer(self, request: Request) -> bytes:
        """Carry out, or remember, and return the response's payload."""
        if request.command in self._queries:
            return await self._carry_out(request)
        task = self._known.get(request.id)
        if task is None:
            task = asyncio.create_task(self._carry_out(request), name=f"command {request.command}")
            self._known[request.id] = task
            self._forget()
        else:
            self._count("uplink_commands_repeated")
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Stop what still runs."""
        tasks = list(self._known.values())
        self._known.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self) -> None:
        for known in list(self._known):
            if len(self._known) <= MEMORY_MAX:
                return
            if self._known[known].done():
                del self._known[known]

    async def _carry_out(self, request: Request) -> bytes:
        handler = self._handlers.get(request.command)
        self._count("uplink_commands")
        if handler is None:
            known = ", ".join(sorted(self._handlers))
            return _refusal(request.id, f"unknown command {request.command!r}; known: {known}")
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT_S):
                result = await handler(request)
        except (CommandError, BadPayloadError) as error:
            return _refusal(request.id, str(error))
        except TimeoutError:
            return _refusal(request.id, f"not done within {COMMAND_TIMEOUT_S:.0f} s")
        except Exception:  # a request from afar must not end the process, again and again
            log.exception("command failed", command=request.command, id=request.id)
            return _refusal(request.id, "internal error, see the gateway's log")
        log.info("command carried out", command=request.command, id=request.id)
        answer: dict[str, object] = {"id": request.id, "ok": True}
        if result:
            answer["result"] = dict(result)
        return _encode(answer)


def _refusal(request_id: str, error: str) -> bytes:
    return _encode({"id": request_id, "ok": False, "error": error[:ERROR_MAX]})


def _encode(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
