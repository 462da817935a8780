"""Every command: what it says, and its exit code."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway import cli
from gateway.cli.exits import CONFIG, OK, PROBLEM, USAGE
from gateway.model import NS_PER_S, DeviceFault
from gateway.recording import Head, end_line, fact_line, head_line
from gateway.status import Object

Write = Callable[..., Path]
ROOT = Path(__file__).resolve().parents[3]
EPOCH = "a2f0a95f-bb92-47ba-a0b5-cc26963e19f1"


class Ran:
    """What a command came to."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def shelfgate(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    def run(*arguments: object) -> Ran:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Ran(int(ended.value.code or 0), out, err)

    return run


Run = Callable[..., Ran]


# What there is


def test_help_lists_all_commands(shelfgate: Run) -> None:
    ran = shelfgate("--help")
    assert ran.code == OK
    for name in cli.COMMANDS:
        assert f"  {name}" in ran.out


def test_no_command_is_wrong_usage(shelfgate: Run) -> None:
    assert shelfgate().code == USAGE


def test_unknown_command_is_wrong_usage_with_a_hint(shelfgate: Run) -> None:
    ran = shelfgate("staus")
    assert ran.code == USAGE
    assert "no command 'staus'; did you mean 'status'?" in ran.err


@pytest.mark.parametrize("name", [name for name in cli.COMMANDS if name != "run"])
def test_every_command_has_help(shelfgate: Run, name: str) -> None:
    ran = shelfgate(name, "--help")
    assert ran.code == OK
    assert f"shelfgate {name}" in ran.out


def test_unknown_option_is_wrong_usage(shelfgate: Run) -> None:
    assert shelfgate("check", "--conect").code == USAGE


def test_version_in_words_and_as_json(shelfgate: Run) -> None:
    assert shelfgate("version").out.startswith("shelfgate 0.")
    assert set(shelfgate("version", "--json").json) == {"shelfgate", "python", "sqlite", "machine"}
    assert shelfgate("--version").code == OK


def test_drivers_lists_plugins_with_their_settings(shelfgate: Run) -> None:
    told = shelfgate("drivers", "--json").json
    names = [plugin["name"] for plugin in told["drivers"]]
    assert {"llrp", "modbus"} <= set(names)
    llrp = next(plugin for plugin in told["drivers"] if plugin["name"] == "llrp")
    assert "host" in llrp["settings"]["required"]
    assert told["rules"][0]["name"] == "presence"
    assert "host: string, must be set" in shelfgate("drivers").out


@pytest.mark.usefixtures("fake_driver")
def test_drivers_of_others_are_listed_too(shelfgate: Run) -> None:
    assert "fake  (fake_driver:FakeDriver, no package)" in shelfgate("drivers").out


# check


