"""Waiting for what tells nobody when it has come about."""

import asyncio
from collections.abc import Callable
from typing import Any

POLL_S = 0.005
PATIENCE_S = 20.0


async def until(condition: Callable[[], Any], within_s: float = PATIENCE_S) -> None:
    """Wait until the condition holds; AssertionError names it if it never does."""
    try:
        async with asyncio.timeout(within_s):
            while not condition():  # noqa: ASYNC110 - any condition, of code that sets no event
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise AssertionError(f"never came true: {condition}") from None
