"""An act that a scale cannot read is settled by scans at the shelf, in the core too."""

from dataclasses import replace

import pytest

from simulators.demo.chain import Chain
from simulators.scanner import ScannerServer, gs1_128
from simulators.world.world import NO_REASON
from tests.chain.asking import device_is_up, held_events, held_movements

GSRN = "950600013435200005"
GTIN = "09506000134352"
SCANNER = """
[[device]]
id = "hand-scanner"
driver = "scanner"
link = "tcp"
host = "127.0.0.1"
port = {port}
"""


@pytest.mark.server
@pytest.mark.timeout(150)
async def test_scan_settles_what_the_scale_could_not_read(chain: Chain) -> None:
    world, spot = chain.world, chain.world.spots["A-1"]
    odd = replace(spot.ware, unit_g=1.45 * spot.ware.unit_g, spread=0.0)
    async with ScannerServer() as scanner:
        text = chain.config.read_text(encoding="utf-8") + SCANNER.format(port=scanner.port)
        chain.config.write_text(text, encoding="utf-8")
        await chain.start_daemon()
        await chain.ready()
        item = {"code": "BOLT-M8", "unit_mg": 21_400, "unit_sd_mg": 200, "uom": "pcs"}
        await chain.core.put("item", "BOLT-M8", {**item, "gtins": [GTIN]})
        badge = {"code": "B-17", "actor": "a.muster", "scan": f"(8018){GSRN}"}
        await chain.core.put("badge", "B-17", badge)
        assert await chain.wait_until(lambda: device_is_up(chain, "hand-scanner"), 10)
        before = int((await chain.core.stock())["A-1", "BOLT-M8"])

        world._put("Ana", spot, [world.make(odd)], NO_REASON)
        assert await chain.wait_until(lambda: "unresolved" in chain.alerts, 30)
        assert held_movements(chain.folder) == []
        await scanner.scan(gs1_128(("8018", GSRN)))
        await scanner.scan("A-1")
        await scanner.scan(gs1_128(("01", GTIN), ("10", "L7")))
        assert await chain.wait_until(lambda: "unresolved" not in chain.alerts, 30)
        assert int((await chain.core.stock())["A-1", "BOLT-M8"]) == before + 1
    [question] = [e for e in held_events(chain.folder) if e["event"] == "unresolved"]
    [movement] = held_movements(chain.folder)
    assert (movement["reason"], movement["supersedes"]) == ("scanned", question["unresolved_id"])
    assert (movement["actor"], movement["lot"]) == ("a.muster", "L7")
    [closing] = [e for e in held_events(chain.folder) if e["event"] == "dismissal"]
    assert closing["reason"] == "settled_by_scan"
    assert chain.statuses["rejected"] == 0