def test_check_of_the_shipped_sample(shelfgate: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    ran = shelfgate("check", "--config", ROOT / "config" / "gateway.toml")
    assert ran.code == OK
    assert "shelf-b: modbus" in ran.out


def test_check_a_sound_site(shelfgate: Run, site: Path) -> None:
    ran = shelfgate("check", "--config", site)
    assert (ran.code, ran.err) == (OK, "")
    assert ran.out.endswith(f"{site}: well\n")


def test_check_says_all_that_is_wrong_on_stderr(shelfgate: Run, write_site: Write) -> None:
    path = write_site("gros_g = 1", "[rules.wait]\n")
    ran = shelfgate("check", "--config", path)
    assert ran.code == CONFIG
    assert ran.out == ""
    assert f"{path}:17: device[0].gros_g: unknown key; did you mean 'gross_g'?" in ran.err
    assert len(ran.err.splitlines()) == 2


def test_check_reads_the_reference_files(shelfgate: Run, site: Path) -> None:
    (site.parent / "items.csv").write_text("code,unit_g\nBOLT,heavy\n", encoding="utf-8")
    ran = shelfgate("check", "--config", site)
    assert ran.code == CONFIG
    assert f"{site.parent}/items.csv:2: unit_g" in ran.err


def test_check_refuses_a_piece_too_light_to_count_and_says_what_to_do(
    shelfgate: Run, site: Path
) -> None:
    (site.parent / "items.csv").write_text("code,unit_g\nBOLT,0.8\n", encoding="utf-8")
    ran = shelfgate("check", "--config", site)
    assert ran.code == CONFIG
    assert ": cell[0].item: 'BOLT' weighs 0.8 g a piece" in ran.err
    assert "plan packs of it" in ran.err


def test_check_as_json(shelfgate: Run, write_site: Write) -> None:
    told = shelfgate("check", "--json", "--config", write_site("gros_g = 1")).json
    assert told["ok"] is False
    assert "did you mean 'gross_g'" in told["problems"][0]


def test_check_without_a_file(shelfgate: Run, tmp_path: Path) -> None:
    ran = shelfgate("check", "--config", tmp_path / "none.toml")
    assert ran.code == CONFIG
    assert "No such file or directory" in ran.err


def test_check_connect_names_each_device_and_the_broker(shelfgate: Run, site: Path) -> None:
    ran = shelfgate("check", "--connect", "--config", site)
    assert ran.code == PROBLEM
    assert "ok    device scale: fake answers" in ran.out
    assert "fail  broker: 127.0.0.1:" in ran.out
    assert "fix: check mqtt.host" in ran.out


def test_check_connect_starts_nothing_while_the_file_is_wrong(
    shelfgate: Run, write_site: Write
) -> None:
    ran = shelfgate("check", "--connect", "--config", write_site("gros_g = 1"))
    assert ran.code == CONFIG


# doctor


def test_doctor_fails_and_names_fixes(shelfgate: Run, site: Path) -> None:
    ran = shelfgate("doctor", "--json", "--config", site)
    assert ran.code == PROBLEM
    assert ran.json["ok"] is False
    failed = [finding for finding in ran.json["findings"] if finding["verdict"] == "fail"]
    assert [finding["check"] for finding in failed] == ["broker"]
    assert all(finding["fix"] for finding in failed)


def test_doctor_of_a_wrong_configuration(shelfgate: Run, write_site: Write) -> None:
    assert shelfgate("doctor", "--config", write_site("gros_g = 1")).code == CONFIG


# The running gateway


def test_status_where_nothing_runs(shelfgate: Run, site: Path) -> None:
    ran = shelfgate("status", "--config", site)
    assert ran.code == PROBLEM
    assert "no gateway listens at" in ran.err
    assert "systemctl start shelfgate" in ran.err


STATUS = {
    "gateway": "edge-t",
    "site": "test",
    "version": "0.1.0",
    "at": "2026-01-01T00:00:00.000Z",
    "clock": "synced",
    "last": 9,
    "settled": 7,
    "oldest_unsettled_ms": 1500,
    "queues": {"inbox": 3, "outbox": 2},
    "latency_us": {"commit_to_settled_p50": 20_000, "commit_to_settled_p99": 90_000},
    "devices": [{"device": "dock", "state": "down", "reason": "no route", "blind_antennas": [2]}],
    "uplink": {"connected": False, "broker": "b", "since_s": 4, "reason": "refused", "mqtt": ""},
    "alerts": [
        {
            "severity": "critical",
            "code": "device_down",
            "key": "device_down:dock",
            "text": "dock is down",
            "seq": 3,
            "acknowledged": {"actor": "ana", "at": "2026-01-01T00:00:00.000Z"},
        },
        {"severity": "info", "code": "reorder", "key": "reorder:A", "text": "order", "seq": 4},
    ],
    "proposals": 2,
    "last_movements": [],
}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Object]:
    """Stand in for the running gateway; what it was asked."""
    asked: list[Object] = []

    class Conversation:
        def __init__(self, _folder: Path, request: Object) -> None:
            asked.append(request)
            self.first = {"status": STATUS, "result": {"seq": 10}}

        def close(self) -> None: ...

    monkeypatch.setattr("gateway.cli.configured.Conversation", Conversation)
    return asked


@pytest.fixture
def told_stock(monkeypatch: pytest.MonkeyPatch, answers: list[Object]) -> list[Object]:
    """As `answers`, of a gateway that tells its stock."""

    def ask(_configuration: object, request: Object) -> Object:
        answers.append(request)
        return {"result": {"lines": STOCK, "left_off": 7}}

    monkeypatch.setattr("gateway.cli.configured.ask_gateway", ask)
    return answers


def test_status_in_words(shelfgate: Run, site: Path, answers: list[Object]) -> None:
    out = shelfgate("status", "--config", site).out
    assert answers == [{"request": "status"}]
    assert "ledger    seq 9, settled 7, 2 waiting, the oldest for 1.5 s" in out
    assert "uplink    not connected to b for 4 s: refused" in out
    assert "device    dock down: no route, blind antennas [2]" in out
    assert "alert     critical device_down: dock is down (seen by ana)\n" in out
    assert "reorder: order\nproposals 2 wait for an answer: shelfgate proposals\n" in out
    assert "median 20 ms, 99 % 90 ms" in out


def test_status_as_json(shelfgate: Run, site: Path, answers: list[Object]) -> None:
    assert (shelfgate("status", "--json", "--config", site).json, len(answers)) == (STATUS, 1)


