"""The one configuration file, read into frozen settings; every error names file, line and key.

Order of precedence: environment `SHELFGATE__SECTION__KEY`, then the file. Secrets are never in
either: settings name a systemd credential or a file that holds them.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gateway import registry
from gateway.alert_texts import Language
from gateway.model import Cell, Light, Scanner, Site, Zone
from gateway.ports import ConfigError, PluginSettings
from gateway.schedule import ScheduleSettings
from gateway.site_settings import (
    CellSection,
    Id,
    LightSection,
    PortalSection,
    ScannerSection,
    ZoneSection,
)
from gateway.telemetry.settings import TelemetrySettings
from gateway.toml_lines import Path as KeyPath
from gateway.toml_lines import key_lines, line_of
from gateway.uplink.settings import MqttSettings

ENV_PREFIX = "SHELFGATE__"
DEFAULT_PATH = Path("/etc/shelfgate/gateway.toml")


class GatewaySection(PluginSettings):
    """Who this gateway is, and where it keeps its state. An alert that stands and that nobody has
    acknowledged is told again after `alert_reraise_s`, a shift; alerts are told in `language`.
    `pseudonym_key` names the secret of `rules.person.pseudonym`: a credential, or the path of a
    file.
    """

    id: Id
    site: Id
    state_folder: Path = Path("/var/lib/shelfgate")
    retention_days: int = Field(30, ge=1)
    alert_reraise_s: float = Field(28_800.0, ge=60)
    pseudonym_key: str | None = None
    language: Language = "en"


class ReferenceSection(PluginSettings):
    """Reference facts from files beside the configuration, TOML or CSV by their ending."""

    items: Path | None = None
    locations: Path | None = None
    book: Path | None = None
    expected: Path | None = None
    badges: Path | None = None


class DeviceSection(BaseModel):
    """One device: its id, its driver, and whatever that driver's own settings ask for."""

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)
    id: Id
    driver: str


class FileSettings(BaseSettings):
    """The whole file."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )
    gateway: GatewaySection
    mqtt: MqttSettings
    telemetry: TelemetrySettings | None = None
    reference: ReferenceSection = ReferenceSection()
    device: tuple[DeviceSection, ...] = ()
    zone: tuple[ZoneSection, ...] = ()
    cell: tuple[CellSection, ...] = ()
    portal: tuple[PortalSection, ...] = ()
    scanner: tuple[ScannerSection, ...] = ()
    light: tuple[LightSection, ...] = ()
    schedule: ScheduleSettings = ScheduleSettings()
    rules: dict[str, dict[str, Any]] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment before file; nothing else counts."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


@dataclass(frozen=True, slots=True)
class DeviceConfiguration:
    """A device with its driver's class and validated settings."""

    device: str
    driver: str
    factory: Any
    settings: PluginSettings


@dataclass(frozen=True, slots=True)
class RuleConfiguration:
    """A rule with its class and validated settings."""

    name: str
    factory: Any
    settings: PluginSettings


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything the daemon needs to know before it starts."""

    path: Path
    gateway: GatewaySection
    mqtt: MqttSettings
    telemetry: TelemetrySettings | None
    reference: ReferenceSection
    devices: tuple[DeviceConfiguration, ...]
    rules: tuple[RuleConfiguration, ...]
    site: Site
    schedule: ScheduleSettings


@dataclass(frozen=True, slots=True)
class _Problem:
    key: KeyPath
    text: str


def load_configuration(path: Path) -> Configuration:
    """Read and check the whole file, the plugins' own settings included.

    All problems are reported at once in one ConfigError, each with file, line and key path.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    problems = [*_unknown_environment()]
    try:
        settings = FileSettings(**content)
    except ValidationError as error:
        problems.extend(_translate(error, (), FileSettings))
        tuple(_devices(_readable_devices(content), problems))
        raise _config_error(path, text, problems) from error
    devices = tuple(_devices(enumerate(settings.device), problems))
    rules = tuple(_rules(settings, problems))
    site = _site(settings)
    problems.extend(_wiring(settings))
    if problems:
        raise _config_error(path, text, problems)
    return Configuration(
        path,
        settings.gateway,
        settings.mqtt,
        settings.telemetry,
        settings.reference,
        devices,
        rules,
        site,
        settings.schedule,
    )


