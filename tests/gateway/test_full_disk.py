"""No space left is a state, not an error: everything but booking waits it out."""

import asyncio
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest

from gateway import daemon
from gateway.clock import Anchor
from gateway.ports import LinkError
from gateway.store import StoreFull
from gateway.store.outbox import EpochOutbox
from tests.virtual_time import run

FULL_TIMES = 3


class FullStore:
    """Has no space for the first few things asked of it."""

    def __init__(self) -> None:
        self.asked = 0

    async def put_anchor(self, _anchor: Anchor) -> None:
        await self._ask()

    async def prune(self, _before_unix_ns: int) -> int:
        await self._ask()
        return 0

    async def prune_quarantine(self, _before_unix_ns: int) -> int:
        await self._ask()
        return 0

    async def acknowledge(self, *_told: object) -> None:
        await self._ask()

    async def _ask(self) -> None:
        await asyncio.sleep(0)
        self.asked += 1
        if self.asked <= FULL_TIMES:
            raise StoreFull("no space left")


def gateway_with(store: FullStore) -> Any:
    wall = SimpleNamespace(anchor=Anchor("boot", 0, 0, "unsynced"), watch=lambda: 0)
    configuration = SimpleNamespace(gateway=SimpleNamespace(retention_days=1))
    booker = SimpleNamespace(full=False)
    return SimpleNamespace(store=store, wall=wall, configuration=configuration, booker=booker)


@pytest.mark.parametrize("duty", [daemon._anchors, daemon._prune])
def test_duty_goes_on_once_there_is_space(
    duty: Callable[[Any], Coroutine[Any, Any, None]],
) -> None:
    async def main() -> int:
        store = FullStore()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(600):
                await duty(gateway_with(store))
        return store.asked

    assert run(main()) > FULL_TIMES + 1


def test_ack_without_space_for_it_is_a_lost_link_and_comes_again() -> None:
    async def main() -> None:
        store: Any = FullStore()
        outbox = EpochOutbox(store, "epoch")
        for _ in range(FULL_TIMES):
            with pytest.raises(LinkError, match="no space"):
                await outbox.acknowledge("epoch", 1, ())
        await outbox.acknowledge("epoch", 1, ())

    run(main())
