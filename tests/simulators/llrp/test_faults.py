import asyncio

import pytest

from tests.simulators.llrp.readers import (
    connected,
    inventory,
    make,
)
from tests.virtual_time import run


@pytest.mark.parametrize("name", ["cut", "corrupt", "truncate", "unknown", "silence"])
def test_fault_strikes_the_report_it_is_drawn_for(name: str) -> None:
    async def main() -> None:
        async with make(tags=1) as reader:
            client = await connected(reader)
            await inventory(client, antennas=(1,))
            await client.wait_for(61, count=3)
            good = client.of(61)[-1]
            mark = len(client.received)
            setattr(reader.faults, name, 1.0)
            await asyncio.sleep(0.5)
            rest = bytes(client.received[mark:])
            assert reader.faults.struck[name] >= 1
            if name == "cut":
                assert client.closed.is_set()
                assert len(rest) == (len(good.whole)) // 2
            elif name == "silence":
                assert rest == b""
            elif name == "unknown":
                assert len(client.of(999)) > 3
                assert len(client.of(61)) > 6
            elif name == "truncate":
                assert all(len(m.body) < len(good.body) for m in client.of(61)[3:])
            else:
                assert len(client.of(61)[-1].body) == len(good.body)
                assert client.of(61)[-1].body[:4] != good.body[:4] or (
                    client.of(61)[-1].body != good.body
                )

    run(main())