def _readable_devices(content: Mapping[str, Any]) -> Iterator[tuple[int, DeviceSection]]:
    """The devices of a file that is wrong elsewhere, so that their problems are told as well."""
    devices = content.get("device")
    for index, table in enumerate(devices if isinstance(devices, list) else ()):
        with suppress(ValidationError, TypeError):
            yield index, DeviceSection(**table)


def _devices(
    sections: Iterable[tuple[int, DeviceSection]], problems: list[_Problem]
) -> Iterator[DeviceConfiguration]:
    for index, section in sections:
        where: KeyPath = ("device", index)
        try:
            factory = registry.load(registry.DRIVERS, section.driver)
        except ConfigError as error:
            problems.append(_Problem((*where, "driver"), str(error)))
            continue
        try:
            own = factory.Settings(**(section.model_extra or {}))
        except ValidationError as error:
            problems.extend(_translate(error, where, factory.Settings))
            continue
        yield DeviceConfiguration(section.id, section.driver, factory, own)


def _rules(settings: FileSettings, problems: list[_Problem]) -> Iterator[RuleConfiguration]:
    known = registry.plugins(registry.RULES)
    for name in settings.rules:
        if name not in known:
            text = f"no rule of that name{_did_you_mean(name, known)}"
            problems.append(_Problem(("rules", name), text))
    for name in known:
        try:
            factory = registry.load(registry.RULES, name)
            own = factory.Settings(**settings.rules.get(name, {}))
        except ConfigError as error:
            problems.append(_Problem(("rules", name), str(error)))
        except ValidationError as error:
            problems.extend(_translate(error, ("rules", name), factory.Settings))
        else:
            yield RuleConfiguration(name, factory, own)


def _site(settings: FileSettings) -> Site:
    return Site(
        zones=tuple(Zone(zone.location, zone.antennas, zone.sure) for zone in settings.zone),
        cells=tuple(Cell(c.cell, c.location, c.item, c.zone, c.items) for c in settings.cell),
        portals=tuple(gate.wired() for gate in settings.portal),
        scanners=tuple(Scanner(each.device, each.location) for each in settings.scanner),
        lights=tuple(Light(each.light, each.kind, each.location or "") for each in settings.light),
    )


def _wiring(settings: FileSettings) -> Iterator[_Problem]:
    """Every reference from one section to another must lead somewhere; ids stand once."""
    devices = [section.id for section in settings.device]
    zones = [section.location for section in settings.zone]
    yield from _repeated("device", "id", devices)
    yield from _repeated("zone", "location", zones)
    yield from _repeated("cell", "cell", [section.cell for section in settings.cell])
    yield from _repeated("portal", "portal", [section.portal for section in settings.portal])
    yield from _scanner_wiring(settings, devices)
    yield from _light_wiring(settings, devices)
    wired: list[tuple[KeyPath, str]] = []
    for index, zone in enumerate(settings.zone):
        wired.extend((("zone", index, "antennas"), point) for point in zone.antennas)
    for index, gate in enumerate(settings.portal):
        wired.extend((("portal", index, "outer"), point) for point in gate.outer)
        wired.extend((("portal", index, "inner"), point) for point in gate.inner)
    for index, cell in enumerate(settings.cell):
        wired.append((("cell", index, "cell"), cell.cell))
        if cell.zone is not None and cell.zone not in zones:
            text = f"no [[zone]] has the location {cell.zone!r}{_did_you_mean(cell.zone, zones)}"
            yield _Problem(("cell", index, "zone"), text)
    watched: set[tuple[str | int, str]] = set()
    for key, name in wired:
        if (key[0], name) in watched and key[0] != "cell":
            yield _Problem(key, f"{name!r} watches another place already; it can watch one")
        watched.add((key[0], name))
        device = name.rpartition(":")[0]
        if device not in devices:
            yield _Problem(
                key,
                f"{name!r}: no [[device]] has the id {device!r}{_did_you_mean(device, devices)}",
            )


