"""`shelfgate store`: reading the ledger beside the daemon or without it."""

import asyncio
import errno
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gateway import cli
from gateway.assembly import assemble
from gateway.cli.exits import OK, PROBLEM
from gateway.model import Alert, Movement
from gateway.outcome import Outcome
from gateway.settings import load_configuration
from gateway.store import Result
from tests.gateway.serving import serving

ALERT = Alert("hot", "hot:scale", True, "critical", "scale is hot", 1)
MOVEMENT = Movement(
    movement_id="m1",
    kind="issue",
    reason="observed",
    item="BOLT",
    quantity=2,
    uom="pcs",
    from_location="BIN-1",
    to_location="unknown",
    at_event=1,
    at_decided=2,
    confidence_permille=995,
)


async def fill(path: Path, *, rejected: bool) -> None:
    gateway = await assemble(load_configuration(path), Random(1))
    await (await gateway.store.submit([Outcome(2, (ALERT, MOVEMENT))]))
    if rejected:
        results = [Result(2, "rejected", None, "item is blocked")]
        await gateway.store.acknowledge(gateway.store.epoch.uuid, 2, results)
    await gateway.store.close()


@pytest.fixture
def ledger(site: Path) -> Path:
    """A site whose ledger holds an alert, a movement that the core rejected, and its alert."""
    asyncio.run(fill(site, rejected=True))
    return site


@pytest.fixture
def store(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["store", *map(str, arguments)])
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return run


Run = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize("command", [("status",), ("ls",), ("show", 1), ("verify",)])
def test_without_a_store_says_who_makes_it(
    store: Run, site: Path, command: tuple[object, ...]
) -> None:
    code, _, err = store(*command, "--config", site)
    assert code == PROBLEM
    assert "there is no store yet; the first `shelfgate run` makes it" in err


def test_a_folder_that_is_closed_to_us_is_named(
    store: Run, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", closed)
    code, _, err = store("verify", "--config", ledger)
    assert code == PROBLEM
    assert "shelfgate.db: permission denied; ask as root or as the gateway's user" in err


def test_status_at_a_glance(store: Run, ledger: Path) -> None:
    code, out, _ = store("status", "--config", ledger)
    assert code == OK
    assert "records      1 to 3, settled 2" in out
    assert "quarantined  1" in out
    told = json.loads(store("status", "--json", "--config", ledger)[1])
    assert (told["last_seq"], told["high_water"], told["quarantined"]) == (3, 2, 1)
    assert told["epoch"]["reason"] == "created"


def test_ls_newest_records(store: Run, ledger: Path) -> None:
    code, out, _ = store("ls", "--config", ledger)
    assert code == OK
    alert, movement, refusal = out.splitlines()
    assert alert.startswith("alert       #1 ")
    assert alert.endswith("raised scale is hot")
    assert "issue 2 pcs BOLT  BIN-1 -> unknown  99.5 % sure, observed" in movement
    assert "raised the core does not take this record: item is blocked" in refusal


def test_ls_after_and_limit(store: Run, ledger: Path) -> None:
    lines = store("ls", "--after", 0, "--limit", 1, "--json", "--config", ledger)[1].splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1]


def test_ls_quarantine(store: Run, ledger: Path) -> None:
    out = store("ls", "--quarantine", "--config", ledger)[1]
    assert out.startswith("#2 ")
    assert "movement rejected: item is blocked" in out
    told = json.loads(store("ls", "--quarantine", "--json", "--config", ledger)[1])
    assert (told["seq"], told["body"]["item"]) == (2, "BOLT")


def test_ls_of_an_unknown_epoch_is_refused(store: Run, ledger: Path) -> None:
    code, _, err = store("ls", "--epoch", "e", "--config", ledger)
    assert (code, err) == (PROBLEM, "e is no epoch of this store\n")


def test_show_one_record(store: Run, ledger: Path) -> None:
    told = json.loads(store("show", 2, "--config", ledger)[1])
    assert told["record"]["movement_id"] == "m1"
    assert len(told["leaf_hash"]) == 64


def test_show_a_record_that_is_not_kept(store: Run, ledger: Path) -> None:
    code, _, err = store("show", 4, "--config", ledger)
    assert (code, err) == (PROBLEM, "record 4 is not kept\n")


def test_verify_a_sound_ledger(store: Run, ledger: Path) -> None:
    code, out, _ = store("verify", "--config", ledger)
    assert code == OK
    assert out.startswith("3 records, all well\nroot ")


def test_verify_a_damaged_ledger(store: Run, ledger: Path) -> None:
    path = ledger.parent / "state" / "shelfgate.db"
    content = path.read_bytes()
    assert content.count(b"scale is hot") >= 1
    path.write_bytes(content.replace(b"scale is hot", b"scale is not"))
    code, out, _ = store("verify", "--json", "--config", ledger)
    assert code == PROBLEM
    assert "does not fit its hash" in json.loads(out)["problems"][0]


def test_requeue_without_a_daemon(store: Run, ledger: Path) -> None:
    code, out, _ = store("requeue", 2, "--config", ledger)
    assert (code, out) == (OK, "record 2 is booked anew as 4\n")
    assert "quarantined  0" in store("status", "--config", ledger)[1]
    told = json.loads(store("show", 4, "--config", ledger)[1])
    assert told["record"]["supersedes"] == "m1"


def test_requeue_what_is_not_in_quarantine(store: Run, ledger: Path) -> None:
    code, _, err = store("requeue", 1, "--config", ledger)
    assert code == PROBLEM
    assert "is not in quarantine" in err


async def test_requeue_and_read_beside_the_daemon(store: Run, site: Path) -> None:
    await fill(site, rejected=True)
    async with serving(load_configuration(site)) as gateway:
        last = gateway.store.last_seq
        code, out, _ = await asyncio.to_thread(store, "requeue", 2, "--json", "--config", site)
        told: dict[str, Any] = json.loads(out.splitlines()[-1])  # the daemon's log is before it
        assert (code, told["seq"] > last) == (OK, True)
        assert (await asyncio.to_thread(store, "verify", "--config", site))[0] == OK
