"""Proposals in a whole gateway: listed, answered once, kept over a restart."""

import asyncio
import json
import sys
import types
from collections.abc import AsyncIterator, Callable, Iterable
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gateway import registry
from gateway.assembly import Gateway
from gateway.model import (
    Approval,
    Fact,
    Movement,
    Ns,
    Proposal,
    ProposalLine,
    SnapshotRequest,
)
from gateway.ports import NOTHING, PluginSettings, Row, RuleContext, Turn
from gateway.proposals import LISTED_BYTES_MAX
from gateway.settings import Configuration, load_configuration
from gateway.status import RefusedError
from rules.proposals import Proposals
from rules.turns import together
from tests.gateway.serving import command, recorded, serving

LINE = ProposalLine("BOLT", 100, 96, "pcs", "missing", ("3034",))


class Proposer:
    """Proposes for a location whenever its stock is asked for; an approval takes pieces away."""

    Settings: ClassVar[type[PluginSettings]] = PluginSettings
    consumes: ClassVar[tuple[type[Fact], ...]] = (SnapshotRequest, Approval)
    schema: ClassVar[int] = 1
    lines: ClassVar[tuple[ProposalLine, ...]] = (LINE,)
    deaf: ClassVar[bool] = False

    def __init__(self, _settings: PluginSettings, _context: RuleContext) -> None:
        self._proposals = Proposals()

    def restore(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._proposals.restore(row)

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        if type(fact) is SnapshotRequest:
            code, text = f"p-{fact.location}", "if approved, 4 pieces are taken off"
            proposal = Proposal(code, "stocktake", fact.location, self.lines, text, now)
            return self._proposals.propose(proposal)
        answered = self._proposals.answered(now, fact) if type(fact) is Approval else None
        if answered is None or self.deaf:
            return NOTHING
        proposal, closed = answered
        assert type(fact) is Approval
        if not fact.approved:
            return closed
        (line, *_), place = proposal.lines, proposal.location
        moved = Movement(
            movement_id=f"m-{proposal.proposal_id}",
            kind="adjustment",
            reason=line.reason,
            item=line.item,
            quantity=line.expected - line.found,
            uom=line.uom,
            from_location=place,
            to_location="unknown",
            at_event=now,
            at_decided=now,
            confidence_permille=950,
            actor=fact.actor or None,
            supersedes=proposal.proposal_id,
        )
        return together(Turn(facts=(moved,)), closed)


@pytest.fixture
def configuration(
    write_site: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Configuration:
    module = types.ModuleType("proposer")
    module.__dict__["Proposer"] = Proposer
    monkeypatch.setitem(sys.modules, "proposer", module)
    monkeypatch.setattr(Proposer, "lines", (LINE,))
    monkeypatch.setattr(Proposer, "deaf", False)
    known = registry.entry_points

    def found(group: str) -> EntryPoints:
        own = EntryPoint("proposer", "proposer:Proposer", registry.RULES)
        return EntryPoints([*known(group=group), *([own] if group == own.group else [])])

    monkeypatch.setattr(registry, "entry_points", found)
    return load_configuration(write_site())


@pytest.fixture
async def gateway(configuration: Configuration) -> AsyncIterator[Gateway]:
    async with serving(configuration) as gateway:
        yield gateway


async def propose(gateway: Gateway, location: str) -> str:
    await gateway.pipeline.feed([SnapshotRequest("asked", location)])
    return f"p-{location}"


async def test_proposal_is_listed_with_what_answering_does(gateway: Gateway) -> None:
    assert await command(gateway, "proposals") == {"open": 0, "proposals": []}
    await propose(gateway, "BIN-1")
    told = await command(gateway, "proposals")
    (told_at,) = await recorded(gateway, "proposal")
    assert told == {
        "open": 1,
        "proposals": [
            {
                "code": "p-BIN-1",
                "kind": "stocktake",
                "location": "BIN-1",
                "since": told_at["at_event"],
                "text": "if approved, 4 pieces are taken off",
                "lines": [
                    {
                        "item": "BOLT",
                        "expected": 100,
                        "found": 96,
                        "uom": "pcs",
                        "reason": "missing",
                        "epcs": ["3034"],
                    }
                ],
                "left_off": 0,
            }
        ],
    }


async def test_approved_proposal_is_booked_and_closed_in_that_order(gateway: Gateway) -> None:
    code = await propose(gateway, "BIN-1")
    told = await command(gateway, "approve", code=code, approved=True, actor="Ana")
    assert told == {"code": code, "approved": True}
    movement, dismissal = await recorded(gateway, "movement", "dismissal")
    assert (movement["quantity"], movement["actor"], movement["supersedes"]) == (4, "Ana", code)
    assert (dismissal["unresolved_id"], dismissal["reason"]) == (code, "approved")
    assert dismissal["actor"] == "Ana"
    assert (await command(gateway, "proposals"))["open"] == 0
    with pytest.raises(RefusedError, match="no proposal 'p-BIN-1' waits for an answer"):
        await command(gateway, "approve", "2", code=code, approved=False)


async def test_refused_proposal_books_nothing(gateway: Gateway) -> None:
    code = await propose(gateway, "BIN-1")
    told = await command(gateway, "approve", code=code, approved=False)
    assert told == {"code": code, "approved": False}
    (dismissal,) = await recorded(gateway, "movement", "dismissal")
    assert dismissal["reason"] == "refused"
    assert "actor" not in dismissal


async def test_it_waits_over_a_restart_and_is_answered_once(configuration: Configuration) -> None:
    async with serving(configuration) as gateway:
        code = await propose(gateway, "BIN-1")
    async with serving(configuration) as gateway:
        assert (await command(gateway, "proposals"))["open"] == 1
        await command(gateway, "approve", "7", code=code, approved=True)
    async with serving(configuration) as gateway:
        told = await command(gateway, "approve", "7", code=code, approved=True)
        assert told == {"code": code, "approved": True}
        assert len(await recorded(gateway, "movement")) == 1


async def test_two_answers_at_once_are_one(gateway: Gateway) -> None:
    code = await propose(gateway, "BIN-1")
    answers = await asyncio.gather(
        command(gateway, "approve", "1", code=code, approved=True),
        command(gateway, "approve", "2", code=code, approved=False),
        return_exceptions=True,
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["RefusedError", "dict"]
    assert len(await recorded(gateway, "dismissal")) == 1


async def test_what_no_rule_carries_out_can_only_be_refused(gateway: Gateway) -> None:
    code = await propose(gateway, "BIN-1")
    Proposer.deaf = True
    for number in ("1", "1", "2"):
        with pytest.raises(RefusedError, match=r"no rule that runs can carry out .*; refuse it"):
            await command(gateway, "approve", number, code=code, approved=True)
    assert (await command(gateway, "proposals"))["open"] == 1
    await command(gateway, "approve", "3", code=code, approved=False, actor="Ana")
    (dismissal,) = await recorded(gateway, "dismissal")
    assert (dismissal["reason"], dismissal["actor"]) == ("refused", "Ana")


async def test_list_fits_into_a_message_and_says_what_it_left_off(gateway: Gateway) -> None:
    pieces = tuple(f"30{number:022x}" for number in range(100))
    Proposer.lines = tuple(ProposalLine(f"ITEM-{n}", 1, 0, epcs=pieces) for n in range(30))
    for number in range(20):
        await propose(gateway, f"BIN-{number}")
    told = await command(gateway, "proposals")
    assert told["open"] == 20
    assert 0 < len(told["proposals"]) < 20
    assert (len(told["proposals"][0]["lines"]), told["proposals"][0]["left_off"]) == (20, 10)
    assert len(json.dumps(told)) < LISTED_BYTES_MAX + 1000


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ({"approved": True}, "code: a key"),
        ({"code": "p"}, "approved: true or false is wanted"),
        ({"code": "p", "approved": "yes"}, "approved: true or false is wanted"),
        ({"code": "p", "approved": True, "actor": "a\n"}, "actor: a key"),
        ({"code": "p", "approved": True}, "no proposal 'p' waits for an answer"),
    ],
)
async def test_bad_answer_is_refused_by_its_field(
    gateway: Gateway, args: dict[str, Any], why: str
) -> None:
    with pytest.raises(RefusedError, match=why):
        await command(gateway, "approve", **args)
