"""Commands: a closed list, once per id, whatever becomes of the connection."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

import gateway.uplink.commands as commands_module
from gateway.uplink.commands import MEMORY_MAX, CommandError, Commands
from gateway.uplink.messages import Request
from tests.virtual_time import run


class Field:
    """Counts what was done."""

    def __init__(self) -> None:
        self.done: list[Mapping[str, Any]] = []
        self.counts: dict[str, int] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        handlers = {"tare": self._tare, "refuse": self._refuse}
        self.commands = Commands(handlers, self._count, {"weigh": self._tare})

    def _count(self, name: str, amount: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + amount

    async def _tare(self, request: Request) -> Mapping[str, Any] | None:
        await self.gate.wait()
        self.done.append(request.args)
        return {"number": len(self.done)}

    async def _refuse(self, request: Request) -> None:
        if request.args:
            raise ValueError("a bug")
        raise CommandError("no such cell")

    async def ask(self, name: str, command: str, args: Mapping[str, Any] | None = None) -> Any:
        return json.loads(await self.commands.answer(Request(name, command, args or {})))


async def test_repeated_id_is_answered_and_not_done_again() -> None:
    field = Field()
    answers = [await field.ask("a", "tare") for _ in range(3)]
    assert answers == [{"id": "a", "ok": True, "result": {"number": 1}}] * 3
    assert len(field.done) == 1
    assert field.counts == {"uplink_commands": 1, "uplink_commands_repeated": 2}


async def test_query_is_answered_anew_each_time_and_not_kept() -> None:
    field = Field()
    answers = [(await field.ask("a", "weigh"))["result"] for _ in range(2)]
    assert answers == [{"number": 1}, {"number": 2}]
    assert not field.commands._known


async def test_command_goes_on_when_its_connection_is_lost() -> None:
    field = Field()
    field.gate.clear()
    asking = asyncio.create_task(field.ask("a", "tare"))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    field.gate.set()
    assert (await field.ask("a", "tare"))["result"] == {"number": 1}
    assert len(field.done) == 1


async def test_refusals_say_why() -> None:
    field = Field()
    assert await field.ask("a", "refuse") == {"id": "a", "ok": False, "error": "no such cell"}
    unknown = await field.ask("b", "reboot")
    assert unknown["error"] == "unknown command 'reboot'; known: refuse, tare, weigh"
    assert (await field.ask("c", "refuse", {"x": 1}))["error"].startswith("internal error")


async def test_memory_is_bounded() -> None:
    field = Field()
    for number in range(MEMORY_MAX + 50):
        await field.ask(str(number), "tare")
    assert len(field.commands._known) == MEMORY_MAX
    await field.ask("0", "tare")
    assert len(field.done) == MEMORY_MAX + 51


def test_command_that_hangs_is_given_up() -> None:
    async def main() -> None:
        field = Field()
        field.gate.clear()
        answer = await field.ask("a", "tare")
        assert answer["error"] == f"not done within {commands_module.COMMAND_TIMEOUT_S:.0f} s"
        assert field.done == []

    run(main())


async def test_name_stands_once() -> None:
    field = Field()
    with pytest.raises(ValueError, match="is there already"):
        field.commands.add("tare", field._tare)


async def test_close_ends_what_still_runs() -> None:
    field = Field()
    field.gate.clear()
    asking = asyncio.create_task(field.ask("a", "tare"))
    await asyncio.sleep(0)
    await field.commands.close()
    assert (await asyncio.gather(asking, return_exceptions=True))[0] is not None
    assert field.done == []
