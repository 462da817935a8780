"""The reference core on the broker that the demo brings along (MQTT 3.1.1, in this process)."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from simulators.broker import embedded_broker
from tests.conformance.cases import CASES
from tests.conformance.rig import REFERENCE_CORE, Rig

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENCE_S = 5.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    async with embedded_broker() as url:
        state = tmp_path_factory.mktemp("core") / "state"
        async with Rig(REFERENCE_CORE, urlsplit(url).port or 0, "3.1.1", state, PATIENCE_S) as rig:
            yield rig


@pytest.mark.parametrize("name", CASES)
async def test_core_conforms(rig: Rig, name: str) -> None:
    await CASES[name](rig)
    assert rig.process is not None
