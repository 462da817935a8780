"""`shelfgate epc`: decode by hand, and the tags that are kept aside."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from gateway import cli
from gateway.assembly import assemble
from gateway.cli.exits import OK, PROBLEM
from gateway.model import Arrival
from gateway.settings import load_configuration

SGTIN = "3074257BF7194E4000001A85"
MUTE = "e2801160600002054d0a1b2c"
ITEMS = "code,name,gtins,epc_prefixes\nBOLT,Hex bolt,80614141123458,\nCHIP,,,e2ff\n"

Epc = Callable[..., tuple[int, str]]


async def run_once(path: Path) -> None:
    """A gateway reads a tag that says nothing, and one of its items."""
    gateway = await assemble(load_configuration(path), Random(1))
    now = gateway.clock.now()
    for epc in (MUTE, SGTIN.lower()):
        await gateway.pipeline.feed([Arrival("DOCK", epc, now, 9, -5000, 990)])
    await gateway.store.close()


@pytest.fixture
def known(site: Path) -> Path:
    (site.parent / "items.csv").write_text(ITEMS, encoding="utf-8")
    asyncio.run(run_once(site))
    return site


@pytest.fixture
def epc(known: Path, capfd: pytest.CaptureFixture[str]) -> Epc:
    def run(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["epc", *arguments, "--config", str(known)])
        return int(ended.value.code or 0), capfd.readouterr().out

    return run


def test_decoded_tag_is_named_with_its_item(epc: Epc) -> None:
    code, out = epc("decode", SGTIN)
    assert code == OK
    assert [line.split(maxsplit=1) for line in out.splitlines()[1:4]] == [
        ["scheme", "sgtin-96"],
        ["filter", "3"],
        ["gtin", "80614141123458"],
    ]
    assert "https://id.gs1.org/01/80614141123458/21/6789" in out
    assert "urn:epc:id:sgtin:0614141.812345.6789" in out
    assert "item            BOLT" in out
    told = json.loads(epc("decode", SGTIN, "--json")[1])
    assert (told["item"], told["name"], told["serial"]) == ("BOLT", "Hex bolt", "6789")


def test_tag_that_says_nothing_is_a_problem_unless_an_item_claims_it(epc: Epc) -> None:
    code, out = epc("decode", MUTE)
    assert code == PROBLEM
    assert "not decoded     header e2 is of no known scheme" in out
    assert "none that is known" in out
    code, out = epc("decode", "E2FF00")
    assert (code, "item            CHIP" in out) == (OK, True)


def test_tags_that_are_kept_aside_are_listed(epc: Epc) -> None:
    code, out = epc("quarantine")
    assert (code, out) == (OK, f"{MUTE}  DOCK  header e2 is of no known scheme\n")
    told = json.loads(epc("quarantine", "--json")[1])
    assert told == {"epc": MUTE, "place": "DOCK", "reason": "header e2 is of no known scheme"}
