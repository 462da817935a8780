"""The suite bites: a naive core fails by name on all that makes the difference."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.conformance.cases import CASES
from tests.conformance.gateway import NonconformityError
from tests.conformance.rig import NAIVE_CORE, Rig

pytestmark = [pytest.mark.server, pytest.mark.asyncio(loop_scope="module")]

PATIENCE_S = 0.5
PASSES = {"in_order", "ack_is_cumulative", "two_gateways", "new_epoch", "results_from"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig(broker: int, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    state = tmp_path_factory.mktemp("naive") / "state"
    async with Rig(NAIVE_CORE, broker, "5", state, PATIENCE_S) as rig:
        yield rig


@pytest.mark.parametrize("name", sorted(PASSES))
async def test_naive_core_passes(rig: Rig, name: str) -> None:
    await CASES[name](rig)
    assert rig.process is not None


@pytest.mark.parametrize("name", sorted(CASES.keys() - PASSES))
async def test_naive_core_fails(rig: Rig, name: str) -> None:
    with pytest.raises(NonconformityError):
        await CASES[name](rig)
    if rig.process is None or rig.process.returncode is not None:
        await rig.start()
