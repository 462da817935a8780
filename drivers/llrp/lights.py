"""Lights at the outputs (GPO) of a reader: which ports each is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.model import LightColour, LightId, ShowLight
from gateway.ports import LightAbility, ProtocolError

from .settings import LightSettings


class Lights:
    """See the module. A light of one port shows any colour, one of several that of the port."""

    def __init__(self, device: str, lights: tuple[LightSettings, ...]) -> None:
        self._ports = {f"{device}:{each.light}": _ports(each) for each in lights}
        self._levels: dict[int, bool] = {}

    @property
    def abilities(self) -> dict[LightId, LightAbility]:
        """What each can show. None blinks by itself."""
        return {
            light: LightAbility(frozenset(colour for colour in ports if colour is not None))
            for light, ports in self._ports.items()
        }

    def doubt(self) -> None:
        """Nobody knows how the outputs stand."""
        self._levels.clear()

    def changes(self, shown: ShowLight) -> Iterator[tuple[int, bool]]:
        """The outputs that must change for it; ProtocolError if there is no such light."""
        ports = self._ports.get(shown.light)
        if ports is None:
            raise ProtocolError(f"no light {shown.light}")
        for colour, port in ports.items():
            level = shown.colour is not None and colour in {None, shown.colour}
            if self._levels.get(port) != level:
                yield port, level

    def changed(self, port: int, level: bool) -> None:
        """The reader has confirmed that."""
        self._levels[port] = level


def _ports(light: LightSettings) -> Mapping[LightColour | None, int]:
    """The output of each colour; under None that of a single lamp."""
    if light.port is not None:
        return {None: light.port}
    return dict(light.ports.items())
