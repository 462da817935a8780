"""The way to the core: the running gateway's word for it, or a connection of our own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import apsw

from gateway.assembly import STORE_FILE
from gateway.doctor.finding import Finding, fail, ok, warn
from gateway.ports import ConfigError, LinkError
from gateway.settings import Configuration
from gateway.store import StoreReader
from gateway.uplink.probe import BrokerAnswer, Told, probe_broker

OVERDUE_ACKS = 3
"""A core that let so many ack time-outs pass does not answer."""

BROKER_FIX = "check mqtt.host, mqtt.port and the network, and that the broker runs"
CORE_FIX = "check that the core runs and is subscribed for this site and gateway"


def examine_settlement(configuration: Configuration) -> Finding:
    """Whose word settles a record."""
    if configuration.mqtt.settle == "core":
        return ok("settle", "a record is settled when the core has committed it")
    text = "the broker's word settles a record: nothing proves that a core has it"
    return warn("settle", text, 'let the core ack, then set mqtt.settle = "core"')


def examine_uplink(configuration: Configuration, status: Mapping[str, Any]) -> Iterator[Finding]:
    """What the running gateway knows of broker and core."""
    uplink = status.get("uplink")
    if uplink is None or not uplink["connected"]:
        reason = "not started" if uplink is None else uplink["reason"]
        yield fail("broker", f"not connected: {reason}", BROKER_FIX)
        return
    yield ok("broker", f"{uplink['broker']}, MQTT {uplink['mqtt']}, for {uplink['since_s']} s")
    if uplink["settle"] == "broker":
        return
    waiting, oldest_ms = status["last"] - status["settled"], status["oldest_unsettled_ms"]
    overdue_ms = OVERDUE_ACKS * configuration.mqtt.ack_timeout_s * 1000
    if uplink["core"] == "greeting":
        yield fail("core", "the core does not answer our hello", CORE_FIX)
    elif waiting and oldest_ms > overdue_ms:
        text = f"{waiting} records wait for the core, the oldest for {oldest_ms / 1000:.0f} s"
        yield fail("core", text, CORE_FIX)
    else:
        yield ok("core", f"it answers, and has {status['settled']} of {status['last']} records")


async def examine_broker(configuration: Configuration) -> list[Finding]:
    """Connect beside the gateway, which does not run, and let the core answer a hello."""
    section = configuration.gateway
    told = _ledger(configuration)
    try:
        answer = await probe_broker(configuration.mqtt, section.site, section.id, told)
    except (LinkError, ConfigError) as error:
        return [fail("broker", str(error), BROKER_FIX)]
    findings = [ok("broker", f"{configuration.mqtt.host} takes us, MQTT {answer.version}")]
    if answer.refused:
        text = f"no permission for {', '.join(answer.refused)}"
        findings.append(fail("broker permissions", text, "allow them in the broker's ACL"))
    elif configuration.mqtt.settle == "core":
        findings.append(_core(told, answer))
    return findings


def _core(told: Told | None, answer: BrokerAnswer) -> Finding:
    if told is None:
        text = "not asked: there is no ledger yet to speak of"
        return warn("core", text, "start the gateway, then run doctor again")
    if answer.core is None:
        return fail("core", "the core does not answer our hello", CORE_FIX)
    return ok("core", f"it answers, and has {answer.core.high_water} of {told.last} records")


def _ledger(configuration: Configuration) -> Told | None:
    path = configuration.gateway.state_folder / STORE_FILE
    if not path.is_file():
        return None
    try:
        reader = StoreReader(path)
    except apsw.Error:
        return None
    try:
        window = reader.windows()[-1]
    except (apsw.Error, IndexError):
        return None
    finally:
        reader.close()
    return Told(window.epoch.uuid, window.first_kept, window.last_seq)
