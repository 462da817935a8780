"""Where a simulated reader listens, and the connections that came in."""

from __future__ import annotations

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Self

from simulators.llrp.session import Session

CLOSING_MAX_S = 0.5
"""A client that does not read its last bytes for so long loses them."""


class Listener:
    """A TCP or TLS server. `sessions` are its living connections, kept by the reader."""

    def __init__(self, make_session: Callable[[], asyncio.Protocol]) -> None:
        self.port = 0
        self.sessions: set[Session] = set()
        self._make_session = make_session
        self._server: asyncio.Server | None = None

    async def start(self, port: int, host: str, tls: ssl.SSLContext | None) -> int:
        """Listen, on a free port if `port` is 0; return the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._make_session, host, port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    def abort_all(self) -> None:
        """Reset every connection at once."""
        for session in list(self.sessions):
            session.abort()

    async def stop(self) -> None:
        """Stop listening and close every connection; one that lingers is reset."""
        if self._server is not None:
            self._server.close()
        for session in list(self.sessions):
            session.close()
        waiting = [session.ended for session in self.sessions]
        if waiting:
            await asyncio.wait(waiting, timeout=CLOSING_MAX_S)
        self.abort_all()
        await asyncio.sleep(0)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None


class Server(ABC):
    """Who listens. Use `async with`, or `start` and `shutdown`; `port` is where it listens."""

    _listener: Listener

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.shutdown()

    async def start(
        self, port: int = 0, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
    ) -> int:
        """Listen, on a free port unless told which; return the port."""
        return await self._listener.start(port, host, tls)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._listener.port

    @abstractmethod
    async def shutdown(self) -> None:
        """Close every connection and stop listening."""
