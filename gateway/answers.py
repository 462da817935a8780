"""The commands that answer what the gateway proposes (docs/asyncapi.yaml, CommandRequest).

Which proposals wait the store knows; the rule that made one carries out the answer. Both are booked
in one transaction, with the request's id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from gateway.assembly import Gateway
from gateway.model import Approval, Dismissal
from gateway.outcome import Outcome
from gateway.ports import JsonValue, Row
from gateway.proposals import is_open, listed_proposals, open_codes
from gateway.uplink.commands import CommandError
from gateway.uplink.messages import Request, flag_of, key_of


class Remembers(Protocol):
    """Keeps which requests were carried out."""

    def remembered(self, request: Request) -> Row | None:
        """What came of that request, if it was carried out before."""
        ...

    def remember(self, row: Row) -> Outcome:
        """What keeps it durably, for the transaction that carries it out."""
        ...


class Answers:
    """Answers proposals, one at a time."""

    def __init__(self, gateway: Gateway, memory: Remembers) -> None:
        self._gateway = gateway
        self._memory = memory
        self._answering = asyncio.Lock()

    async def proposals(self, _request: Request) -> Mapping[str, JsonValue]:
        """What waits for an answer."""
        return await self._gateway.store.read(listed_proposals)

    async def approve(self, request: Request) -> Mapping[str, JsonValue]:
        """Answer a proposal; what it comes to is booked with the answer."""
        code = key_of(request.args, "code")
        answer = Approval(code, flag_of(request.args, "approved"), _actor(request))
        async with self._answering:
            known = self._memory.remembered(request)
            if known is None:
                if not await self._is_open(code):
                    raise CommandError(f"no proposal {code!r} waits for an answer")
                known = Row(request.id, {"code": code, "approved": answer.approved})
                await self._answer(answer, self._memory.remember(known))
            elif await self._is_open(code):
                raise CommandError(_not_carried_out(code))
        return known.value

    async def approve_counts(self, request: Request) -> Mapping[str, JsonValue]:
        """Answer all that counts propose, at one location or at all."""
        location = key_of(request.args, "location") if "location" in request.args else ""
        approved = flag_of(request.args, "approved", True)
        async with self._answering:
            known = self._memory.remembered(request)
            if known is not None:
                return known.value
            codes = await self._gateway.store.read(
                lambda reader: open_codes(reader, "stocktake", location)
            )
            if not codes:
                place = f" at {location!r}" if location else ""
                raise CommandError(f"no count proposes anything{place}")
            for code in codes[:-1]:
                await self._answer(Approval(code, approved, _actor(request)))
            row = Row(request.id, {"codes": codes, "approved": approved})
            last = Approval(codes[-1], approved, _actor(request))
            await self._answer(last, self._memory.remember(row))
        return row.value

    async def _answer(self, answer: Approval, *besides: Outcome) -> None:
        """Have it carried out. Where whoever proposed it does not run, it can only be refused."""
        await self._gateway.pipeline.feed([answer], besides)
        if not await self._is_open(answer.code):
            return
        if answer.approved:
            raise CommandError(_not_carried_out(answer.code))
        now = self._gateway.clock.now()
        refused = Dismissal(answer.code, "refused", now, answer.actor or None)
        await (await self._gateway.booker.submit([Outcome(now, events=(refused,))]))

    async def _is_open(self, code: str) -> bool:
        return await self._gateway.store.read(lambda reader: is_open(reader, code))


def _actor(request: Request) -> str:
    return key_of(request.args, "actor") if "actor" in request.args else ""


def _not_carried_out(code: str) -> str:
    return f"no rule that runs can carry out proposal {code!r}; refuse it"
