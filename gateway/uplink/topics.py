"""Topics of the contract (docs/asyncapi.yaml)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes


def encode_key(key: str) -> str:
    """A key of the site's own as one topic level: all but letters, digits and `._~-` as %XX."""
    return quote(key, safe="")


def decode_key(level: str) -> str:
    """The key that a topic level stands for; ValueError if it is not UTF-8."""
    return unquote_to_bytes(level).decode("utf-8")


@dataclass(frozen=True, slots=True)
class Topics:
    """All topics of one gateway, below `{prefix}/{site}/{gateway}`."""

    base: str

    @property
    def event(self) -> str:
        """Numbered events, up."""
        return f"{self.base}/event"

    @property
    def hello(self) -> str:
        """What we have, up."""
        return f"{self.base}/hello"

    @property
    def core_hello(self) -> str:
        """What the core has, down."""
        return f"{self.base}/hello/core"

    @property
    def ack(self) -> str:
        """What the core has committed, down."""
        return f"{self.base}/ack"

    @property
    def status(self) -> str:
        """Online or offline, up, retained, also the last will."""
        return f"{self.base}/status"

    @property
    def health(self) -> str:
        """How we are, up, retained."""
        return f"{self.base}/health"

    @property
    def command(self) -> str:
        """Requests to us, down."""
        return f"{self.base}/cmd/request"

    @property
    def response(self) -> str:
        """Our answers, up."""
        return f"{self.base}/cmd/response"

    @property
    def core_request(self) -> str:
        """Our requests to the core, up."""
        return f"{self.base}/cmd/core/request"

    @property
    def reference_filters(self) -> tuple[str, ...]:
        """Subscriptions for reference data."""
        kinds = ("item", "location", "task", "book", "badge")
        return tuple(f"{self.base}/{kind}/+" for kind in kinds)

    def stock(self, location: str, item: str) -> str:
        """On-hand quantity of one item at one location, up, retained."""
        return f"{self.base}/stock/{encode_key(location)}/{encode_key(item)}"

    def relative(self, topic: str) -> str:
        """The topic below our base; the topic itself if it is not ours."""
        return topic.removeprefix(f"{self.base}/")


def topics_of(prefix: str, site: str, gateway: str) -> Topics:
    """The topics of a gateway of a site; both names stand in the topic as they are."""
    return Topics(f"{prefix}/{site}/{gateway}")
