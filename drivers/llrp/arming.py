"""Brings a reader to the point where it reports every tag, and keeps it there.

A reader may keep its configuration and ROSpec over a connection and a reboot, or lose them; it may
connect and stay silent. So it is asked, on every connection: LLRPConfigurationStateValue (LLRP 1.1
section 13.2.1) says whether the configuration is the one we left, GET_ROSPECS what runs. Only what
differs is written anew, since a blind DELETE_ROSPEC may throw away reads that it holds for us.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.ports import Counter, LinkError, ProtocolError

from . import control, provisioning
from .capabilities import Capabilities, capabilities_of
from .control import InstalledROSpec
from .frames import frame_of
from .provisioning import ROSPEC_ID
from .session import RefusedError, Session
from .settings import LlrpSettings

_ALL = 0
_STATE_VALUE_ONLY = 7
_INPUTS_ONLY = 9

DISABLED, INACTIVE, ACTIVE = 0, 1, 2
_ALL_ROSPECS = 0


@dataclass(frozen=True, slots=True)
class Armed:
    """What is known of a reader that has been armed. `state_value` None: it does not tell.

    `runs`: it does not deny that it reads.
    """

    state_value: int | None
    antenna_connected: Mapping[int, bool]
    input_levels: Mapping[int, bool]
    antennas: tuple[int, ...]
    runs: bool


class Armourer:
    """Arms the reader of one session."""

    def __init__(self, session: Session, settings: LlrpSettings, count: Counter) -> None:
        self._session = session
        self._settings = settings
        self._count = count
        self.lock = asyncio.Lock()
        """Held by whoever changes the ROSpec, or sets right what is said of it."""

    async def arm(self, known_state: int | None) -> Armed:
        """Configure what differs from `known_state`, start the ROSpec, release held reports."""
        session = self._session
        reader = await self._reader()
        if reader.is_impinj:
            await session.request(
                control.enable_impinj_extensions(session.next_id()),
                self._settings.request_timeout_s,
            )
        config = await self._config(_ALL)
        installed = await self.installed()
        ours = [spec for spec in installed or () if spec.rospec_id == ROSPEC_ID]
        state = _state_value(config)
        if state is not None and state == known_state and ours and len(installed or ()) == 1:
            self._count("provisioning_kept")
            await self.enable(ours[0])
        else:
            await self._provision(reader, installed)
            state = _state_value(await self._config(_STATE_VALUE_ONLY))
        levels: dict[int, bool] = {}
        if self._settings.gpi_ports:
            levels = _input_levels(await self._config(_INPUTS_ONLY), self._settings.gpi_ports)
        runs = installed is None or await self.runs()
        if reader.can_hold_reports:
            session.send(control.ENABLE_EVENTS_AND_REPORTS)
        return Armed(
            state,
            _antenna_states(config),
            levels,
            reader.antennas(self._settings.antennas),
            runs,
        )

    async def installed(self) -> list[InstalledROSpec] | None:
        """Ask which ROSpecs the reader has; None from a reader that cannot say."""
        frame = frame_of(control.GET_ROSPECS, b"", self._session.next_id())
        try:
            answer = await self._session.request(frame, self._settings.request_timeout_s)
            return control.installed_rospecs(answer)
        except (RefusedError, ProtocolError):
            self._count("rospecs_unknown")
            return None

    async def runs(self) -> bool:
        """Ask whether our ROSpec is active: an answer to START is no proof that it started."""
        installed = await self.installed()
        return installed is None or any(
            spec.rospec_id == ROSPEC_ID and spec.state == ACTIVE for spec in installed
        )

    async def enable(self, spec: InstalledROSpec) -> None:
        """Make an installed ROSpec run. An active one is left alone: its reads go on."""
        if spec.state == DISABLED:
            await self._ask("ENABLE_ROSPEC", {"ROSpecID": ROSPEC_ID})
        elif spec.state == INACTIVE:
            # Enabled, yet its immediate start did not come: only then is a START in place.
            try:
                await self._ask("START_ROSPEC", {"ROSpecID": ROSPEC_ID})
            except RefusedError:
                await self.restart()

    async def restart(self) -> None:
        """Stop and start the ROSpec."""
        await self._ask("DISABLE_ROSPEC", {"ROSpecID": ROSPEC_ID})
        await self._ask("ENABLE_ROSPEC", {"ROSpecID": ROSPEC_ID})

    async def replace(self, settings: LlrpSettings) -> int | None:
        """Run the ROSpec with other settings; returns the state value of the reader after that."""
        frame = provisioning.add_rospec(settings, await self._reader(), self._session.next_id())
        await self._ask("DELETE_ROSPEC", {"ROSpecID": ROSPEC_ID})
        await self._session.ask(frame, settings.request_timeout_s)
        await self._ask("ENABLE_ROSPEC", {"ROSpecID": ROSPEC_ID})
        return _state_value(await self._config(_STATE_VALUE_ONLY))

    async def _reader(self) -> Capabilities:
        return capabilities_of(await self._ask("GET_READER_CAPABILITIES", {"RequestedData": _ALL}))

    async def _provision(
        self, reader: Capabilities, installed: list[InstalledROSpec] | None
    ) -> None:
        self._count("provisionings")
        session, settings = self._session, self._settings
        # What the reader cannot do is found out before anything of it is changed.
        rospec = provisioning.add_rospec(settings, reader, session.next_id())
        config = provisioning.reader_config(settings, reader, session.next_id())
        await session.ask(config, settings.request_timeout_s)
        wanted = control.added_rospec(rospec)
        if installed and [spec.content for spec in installed] == [wanted.content]:
            # As after a restart of the gateway: to delete it would lose what the reader holds.
            self._count("rospecs_kept")
            await self.enable(installed[0])
            return
        if installed is None or installed:
            await self._delete_rospecs()
        await session.ask(rospec, settings.request_timeout_s)
        # Immediate start: ENABLE makes it active, and some readers refuse a START after that.
        await self._ask("ENABLE_ROSPEC", {"ROSpecID": ROSPEC_ID})

    async def _delete_rospecs(self) -> None:
        """Delete every ROSpec: most readers have room for one, and this reader is ours."""
        try:
            await self._ask("DELETE_ROSPEC", {"ROSpecID": _ALL_ROSPECS})
        except RefusedError:
            try:
                await self._ask("DELETE_ROSPEC", {"ROSpecID": ROSPEC_ID})
            except RefusedError:
                self._count("rospecs_not_deleted")

    async def _ask(self, name: str, fields: control.Fields) -> dict[str, Any]:
        frame = control.encode(name, fields, self._session.next_id())
        try:
            return await self._session.ask(frame, self._settings.request_timeout_s)
        except RefusedError as error:
            raise RefusedError(f"{name}: {error}") from error
        except LinkError as error:
            raise type(error)(f"{name}: {error}") from error

    async def _config(self, requested: int) -> dict[str, Any]:
        """Ask for the configuration. It is a hint: one that cannot be read counts as unknown."""
        try:
            return await self._ask("GET_READER_CONFIG", {"RequestedData": requested})
        except (RefusedError, ProtocolError):
            self._count("reader_config_unknown")
            return {}


def _state_value(config: Mapping[str, Any]) -> int | None:
    value = config.get("LLRPConfigurationStateValue")
    if isinstance(value, Mapping):
        value = value.get("LLRPConfigurationStateValue")
    return value if isinstance(value, int) and value else None


def _antenna_states(config: Mapping[str, Any]) -> dict[int, bool]:
    return {
        int(entry["AntennaID"]): bool(entry["AntennaConnected"])
        for entry in config.get("AntennaProperties", ())
    }


def _input_levels(config: Mapping[str, Any], ports: tuple[int, ...]) -> dict[int, bool]:
    """Levels of the watched inputs. State 2 is "unknown" (section 13.2.6.2) and left out."""
    return {
        int(entry["GPIPortNum"]): entry["GPIState"] == 1
        for entry in config.get("GPIPortCurrentState", ())
        if entry["GPIPortNum"] in ports and entry["GPIState"] in (0, 1)
    }
