"""The reference core, or the one named by SHELFGATE_CORE, must pass every case."""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.conformance.cases import CASES
from tests.conformance.rig import REFERENCE_CORE, Rig

pytestmark = [pytest.mark.server, pytest.mark.asyncio(loop_scope="module")]

PATIENCE_S = 5.0


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["5", "3.1.1"])
async def rig(
    request: pytest.FixtureRequest, broker: int, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Rig]:
    command = os.environ.get("SHELFGATE_CORE", REFERENCE_CORE)
    state = tmp_path_factory.mktemp("core") / "state"
    async with Rig(command, broker, request.param, state, PATIENCE_S) as rig:
        yield rig


@pytest.mark.parametrize("name", CASES)
async def test_core_conforms(rig: Rig, name: str) -> None:
    await CASES[name](rig)
    assert rig.process is not None
    assert rig.process.returncode is None
