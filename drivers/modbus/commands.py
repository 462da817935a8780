"""Tare and zero: the only writes there are, each sent at most once.

An error says that it is uncertain whether the transmitter obeyed; nothing is sent again.
"""

from __future__ import annotations

import asyncio

from drivers.modbus.link import Link, read_request
from drivers.modbus.profile import Code, Command, CommandName
from drivers.modbus.unit import Unit
from gateway.model import CellId
from gateway.ports import ProtocolError

ASK_EVERY_S = 0.05
ASKED_MAX = 60
"""Three seconds: a transmitter waits for a stable weight before it obeys."""


class CommandPort:
    """Carries out the commands of one unit's profile over its link."""

    def __init__(self, link: Link, unit: Unit) -> None:
        self._link = link
        self._unit = unit

    async def carry_out(self, kind: CommandName, cell: CellId) -> None:
        """Tare or zero one cell; ProtocolError when refused or uncertain."""
        profile = self._unit.profile
        command = profile.commands.get(kind)
        if command is None:
            raise ProtocolError(f"profile {profile.id} has no {kind}: do it at the device")
        place = self._unit.cells.places[self._unit.cells.ids.index(cell)]
        register = command.number
        if register is None:
            register = profile.cells[place].command
        assert register is not None, "the profile's validation found a register"
        await self._write_all(command, register)

    async def _write_all(self, command: Command, register: int) -> None:
        if command.first is not None:
            await self._write(register, command.first)
        before = None
        if command.confirmation is not None:
            function = command.confirmation.function
            before = await self._ask(function, command.confirmation.counter)
        try:
            await self._write(register, command.value)
            if command.handshake is not None:
                await self._wait(3, command.handshake.done, 1)
                if not await self._ask(3, command.handshake.ok):
                    raise ProtocolError(f"unit {self._unit.id} refused the command")
            if command.confirmation is not None:
                await self._wait(
                    command.confirmation.function, command.confirmation.counter, None, before
                )
        finally:
            # Also after a failure: a bit left standing would swallow the next edge.
            if command.last is not None:
                await self._write(register, command.last)
        if command.handshake is not None:
            await self._wait(3, command.handshake.done, 0)

    async def _write(self, register: int, value: int) -> None:
        reason = self._unit.profile.forbidden(register, value)
        if reason is not None:
            raise ProtocolError(f"never to be sent: {value} to register {register}: {reason}")
        await self._link.write(self._unit.id, register - self._unit.profile.address_base, value)

    async def _ask(self, function: int, code: Code) -> int:
        address = code.number - self._unit.profile.address_base
        answer = await self._link.read(read_request(self._unit.id, function, address, 1))
        return code.of(answer.registers[0])

    async def _wait(
        self, function: int, code: Code, wanted: int | None, unlike: int | None = None
    ) -> None:
        """Wait until the field is `wanted`, or (with None) until it differs from `unlike`."""
        for _ in range(ASKED_MAX):
            number = await self._ask(function, code)
            if number == wanted or (wanted is None and number != unlike):
                return
            await asyncio.sleep(ASK_EVERY_S)
        raise ProtocolError(f"unit {self._unit.id}: no word on the command: uncertain")
