"""What may have led to a false movement: a fault of the site, and the sense that told it."""

from __future__ import annotations

from simulators.world.truth import OUTSIDE, Scenario
from tests.bench.judging.claims import Claim

FALSE, NO_FAULT = "false: ", "no fault"
"""False movements are counted under this word and their cause."""


def fault_of(claim: Claim, scenario: Scenario) -> str:
    """The last to begin of the faults that may show when it was decided."""
    showing = [
        (trouble.begin, trouble.kind)
        for trouble in scenario.block.troubles
        if trouble.begin <= claim.decided <= trouble.until
    ]
    return max(showing)[1] if showing else NO_FAULT


def kind_of(claim: Claim, scenario: Scenario) -> str:
    """Where it was told, and as what: `zone departure`, `plate arrival`, `gate passage`."""
    ends, block = {claim.source, claim.target}, scenario.block
    if ends & {end for gate in block.gates for end in (gate.outside, gate.inside)}:
        return "gate passage"
    sense = "plate" if ends & {cell.location for cell in block.cells} else "zone"
    if claim.target == OUTSIDE:
        return f"{sense} departure"
    return f"{sense} {'arrival' if claim.source == OUTSIDE else 'move'}"
