"""The lights that are wired beside those that the devices have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from gateway.doctor.finding import Finding, fail, ok
from gateway.doctor.site import place_of
from gateway.model import Light, LightColour, LightId
from gateway.ports import LightAbility
from gateway.settings import Configuration

ALARMS: frozenset[LightColour] = frozenset(("red", "amber"))
"""What a stack light must be able to show; one of a single lamp tells them by how it blinks."""

Lights = Mapping[str, Mapping[LightId, LightAbility] | None]
"""The lights of each device, with their colours; None where the driver has none."""


def examine_lights(configuration: Configuration, lights: Lights) -> Iterator[Finding]:
    """Lights that no device has, or that cannot show what they are there for."""
    wrong = 0
    for index, light in enumerate(configuration.site.lights):
        device = light.light.rpartition(":")[0]
        if device not in lights:
            continue  # the driver's own settings are wrong, and that is told
        trouble = _trouble(light, device, lights[device])
        if trouble is not None:
            wrong += 1
            text, fix = trouble
            key = place_of(configuration, ("light", index, "light"))
            yield fail("lights", f"{key}: {light.light!r}: {text}", fix)
    if configuration.site.lights and not wrong:
        yield ok("lights", f"{len(configuration.site.lights)} wired")


def _trouble(
    light: Light, device: str, known: Mapping[LightId, LightAbility] | None
) -> tuple[str, str] | None:
    if known is None:
        return f"the driver of {device} has no lights", "name a device that has"
    ability = known.get(light.light)
    if ability is None:
        close = get_close_matches(light.light, list(known), n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        text = f"{device} has only {', '.join(sorted(known)) or 'no lights'}{hint}"
        return text, f"correct light, or let [[device.lights]] of {device} name it"
    lacking = ALARMS - ability.colours
    if light.kind == "stack" and ability.colours and lacking:
        text = f"it has no {' and no '.join(sorted(lacking))}"
        return text, f"name the lamps of these colours in [[device.lights]] of {device}"
    return None
