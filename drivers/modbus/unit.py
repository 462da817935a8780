"""One transmitter on a link: its decoder, its health and its place in the schedule."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from drivers.modbus.answers import DesyncError, UnitError
from drivers.modbus.decode import CellNames
from drivers.modbus.faults import FaultCode
from drivers.modbus.link import read_request
from drivers.modbus.profile import Profile
from drivers.modbus.profiles_folder import load_profile
from drivers.modbus.selftest import Outcome, SelfTest
from drivers.modbus.settings import UnitSettings
from gateway.model import NS_PER_S, CellId, Ns, WeightSample
from gateway.ports import ConfigError, ProtocolError

FAILURES_MAX = 3
"""Unanswered polls in a row after which a unit is only probed: one lost frame is noise."""

PROBE_MIN_S = 5.0
PROBE_DUTY = 0.02
"""A dead unit may take this share of the line's time, and is asked at most every 5 s."""

PROBE_SPREAD = 0.2
"""Probes are spread by this share, so that the dead units of a bus are not asked in a row."""

REFUSALS_MAX = 3
"""Polls in a row that fail the self-test before the unit is refused: one may lie in a change."""

WAITING_MAX = 20
"""Polls with several orders still fitting before a person is asked for another load."""

STALE_MAX_NS = 3 * NS_PER_S
"""A refresh counter that stands still for longer is a fault; transmitters renew 10 to 100 Hz."""


class Polled(NamedTuple):
    """What one answered poll brought.

    `faults` maps the code of each fault whose state changed (or is first known) to its detail,
    "" when there is none.
    """

    samples: tuple[WeightSample, ...]
    faults: dict[FaultCode, str]


class Unit:
    """State machine: polled -> (3 failures, or refused by its self-test) -> probed -> polled."""

    def __init__(self, settings: UnitSettings, profile: Profile, cells: CellNames) -> None:
        if settings.address_base is not None:
            profile = _rebased(profile, settings)
        self.id = settings.unit_id
        self.profile = profile
        self.cells = cells
        block = profile.block
        self.request = read_request(
            self.id, block.function, block.start - profile.address_base, block.count
        )
        self.probed = False
        self._test = SelfTest(profile, settings, cells)
        self._decoder = self._test.declared
        self._proved = False
        self._outcome = Outcome("open", self._decoder)
        self._examined_last: Sequence[int] = ()
        self._standing: dict[FaultCode, bool] = {}
        self._failures = 0
        self._refusals = 0
        self._counter: int | None = None
        self._renewed_at: Ns = 0

    @property
    def silent(self) -> bool:
        """Whether the unit has stopped answering."""
        return self._failures >= FAILURES_MAX

    def period_ns(self, poll_ns: Ns, failure_ns: Ns, random: Random) -> Ns:
        """Return the time to the next request: of a probe, so that its failures cost little."""
        if not self.probed:
            return poll_ns
        probe_ns = max(PROBE_MIN_S * NS_PER_S, failure_ns / PROBE_DUTY)
        return int(probe_ns * random.uniform(1.0, 1.0 + PROBE_SPREAD))

    def failed(self, error: UnitError) -> dict[FaultCode, str]:
        """Note a poll without answer; return the fault when the unit goes silent by it."""
        self._failures += 1
        return self._gone_silent(error) if self.silent else {}

    def distrust(self, error: DesyncError) -> dict[FaultCode, str]:
        """Probe the unit only from now on: it cost the others their connection."""
        self._failures = FAILURES_MAX
        return self._gone_silent(error)

    def _gone_silent(self, error: ProtocolError) -> dict[FaultCode, str]:
        self.probed = True
        faults: dict[FaultCode, str] = {}
        self._say(faults, "unit_silent", str(error))
        return faults

    def answered(self, registers: Sequence[int], now: Ns) -> Polled:
        """Take the registers of one poll."""
        faults: dict[FaultCode, str] = {}
        self._failures = 0
        self._say(faults, "unit_silent", "")
        if not self._renewed(registers, now, faults):
            return Polled((), faults)
        if not self._proved and not self._examined(registers, faults):
            return Polled((), faults)
        self.probed = False
        return Polled(self._decoder.samples(registers), faults)

    def restart(self) -> None:
        """A new connection: what was renewed before it says nothing now."""
        self._counter = None

    def _renewed(self, registers: Sequence[int], now: Ns, faults: dict[FaultCode, str]) -> bool:
        register = self.profile.refresh_counter
        if register is None:
            self._say(faults, "values_stale", "")
            return True
        counter = registers[register - self.profile.block.start]
        if self._counter is None:
            # One look at a counter does not tell whether it runs.
            self._counter, self._renewed_at = counter, now
            return False
        if counter != self._counter:
            self._counter, self._renewed_at = counter, now
            self._say(faults, "values_stale", "")
            return True
        if now - self._renewed_at > STALE_MAX_NS:
            seconds = STALE_MAX_NS // NS_PER_S
            self._say(faults, "values_stale", f"refresh counter stands still for over {seconds} s")
        return False

    def _examined(self, registers: Sequence[int], faults: dict[FaultCode, str]) -> bool:
        if registers == self._examined_last:
            outcome = self._outcome
        else:
            outcome = self._outcome = self._test.examine(registers)
            self._examined_last = registers
        if outcome.verdict in ("proved", "open"):
            self._decoder = outcome.decoder
            self._proved = outcome.verdict == "proved"
            self._refusals = 0
            self._say(faults, "self_test_failed", "")
            return True
        self._refusals += 1
        if self._refusals >= (REFUSALS_MAX if outcome.verdict == "refused" else WAITING_MAX):
            self.probed = True
            self._say(faults, "self_test_failed", outcome.detail)
        return False

    def _say(self, faults: dict[FaultCode, str], code: FaultCode, detail: str) -> None:
        """Put a fault's state among `faults` unless it is known to stand that way."""
        if self._standing.get(code) != bool(detail):
            self._standing[code] = bool(detail)
            faults[code] = detail