@pytest.mark.parametrize(
    ("words", "command", "args"),
    [
        (("tare", "scale:1"), "tare", {"cell": "scale:1"}),
        (("zero", "scale:1"), "zero", {"cell": "scale:1"}),
        (("snapshot",), "snapshot", {}),
        (("snapshot", "A-1"), "snapshot", {"location": "A-1"}),
        (("requeue", "9"), "requeue", {"seq": 9}),
        (("replay-from", EPOCH, "3"), "replay-from", {"epoch": EPOCH, "seq": 3}),
    ],
)
def test_command_asks_what_the_contract_says(
    shelfgate: Run,
    site: Path,
    answers: list[Object],
    words: tuple[str, ...],
    command: str,
    args: Object,
) -> None:
    assert shelfgate("command", *words, "--config", site).code == OK
    (asked,) = answers
    assert (asked["request"], asked["command"], asked["args"]) == ("command", command, args)


STOCK = [
    {"location": "A-1", "item": "BOLT", "uom": "pcs", "quantity": 4},
    {
        "location": "A-1",
        "item": "NUT",
        "uom": "pcs",
        "quantity": 0,
        "quantity_open": 2,
        "book": 3,
        "variance": -5,
        "safety": 1,
        "reorder": 6,
        "stockout_p10_h": 30,
        "stockout_p50_h": 96,
        "purchase_quantity": 6,
    },
]


def test_stock_in_words(shelfgate: Run, site: Path, told_stock: list[Object]) -> None:
    out = shelfgate("stock", "A-1", "NUT", "--config", site).out
    (asked,) = told_stock
    assert (asked["command"], asked["args"]) == ("stock", {"location": "A-1", "item": "NUT"})
    assert out.splitlines() == [
        "A-1  BOLT  4 pcs",
        (
            "A-1  NUT  0 pcs  2 more went out than were known  book 3 (-5)  safety 1  reorder 6  "
            "out in 4 d (30 h to more than a year)  buy 6"
        ),
        "... and 7 more; name a location",
    ]


def test_stock_as_json(shelfgate: Run, site: Path, told_stock: list[Object]) -> None:
    ran = shelfgate("stock", "--json", "--config", site)
    assert ran.json == {"lines": STOCK, "left_off": 7}
    assert told_stock[0]["args"] == {}


# Recordings


def recording(folder: Path, *, cut: bool = False) -> Path:
    path = folder / "r.jsonl"
    fault = DeviceFault("scale", "hot", detail="too hot", severity="critical")
    lines = [head_line(Head("edge-t", EPOCH, "b", NS_PER_S)), fact_line(NS_PER_S, fault)]
    path.write_bytes(b"".join(lines if cut else [*lines, end_line(NS_PER_S)]))
    return path


def test_replay_writes_the_same_bytes_each_time(shelfgate: Run, site: Path, tmp_path: Path) -> None:
    path = recording(tmp_path)
    for name in ("a", "b"):
        ran = shelfgate("replay", path, "--config", site, "--out", tmp_path / name)
        assert (ran.code, ran.out) == (OK, f"{tmp_path / name}: 1 records\n")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    record = json.loads((tmp_path / "a").read_bytes())
    assert (record["event"], record["code"]) == ("alert", "hot")


def test_replay_to_stdout(shelfgate: Run, site: Path, tmp_path: Path) -> None:
    assert shelfgate("replay", recording(tmp_path), "--config", site, "--out", "-").json["seq"] == 1


def test_replay_of_a_cut_recording_names_the_line(
    shelfgate: Run, site: Path, tmp_path: Path
) -> None:
    path = recording(tmp_path, cut=True)
    ran = shelfgate("replay", path, "--config", site, "--out", tmp_path / "a")
    assert ran.code == PROBLEM
    assert ran.err == f"{path}:3: cut off: expected an end line\n"


def test_record_where_nothing_runs(shelfgate: Run, site: Path, tmp_path: Path) -> None:
    ran = shelfgate("record", "--config", site, "--out", tmp_path / "r")
    assert ran.code == PROBLEM
    assert not (tmp_path / "r").exists()


# run


def run_process(*arguments: object) -> subprocess.CompletedProcess[str]:
    code = "import sys; from gateway.cli import main; main(sys.argv[1:])"
    words = [sys.executable, "-c", code, "run", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def test_run_with_a_wrong_configuration_exits_78(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text('[gateway]\nid = "a"\nsite = "b"\n[mqtt]\nhots = "c"\n', encoding="utf-8")
    ran = run_process("--config", path)
    assert ran.returncode == CONFIG
    assert ran.stderr.splitlines() == [
        f"{path}:4: mqtt.host: this key is missing",
        f"{path}:5: mqtt.hots: unknown key; did you mean 'host'?",
    ]


def test_run_loads_no_more_than_it_needs() -> None:
    code = """
import atexit, sys
from gateway.cli import main
heavy = {"typer", "rich", "influxdb_client", "aiohttp", "pymodbus", "sllurp"}
atexit.register(lambda: print(*sorted(heavy & set(sys.modules)), file=sys.stderr))
main(["run", "--help"])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--config" in ran.stdout
    assert ran.stderr.strip() == ""