def _scanner_wiring(settings: FileSettings, devices: list[str]) -> Iterator[_Problem]:
    scanners = [section.device for section in settings.scanner]
    yield from _repeated("scanner", "device", scanners)
    for index, device in enumerate(scanners):
        if device not in devices:
            text = f"no [[device]] has the id {device!r}{_did_you_mean(device, devices)}"
            yield _Problem(("scanner", index, "device"), text)
    located = [
        (("scanner", i, "location"), each.location) for i, each in enumerate(settings.scanner)
    ]
    yield from _nowhere(settings, located)


def _light_wiring(settings: FileSettings, devices: list[str]) -> Iterator[_Problem]:
    yield from _repeated("light", "light", [section.light for section in settings.light])
    for index, section in enumerate(settings.light):
        device = section.light.rpartition(":")[0]
        if device not in devices:
            text = f"no [[device]] has the id {device!r}{_did_you_mean(device, devices)}"
            yield _Problem(("light", index, "light"), text)
    located = [(("light", i, "location"), each.location) for i, each in enumerate(settings.light)]
    yield from _nowhere(settings, located)


def _nowhere(
    settings: FileSettings, located: Iterable[tuple[KeyPath, str | None]]
) -> Iterator[_Problem]:
    """Locations at which nothing moves."""
    places = {zone.location for zone in settings.zone} | {cell.location for cell in settings.cell}
    places |= {gate.inside for gate in settings.portal}
    for key, location in located:
        if location is not None and location not in places:
            hint = _did_you_mean(location, places)
            yield _Problem(key, f"nothing moves at a location {location!r}{hint}")


def _repeated(section: str, key: str, names: list[str]) -> Iterator[_Problem]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield _Problem((section, index, key), f"{name!r} stands twice; it must be unique")


def _unknown_environment() -> Iterator[_Problem]:
    for name in sorted(os.environ):
        if name.startswith(ENV_PREFIX):
            section = name.removeprefix(ENV_PREFIX).partition("__")[0].lower()
            if section not in FileSettings.model_fields:
                hint = _did_you_mean(section, FileSettings.model_fields)
                yield _Problem((f"${name}",), f"no section {section!r}{hint}")


def _translate(
    error: ValidationError, where: KeyPath, model: type[BaseModel]
) -> Iterator[_Problem]:
    """Pydantic's errors in our words: the key path, what was expected, and a did-you-mean."""
    for entry in error.errors(include_url=False, include_input=False, include_context=False):
        key = (*where, *(part for part in entry["loc"] if part != "function-after"))
        text = entry["msg"].removeprefix("Value error, ")
        if entry["type"] == "extra_forbidden":
            known = _fields_at(model, entry["loc"][:-1])
            text = f"unknown key{_did_you_mean(str(entry['loc'][-1]), known)}"
        elif entry["type"] == "missing":
            text = "this key is missing"
        yield _Problem(key, text)


def _fields_at(model: type[BaseModel], path: tuple[int | str, ...]) -> Mapping[str, Any]:
    """The fields of the model that a key path leads to."""
    for part in path:
        if isinstance(part, str) and part in model.model_fields:
            inner = _model_in(model.model_fields[part].annotation)
            if inner is None:
                return {}
            model = inner
    return model.model_fields


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(argument) for argument in get_args(annotation))
    return next((model for model in inner if model is not None), None)


def _did_you_mean(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _config_error(path: Path, text: str, problems: list[_Problem]) -> ConfigError:
    lines = key_lines(text)
    told = []
    for problem in problems:
        line = line_of(problem.key, lines)
        place = f"{path}:{line}" if line else str(path)
        variable = ENV_PREFIX + "__".join(str(part).upper() for part in problem.key)
        if variable in os.environ:
            place = f"environment {variable}"
        told.append(f"{place}: {_dotted(problem.key)}: {problem.text}")
    return ConfigError("\n".join(told))


def _dotted(key: KeyPath) -> str:
    dotted = ""
    for part in key:
        dotted += f"[{part}]" if isinstance(part, int) else f".{part}" if dotted else str(part)
    return dotted
