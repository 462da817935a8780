"""Builds the engine out of the configured rules: for the daemon, and for a replay of its input."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from gateway.engine import Engine, RuleFailed
from gateway.model import Fact, Ns, Reference, Site
from gateway.ports import ConfigError, Identify, Row, Rule, RuleContext
from gateway.settings import Configuration, RuleConfiguration
from gateway.store.words import StateRow
from gateway.uplink import credentials

PERSON_RULE = "person"
"""The rule that says whose a movement is, and under which names people are recorded."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all rules are told. A replay with the same gives the same decisions."""

    site: Site
    epoch: str
    boot: str
    lateness_max_ns: Ns
    last_alive: Ns | None
    pseudonym_key: bytes = b""


def build_engine(
    rules: Sequence[RuleConfiguration],
    surroundings: Surroundings,
    rows: Mapping[str, Sequence[StateRow]],
    references: Iterable[Reference],
    watch: Callable[[Fact], None] | None = None,
) -> Engine:
    """The rules in their order, with their durable rows and the reference facts known already.

    ConfigError if a rule does not read the rows that are there, or its settings are wrong;
    RuleFailed if it cannot be built for another reason.
    """
    built = []
    given: dict[str, list[Row]] = {}
    for rule in rules:
        stored = rows.get(rule.name, ())
        instance = _built(rule, _context(rule.name, surroundings))
        strange = {row.schema for row in stored} - {instance.schema}
        if strange:
            raise ConfigError(
                f"rule {rule.name}: its rows have schema {sorted(strange)}, it reads "
                f"{instance.schema}; install the release that wrote them or clear the state"
            )
        built.append((rule.name, instance))
        given[rule.name] = [row.row for row in stored]
    engine = Engine(built, watch)
    engine.restore(given, references)
    return engine


def pseudonym_key(configuration: Configuration) -> bytes:
    """The secret by which people are named without their names; b"" if none is configured."""
    named = configuration.gateway.pseudonym_key
    return credentials.read(named).encode() if named else b""


def naming_key(configuration: Configuration) -> bytes:
    """The secret by which people that a command names are recorded; b"" if by their names. While
    the rule that would say so does not run, a secret that is there is used.
    """
    person = [rule.settings for rule in configuration.rules if rule.name == PERSON_RULE]
    plain = person and not getattr(person[0], "pseudonym", False)
    return b"" if plain else pseudonym_key(configuration)


def _built(rule: RuleConfiguration, context: RuleContext) -> Rule:
    try:
        built: Rule = rule.factory(rule.settings, context)
    except ConfigError:
        raise
    except Exception as error:
        raise RuleFailed(rule.name, f"it cannot be built: {error!r}") from error
    return built


def _context(rule: str, surroundings: Surroundings) -> RuleContext:
    seed = f"{surroundings.epoch}/{surroundings.boot}/{rule}"
    return RuleContext(
        site=surroundings.site,
        identify=_identify(surroundings.epoch, surroundings.boot),
        random=Random(seed),
        boot=surroundings.boot,
        lateness_max_ns=surroundings.lateness_max_ns,
        last_alive=surroundings.last_alive,
        pseudonym_key=surroundings.pseudonym_key,
    )


def _identify(epoch: str, boot: str) -> Identify:
    space = uuid.UUID(epoch)

    def identify(*parts: str | int) -> str:
        return str(uuid.uuid5(space, "/".join(map(str, (boot, *parts)))))

    return identify
