"""A core under test behind a broker: started by a command line, killed, set back."""

import asyncio
import shlex
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import aiomqtt

from simulators.core.contract import DEFAULT_PREFIX, load_contract
from tests.conformance.gateway import FakeGateway, NonconformityError, connect
from tests.conformance.records import BLOCKED, epoch_of

ROOT = Path(__file__).resolve().parents[2]
SITE = "conformance"
START_PATIENCE_S = 20.0
KNOCK_PAUSE_S = 0.1
PROTOCOLS = {"5": aiomqtt.ProtocolVersion.V5, "3.1.1": aiomqtt.ProtocolVersion.V311}

REFERENCE_CORE = (
    f"{shlex.quote(sys.executable)} -m simulators.core --broker mqtt://{{host}}:{{port}}"
    " --mqtt {version} --prefix {prefix} --site {site} --db {state}/core.db --reject {blocked}"
)
NAIVE_CORE = (
    f"{shlex.quote(sys.executable)} {shlex.quote(str(Path(__file__).with_name('naive_core.py')))}"
    " {host} {port} {version} {prefix} {site}"
)


@dataclass
class Rig:
    """One core under test. Each case takes gateways of its own, so a core can serve many cases.

    `command` is filled in with host, port, version (5 or 3.1.1), prefix, site, state (a folder for
    all that the core keeps) and blocked (an item whose movements it must reject).
    """

    command: str
    port: int
    version: str
    state: Path
    patience_s: float
    process: asyncio.subprocess.Process | None = None

    @asynccontextmanager
    async def gateway(self, name: str) -> AsyncIterator[FakeGateway]:
        """A gateway on a connection of its own."""
        client = aiomqtt.Client(
            "127.0.0.1",
            self.port,
            protocol=PROTOCOLS[self.version],
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        async with connect(client, load_contract(), SITE, name, self.patience_s) as gateway:
            yield gateway

    async def start(self) -> None:
        """Start the core, and wait until it answers."""
        line = self.command.format(
            host="127.0.0.1",
            port=self.port,
            version=self.version,
            prefix=DEFAULT_PREFIX,
            site=SITE,
            state=shlex.quote(str(self.state)),
            blocked=BLOCKED,
        )
        self.state.mkdir(exist_ok=True)
        with (self.state.parent / f"{self.state.name}.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *shlex.split(line), cwd=ROOT, stdout=log, stderr=log
            )
        async with self.gateway("knock") as gateway, asyncio.timeout(START_PATIENCE_S):
            while True:
                if self.process.returncode is not None:
                    raise RuntimeError(f"the core ended by itself: {self.process.returncode}")
                gateway._patience_s = KNOCK_PAUSE_S
                try:
                    await gateway.say_hello(epoch_of("knock"), 0)
                except NonconformityError:
                    continue
                return

    async def __aenter__(self) -> Self:
        """Start the core; a start that fails leaves nothing running."""
        try:
            await self.start()
        except BaseException:
            await self.kill()
            raise
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.kill()

    async def kill(self) -> None:
        """End the core as a power cut would end its process."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.wait()
        self.process = None

    async def restart(self) -> None:
        """Kill the core and start it again."""
        await self.kill()
        await self.start()

    def save(self, backup: Path) -> None:
        """Copy what the core keeps; only while it is down."""
        shutil.copytree(self.state, backup)

    def restore(self, backup: Path) -> None:
        """Set the core back to a copy; only while it is down."""
        shutil.rmtree(self.state)
        shutil.copytree(backup, self.state)
