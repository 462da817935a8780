"""A badge that the core tells of, scanned at a shelf, names who took things there, in the core,
and by a pseudonym where the site wants that.
"""

import hashlib
import hmac
import sqlite3
from pathlib import Path

import pytest

from simulators.demo.chain import Chain
from simulators.scanner import ScannerServer, gs1_128
from tests.chain.asking import device_is_up, held_events, held_movements

GSRN = "950600013435200005"
KEY = b"a secret of the site"
PSEUDONYM = hmac.new(KEY, b"a.muster", hashlib.sha256).hexdigest()[:16]

SCANNER = """
[[device]]
id = "shelf-scanner"
driver = "scanner"
link = "tcp"
host = "127.0.0.1"
port = {port}

[[scanner]]
device = "shelf-scanner"
location = "SHELF-A"

[rules.person]
demanded = ["SHELF-A"]
pseudonym = true
"""


BADGES = "SELECT code FROM reference WHERE kind = 'badge'"
SIGHTS = "SELECT key FROM state WHERE rule = 'person' AND key LIKE 'sight:%'"


def held(folder: Path, question: str) -> set[str]:
    store = sqlite3.connect(f"file:{folder}/state/shelfgate.db?mode=ro", uri=True)
    try:
        return {name for (name,) in store.execute(question)}
    finally:
        store.close()


@pytest.mark.server
@pytest.mark.timeout(150)
async def test_scanned_badge_is_the_actor_in_the_core(chain: Chain, tmp_path: Path) -> None:
    shelf = chain.world.spots["A-1"]
    async with ScannerServer() as scanner:
        key = tmp_path / "badge-key"
        key.write_bytes(KEY)
        text = chain.config.read_text(encoding="utf-8") + SCANNER.format(port=scanner.port)
        text = text.replace("[gateway]\n", f'[gateway]\npseudonym_key = "{key}"\n')
        chain.config.write_text(text, encoding="utf-8")
        await chain.start_daemon()
        await chain.ready()
        badge = {"code": "B-17", "actor": "a.muster", "scan": f"(8018){GSRN}"}
        await chain.core.put("badge", "B-17", badge)
        assert await chain.wait_until(lambda: held(tmp_path, BADGES) == {"B-17"}, 10)
        assert await chain.wait_until(lambda: device_is_up(chain, "shelf-scanner"), 10)

        chain.world.pick("Ana", shelf, 2)
        assert await chain.wait_until(lambda: len(chain.booked) == 1, 30)
        assert await chain.wait_until(lambda: "no_badge" in chain.alerts, 10)

        await scanner.scan(gs1_128(("8018", GSRN)))
        assert await chain.wait_until(lambda: len(held(tmp_path, SIGHTS)) == 1, 10)
        chain.world.pick("Ana", shelf, 3)
        assert await chain.wait_until(lambda: len(chain.booked) == 2, 30)
        await chain.stop_daemon()
    moved = [(each["quantity"], each.get("actor")) for each in held_movements(tmp_path)]
    assert moved == [(2, None), (3, PSEUDONYM)]
    raised = [each["code"] for each in held_events(tmp_path) if each["event"] == "alert"]
    assert raised.count("no_badge") == 1
    assert held(tmp_path, SIGHTS) == {f"sight:scan\tSHELF-A\t{PSEUDONYM}"}
