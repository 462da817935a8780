"""What any inventory core must do, as cases: NonconformityError where the core does not.

Each case takes gateways and epochs of its own, so that all may run against one core.
"""

from collections.abc import Awaitable, Callable

from tests.conformance import crash_cases, order_cases, payload_cases
from tests.conformance.rig import Rig

Case = Callable[[Rig], Awaitable[None]]

CASES: dict[str, Case] = {
    case.__name__: case for case in (*order_cases.CASES, *payload_cases.CASES, *crash_cases.CASES)
}
