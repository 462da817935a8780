"""The seams of shelfgate: what a driver, a rule and a sink are, and nothing of how they run.

A plugin imports this module and `gateway.model`, and nothing else of the gateway.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import ClassVar, NamedTuple, Protocol, TypeAlias, runtime_checkable

from pydantic import BaseModel, ConfigDict

from gateway.model import Action, Fact, LightColour, LightId, Ns, Observation, Site

JsonValue: TypeAlias = (
    "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
)


class ConfigError(Exception):
    """The configuration is wrong: names file, place, what was expected. Exit code 78."""


class LinkError(Exception):
    """The link to a peer is lost or could not be made: the supervisor tries again."""


class ProtocolError(LinkError):
    """The peer sent nonsense: counted, its bytes kept, and the link is made anew."""


class SinkError(Exception):
    """A sink could not take a batch: the batch is kept and tried again."""


class PluginSettings(BaseModel):
    """Base of every driver's and rule's own settings: unknown keys are errors, values frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Clock(Protocol):
    """The only place where time is read."""

    def now(self) -> Ns:
        """CLOCK_BOOTTIME in nanoseconds; never goes back."""
        ...


class Emit(Protocol):
    """How a driver hands over what it observed. The gateway stamps the time of reception."""

    async def __call__(self, observation: Observation, age_ns: Ns = 0) -> None:
        """Hand over one observation that is `age_ns` old; waits while the gateway is busy."""
        ...

    def blind(self, lost: int, reason: str) -> None:
        """Say that `lost` readings went missing: the time since the last emit proves nothing."""
        ...


class Counter(Protocol):
    """Count something that ops should see."""

    def __call__(self, name: str, amount: int = 1) -> None:
        """Add to the counter of that stable name; cheap enough for every frame.

        `round_trip_us` is not added up: it tells how long the device took for its last answer.
        """
        ...


@dataclass(frozen=True)
class DriverContext:
    """What the gateway hands to a driver."""

    device: str
    clock: Clock
    random: Random
    count: Counter


class Driver(Protocol):
    """A device family. Its class also has `Settings: type[PluginSettings]` and takes
    `(settings, context)`.

    `lateness_max_ns` bounds how old an observation can be when it is emitted; `silence_max_ns`
    how long a healthy device can stay silent. `run` is called anew after every LinkError; any
    other exception marks the device failed.
    """

    Settings: ClassVar[type[PluginSettings]]
    lateness_max_ns: Ns
    silence_max_ns: Ns

    async def run(self, emit: Emit) -> None:
        """Connect and emit observations until cancelled; raise LinkError when the link is lost."""
        ...


@runtime_checkable
class Actuator(Protocol):
    """A second ability that a driver may have: to change something in the field."""

    async def act(self, action: Action) -> None:
        """Carry out the action; LinkError or ProtocolError if it was not done for certain."""
        ...


class LightAbility(NamedTuple):
    """What a light can show: `colours`, none of which is a single plain lamp; one that `blinks` by
    itself is told the pattern, any other is switched by the gateway.
    """

    colours: frozenset[LightColour] = frozenset()
    blinks: bool = False


@runtime_checkable
class NamesLights(Protocol):
    """An ability of an actuator: to say unconnected which lights (`device:light`) it has.

    Wiring to anything else is then found by `shelfgate check`.
    """

    def lights(self) -> Mapping[LightId, LightAbility]:
        """Its lights, and what each can show."""
        ...


@runtime_checkable
class NamesPoints(Protocol):
    """Another ability that a driver may have: to say unconnected what it observes."""

    def points(self) -> frozenset[str] | None:
        """Its antennas (`device:antenna`) and cells (`device:cell`); None if only the device knows.

        Wiring to anything else is then found by `shelfgate check`.
        """
        ...


class Row(NamedTuple):
    """One durable row of a rule's declared state; `value` is JSON."""

    key: str
    value: Mapping[str, JsonValue]


class Turn(NamedTuple):
    """What one step of a rule decided, all of it or nothing.

    `next_wake` asks to be woken then, replacing an earlier wish; None leaves that as it was. A
    wake-up with nothing due is harmless by contract.
    """

    facts: tuple[Fact, ...] = ()
    puts: tuple[Row, ...] = ()
    deletes: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    next_wake: Ns | None = None


NOTHING = Turn()
"""The shared answer of a step that decided nothing."""


class Identify(Protocol):
    """Names a decision."""

    def __call__(self, *parts: str | int) -> str:
        """Make a stable, unique id out of what a rule knows about its decision."""
        ...


@dataclass(frozen=True)
class RuleContext:
    """What the gateway hands to a rule.

    `lateness_max_ns` is the largest bound of all devices. `last_alive` is when an earlier run was
    last known to watch, in this boot's time (it may lie before 0); None on the first start.
    `boot` tells boots apart: a moment in a durable row counts only in its own. `pseudonym_key` is
    the secret by which people are named without their names; b"" if there is none.
    """

    site: Site
    identify: Identify
    random: Random
    boot: str = ""
    lateness_max_ns: Ns = 0
    last_alive: Ns | None = None
    pseudonym_key: bytes = b""


class Rule(Protocol):
    """A decision: pure and deterministic, time is an argument. Its class also has
    `Settings: type[PluginSettings]` and takes `(settings, context)`.
    """

    Settings: ClassVar[type[PluginSettings]]
    consumes: ClassVar[tuple[type[Fact], ...]]
    schema: ClassVar[int]

    def step(self, now: Ns, fact: Fact | None) -> Turn:
        """Take one fact, or None when the wake-up asked for is due."""
        ...

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back the rows of an earlier run, once, before the first step."""
        ...


@runtime_checkable
class ResolvesUnits(Protocol):
    """What the settings of a rule that weighs pieces may tell."""

    @property
    def unit_min_g(self) -> float:
        """The lightest piece, in grams, that it tells from nothing."""
        ...


class Record(NamedTuple):
    """One numbered row of the ledger: the canonical JSON that leaves the box, and its leaf hash."""

    seq: int
    kind: str
    body: bytes
    leaf_hash: bytes


@dataclass(frozen=True)
class Sample:
    """One telemetry point: fields are ints, floats or strings; `at_unix_ns` is wall time."""

    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, int | float | str]
    at_unix_ns: int = field(default=0)


class Sink(Protocol):
    """Where samples go."""

    async def send(self, batch: Sequence[bytes]) -> None:
        """Deliver ready-made lines, or raise SinkError and the caller keeps them."""
        ...
