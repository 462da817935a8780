"""For every family, states with their registers and the right reading of them.

The words are typed by hand from the makers' pages, not computed: a reader is tested against them
without the simulator, and the simulator is tested against them too.
"""

from simulators.modbus.expectation import Known
from simulators.modbus.known_floats import FLOAT_STATES
from simulators.modbus.known_integers import INTEGER_STATES


def known_states() -> tuple[Known, ...]:
    """All known states of all families."""
    return INTEGER_STATES + FLOAT_STATES


def known_states_of(family: str) -> tuple[Known, ...]:
    """The known states of one family by its name."""
    return tuple(known for known in known_states() if known.family == family)
