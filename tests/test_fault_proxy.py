import asyncio
import gc
import socket
from typing import Any

import pytest

from tests.fault_proxy import FaultProxy


@pytest.mark.parametrize("turns", range(6))
def test_connection_that_comes_as_the_proxy_goes_is_closed(
    monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    async def main() -> None:
        async with FaultProxy(1) as proxy:
            client = socket.create_connection(("127.0.0.1", proxy.port))
            for _turn in range(turns):
                await asyncio.sleep(0)
        client.close()

    gc.collect()  # what earlier tests left behind is theirs
    left_open: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", left_open.append)
    asyncio.run(main())
    gc.collect()
    assert left_open == []
