"""The files that the configuration names: references, secrets, certificates; and the drivers."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

from gateway.assembly import reference_files
from gateway.clock import BootClock
from gateway.doctor.finding import Finding, fail, ok, warn
from gateway.doctor.lights import examine_lights
from gateway.doctor.site import examine_planned, examine_wiring
from gateway.model import LightId
from gateway.ports import (
    ConfigError,
    DriverContext,
    LightAbility,
    NamesLights,
    NamesPoints,
    RuleContext,
)
from gateway.rulebook import pseudonym_key
from gateway.settings import Configuration
from gateway.status import PATH_MAX_BYTES, SOCKET_FILE
from gateway.uplink import credentials, tls

OTHERS = stat.S_IRWXO
"""Permissions of everybody: a secret has none."""

UNREAD_KEY = bytes(32)
"""In place of a key that only the daemon can read."""


def examine_files(configuration: Configuration) -> Iterator[Finding]:
    """Everything that can be wrong before anything runs, whoever looks."""
    yield from _references(configuration)
    yield from _drivers(configuration)
    yield from _secrets(configuration)
    yield from _rules(configuration)


def _references(configuration: Configuration) -> Iterator[Finding]:
    try:
        facts = reference_files(configuration)
    except ConfigError as error:
        yield fail("reference files", str(error), "correct the rows that are named")
        return
    yield ok("reference files", f"{len(facts)} facts")
    yield from examine_planned(configuration, facts)


def _drivers(configuration: Configuration) -> Iterator[Finding]:
    """A driver may look further than its settings when it is built: into profiles, for example."""
    points: dict[str, frozenset[str] | None] = {}
    lights: dict[str, Mapping[LightId, LightAbility] | None] = {}
    for index, device in enumerate(configuration.devices):
        context = DriverContext(device.device, BootClock(), Random(0), _uncounted)
        try:
            driver = device.factory(device.settings, context)
        except ConfigError as error:
            text = f"{configuration.path}: device[{index}] ({device.device}): {error}"
            yield fail("drivers", text, "correct the device's settings")
            continue
        points[device.device] = driver.points() if isinstance(driver, NamesPoints) else None
        lights[device.device] = driver.lights() if isinstance(driver, NamesLights) else None
        yield ok("drivers", f"{device.device}: {device.driver}")
    yield from examine_wiring(configuration, points)
    yield from examine_lights(configuration, lights)


def _secrets(configuration: Configuration) -> Iterator[Finding]:
    mqtt, telemetry = configuration.mqtt, configuration.telemetry
    named = {
        "mqtt.password": mqtt.password,
        "gateway.pseudonym_key": configuration.gateway.pseudonym_key,
    }
    if mqtt.tls is not None:
        named["mqtt.tls.ca"] = mqtt.tls.ca
        named["mqtt.tls.certificate"] = mqtt.tls.certificate
        named["mqtt.tls.key"] = mqtt.tls.key
    if telemetry is not None:
        named["telemetry.token"] = telemetry.token
    readable = True
    for key, name in named.items():
        if name is not None:
            finding = _secret(key, name, public=key.endswith((".ca", ".certificate")))
            readable = readable and finding.verdict != "fail" and _here(name)
            yield finding
    if mqtt.tls is not None and readable:
        yield _certificates(configuration)


def _rules(configuration: Configuration) -> Iterator[Finding]:
    """A rule may look further than its settings when it is built: at the site, for example."""
    try:
        key = pseudonym_key(configuration)
    except ConfigError:  # told among the secrets
        key = UNREAD_KEY
    site = configuration.site
    context = RuleContext(site, lambda *parts: str(parts), Random(0), pseudonym_key=key)
    for rule in configuration.rules:
        try:
            rule.factory(rule.settings, context)
        except ConfigError as error:
            yield fail("rules", f"{configuration.path}: {error}", "correct the rule's settings")


def _secret(key: str, name: str, *, public: bool) -> Finding:
    check = f"credential {key}"
    if not _here(name):
        text = f"{name!r} cannot be looked at: $CREDENTIALS_DIRECTORY is not set outside the unit"
        return warn(check, text, "systemd looks for it at start: see systemctl status shelfgate")
    try:
        credentials.read(name)
        path = credentials.find(name)
    except ConfigError as error:
        fix = f"put the file there, readable for the gateway's user, or correct {key}"
        return fail(check, str(error), fix)
    mode = path.stat().st_mode
    if not public and mode & OTHERS:
        text = f"{path} is open to everybody (mode {stat.S_IMODE(mode):04o})"
        return warn(check, text, f"chmod 600 {path}")
    return ok(check, str(path))


def _certificates(configuration: Configuration) -> Finding:
    assert configuration.mqtt.tls is not None
    try:
        tls.context(configuration.mqtt.tls)
    except ConfigError as error:
        return fail("certificates", str(error), "make sure that they are PEM and belong together")
    return ok("certificates", "load and belong together")


def examine_state_folder(configuration: Configuration) -> Iterator[Finding]:
    """Whether we can write there; only the gateway's user must be able to."""
    folder = configuration.gateway.state_folder
    length = len(os.fsencode(folder / SOCKET_FILE))
    if length > PATH_MAX_BYTES:
        text = f"{folder} is too long a path for the local socket"
        yield warn("state folder", text, "choose a shorter gateway.state_folder")
    place = _existing(folder)
    if not os.access(place, os.W_OK | os.X_OK):
        who = f"chown it to the gateway's user, or run as that user (now uid {os.geteuid()})"
        yield fail("state folder", f"{place} is not writable", who)
    elif folder.exists() and folder.stat().st_mode & OTHERS:
        yield warn("state folder", f"{folder} is open to everybody", f"chmod 750 {folder}")
    else:
        yield ok("state folder", str(folder))


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())


def _here(name: str) -> bool:
    return Path(name).is_absolute() or "CREDENTIALS_DIRECTORY" in os.environ


def _uncounted(name: str, amount: int = 1) -> None:
    del name, amount
