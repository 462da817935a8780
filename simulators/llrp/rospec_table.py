"""The life cycle of ROSpecs: Disabled, Inactive, Active (LLRP 1.0.1 section 6.3), and the
AccessSpecs that lie beside them. Nothing here runs: the reader asks what should be active.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from simulators.llrp.device import Device
from simulators.llrp.rospec import (
    ACTIVE,
    DISABLED,
    IMMEDIATE,
    INACTIVE,
    RoSpec,
    with_state,
)
from simulators.llrp.wire import (
    ParameterType,
    Status,
    bad_field,
    bad_message_field,
    bad_parameter,
    fields,
    tlv,
)

ALL_SPECS = 0


class RoSpecTable:
    """The ROSpecs a client has added. At most one is Active: the radio is one."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._specs: dict[int, RoSpec] = {}
        self._states: dict[int, int] = {}
        self.active: RoSpec | None = None
        self.starts = 0
        """Counts activations, so that a restart of the same ROSpec can be told from going on."""

    def add(self, rospec: RoSpec) -> None:
        """Take a new ROSpec, Disabled; RequestError when its id is taken or the table is full."""
        if rospec.number in self._specs:
            raise bad_field(ParameterType.ROSPEC, 0, "a ROSpec of this id exists")
        if len(self._specs) >= self._device.rospecs_max:
            raise bad_parameter(
                ParameterType.ROSPEC, Status.P_OVERFLOW_PARAMETER, "no room for another ROSpec"
            )
        self._specs[rospec.number] = rospec
        self._states[rospec.number] = DISABLED

    def delete(self, number: int) -> None:
        """Forget one ROSpec, or all of them (0)."""
        for chosen in self._chosen(number):
            self._leave(chosen)
            del self._specs[chosen], self._states[chosen]
        self.resume()

    def enable(self, number: int) -> None:
        """Make Disabled ROSpecs Inactive; one with an Immediate start trigger becomes Active."""
        for chosen in self._chosen(number):
            if self._states[chosen] == DISABLED:
                self._states[chosen] = INACTIVE
        self.resume()

    def disable(self, number: int) -> None:
        """Make ROSpecs Disabled, whatever they were."""
        for chosen in self._chosen(number):
            self._leave(chosen)
            self._states[chosen] = DISABLED
        self.resume()

    def start(self, number: int) -> None:
        """Make an Inactive ROSpec Active; RequestError when it, or another, is Active already."""
        chosen = self._one(number)
        if self._states[chosen] != INACTIVE:
            raise bad_message_field(0, "only an inactive ROSpec can be started")
        if self.active is not None:
            raise bad_message_field(0, "another ROSpec is active")
        self._activate(chosen)

    def stop(self, number: int) -> None:
        """Make an Active ROSpec Inactive; its Immediate trigger does not restart it."""
        chosen = self._one(number)
        if self._states[chosen] == DISABLED:
            raise bad_message_field(0, "the ROSpec is disabled")
        self._leave(chosen)

    def ended(self) -> None:
        """Note that the Active ROSpec came to its own end: an Immediate one starts anew."""
        if self.active is not None:
            self._leave(self.active.number)
        self.resume()

    def triggered(self, wants: Callable[[RoSpec], bool]) -> None:
        """Start the first Inactive ROSpec whose start trigger has fired, if the radio is free."""
        for number, rospec in self._specs.items():
            if self.active is None and self._states[number] == INACTIVE and wants(rospec):
                self._activate(number)

    def resume(self) -> None:
        """Start a waiting Immediate ROSpec when the radio is free."""
        self.triggered(lambda rospec: rospec.start.kind == IMMEDIATE)

    def clear(self) -> None:
        """Forget everything, as a reader does that keeps nothing over a reboot."""
        self._specs.clear()
        self._states.clear()
        self.active = None

    def inactive(self) -> list[RoSpec]:
        """Return the ROSpecs that wait for their start trigger."""
        return [self._specs[n] for n, state in self._states.items() if state == INACTIVE]

    def encode(self) -> bytes:
        """Return all ROSpec parameters with their present state."""
        return b"".join(
            tlv(ParameterType.ROSPEC, with_state(rospec, self._states[number]))
            for number, rospec in self._specs.items()
        )

    def configured(self) -> bytes:
        """Return all ROSpecs as they were added: what the configuration state value covers."""
        return b"".join(rospec.body for rospec in self._specs.values())

    def _chosen(self, number: int) -> list[int]:
        return list(self._specs) if number == ALL_SPECS else [self._one(number)]

    def _one(self, number: int) -> int:
        if number not in self._specs:
            raise bad_message_field(0, "no such ROSpec")
        return number

    def _activate(self, number: int) -> None:
        self._states[number] = ACTIVE
        self.active = self._specs[number]
        self.starts += 1

    def _leave(self, number: int) -> None:
        if self._states[number] == ACTIVE:
            self._states[number] = INACTIVE
            self.active = None


class AccessSpecTable:
    """AccessSpecs, kept and told but never carried out."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._bodies: dict[int, bytes] = {}
        self._enabled: set[int] = set()

    def add(self, body: bytes) -> None:
        """Take a new AccessSpec, Disabled."""
        kind = ParameterType.ACCESS_SPEC
        number, antenna, _protocol, state = fields("!IHBB", body, kind)
        if number == ALL_SPECS or number in self._bodies:
            raise bad_field(kind, 0, "id is taken or 0")
        if antenna > self._device.antenna_count:
            raise bad_field(kind, 1, "no such antenna", Status.A_OUT_OF_RANGE)
        if state & 0x80:
            raise bad_field(kind, 3, "an AccessSpec is added disabled")
        if len(self._bodies) >= self._device.access_specs_max:
            raise bad_parameter(kind, Status.P_OVERFLOW_PARAMETER, "no room for another")
        self._bodies[number] = body

    def delete(self, number: int) -> None:
        """Forget one AccessSpec, or all of them (0)."""
        for chosen in self._chosen(number):
            del self._bodies[chosen]
            self._enabled.discard(chosen)

    def enable(self, number: int) -> None:
        """Enable one AccessSpec, or all of them (0)."""
        self._enabled.update(self._chosen(number))

    def disable(self, number: int) -> None:
        """Disable one AccessSpec, or all of them (0)."""
        self._enabled.difference_update(self._chosen(number))

    def clear(self) -> None:
        """Forget everything."""
        self._bodies.clear()
        self._enabled.clear()

    def encode(self) -> bytes:
        """Return all AccessSpec parameters with their present state."""
        out = b""
        for number, body in self._bodies.items():
            state = struct.pack("!B", 0x80 * (number in self._enabled))
            out += tlv(ParameterType.ACCESS_SPEC, body[:7] + state + body[8:])
        return out

    def configured(self) -> bytes:
        """Return all AccessSpecs as they were added."""
        return b"".join(self._bodies.values())

    def _chosen(self, number: int) -> list[int]:
        if number == ALL_SPECS:
            return list(self._bodies)
        if number not in self._bodies:
            raise bad_message_field(0, "no such AccessSpec")
        return [number]