def make_units(settings: Sequence[UnitSettings], folder: Path, device: str) -> tuple[Unit, ...]:
    """Make the units of a link; ConfigError for a wrong profile, or a cell name given twice."""
    units: list[Unit] = []
    used: set[CellId] = set()
    profiles = {name: load_profile(name, folder) for name in {told.profile for told in settings}}
    for unit_settings in settings:
        profile = profiles[unit_settings.profile]
        cells = _cell_names(unit_settings, len(profile.cells), device, len(used))
        if used & set(cells.ids):
            twice = ", ".join(sorted(used & set(cells.ids)))
            raise ConfigError(f"unit {unit_settings.unit_id}: cells: {twice} stands twice")
        used |= set(cells.ids)
        units.append(Unit(unit_settings, profile, cells))
    return tuple(units)


def _cell_names(settings: UnitSettings, total: int, device: str, used: int) -> CellNames:
    names = settings.cells or tuple(str(used + number) for number in range(1, total + 1))
    if len(names) > total:
        raise ConfigError(
            f"unit {settings.unit_id}: cells: {len(names)} names, but profile "
            f"{settings.profile} has {total} cells"
        )
    places = tuple(place for place, name in enumerate(names) if name)
    if not places or len({name for name in names if name}) != len(places):
        raise ConfigError(f"unit {settings.unit_id}: cells: need different names, at least one")
    return CellNames(places, tuple(f"{device}:{names[place]}" for place in places))


def _rebased(profile: Profile, settings: UnitSettings) -> Profile:
    if settings.address_base == 1 and profile.block.start == 0:
        raise ConfigError(
            f"unit {settings.unit_id}: address_base: profile {profile.id} counts from 0"
        )
    return profile.model_copy(update={"address_base": settings.address_base})
