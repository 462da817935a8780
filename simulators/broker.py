"""MQTT brokers for demo and tests: Mosquitto where it is installed, else one inside the process.

Both listen on 127.0.0.1, let anybody in, and forget everything when they end. The embedded one
speaks MQTT 3.1.1 only, keeps no session for a client that went away, and is for demos alone.
"""

import asyncio
import importlib
import logging
import shutil
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from tempfile import NamedTemporaryFile, TemporaryFile

HOST = "127.0.0.1"
PROBE_S = 0.02
PROBES_MAX = 500  # 10 s: it listens within tens of milliseconds; a loaded machine is slower
STOP_MAX_S = 5.0

OPEN_HOUSE = (
    "allow_anonymous true",
    "persistence false",
    "set_tcp_nodelay true",  # else an answer waits up to 40 ms for the peer's delayed TCP ACK
    # By default it drops what is above 1,000 without a word; with 0, for no limit, some versions
    # hang up on whoever they refuse a publish.
    "max_queued_messages 1000000",
)
"""How Mosquitto runs here, besides where it listens."""


class BrokerStartError(Exception):
    """The broker did not come up; the message says what it printed."""


def demo_broker(port: int = 0) -> AbstractAsyncContextManager[str]:
    """The better broker that this machine has, as a context manager that yields its URL."""
    return mosquitto(port) if find_mosquitto() else embedded_broker(port)


def find_mosquitto() -> str | None:
    """Path of the Mosquitto binary, or None; Debian keeps it outside a user's PATH."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


@asynccontextmanager
async def embedded_broker(port: int = 0) -> AsyncIterator[str]:
    """Run amqtt inside this event loop; yields its URL. Port 0 picks a free one.

    Raises:
        BrokerStartError: it could not listen.

    """
    port = port or _free_port()
    # amqtt is a development dependency: it is loaded only where it is used.
    amqtt = importlib.import_module("amqtt.broker")
    errors = importlib.import_module("amqtt.errors")
    settings = {
        "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    with _quiet("amqtt", "transitions"):
        broker = amqtt.Broker(settings)
        try:
            await broker.start()
        except errors.BrokerError as error:
            raise BrokerStartError(str(error)) from error
        try:
            yield f"mqtt://{HOST}:{port}"
        finally:
            await broker.shutdown()


@asynccontextmanager
async def mosquitto(
    port: int = 0, settings: Sequence[str] = (), executable: str | None = None
) -> AsyncIterator[str]:
    """Run Mosquitto with a temporary configuration; yields its URL. Port 0 picks a free one.

    `settings` are further lines for its configuration file.

    Raises:
        BrokerStartError: it is not installed, ended at once, or does not listen.

    """
    executable = executable or find_mosquitto()
    if executable is None:
        raise BrokerStartError("mosquitto is not installed (Debian: apt-get install mosquitto)")
    port = port or _free_port()
    lines = (f"listener {port} {HOST}", *OPEN_HOUSE, *settings)
    with _configuration(lines) as file, TemporaryFile() as printed:
        process = await asyncio.create_subprocess_exec(
            executable, "-c", file, stdout=printed, stderr=printed
        )
        try:
            if not await _listens(process, port):
                printed.seek(0)
                raise BrokerStartError(printed.read().decode() or f"no answer on port {port}")
            yield f"mqtt://{HOST}:{port}"
        finally:
            await _end(process)


@contextmanager
def _configuration(lines: Sequence[str]) -> Iterator[str]:
    with NamedTemporaryFile("w", prefix="shelfgate-mosquitto-", suffix=".conf") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        yield file.name


async def _listens(process: asyncio.subprocess.Process, port: int) -> bool:
    """Wait until it accepts connections, or has ended."""
    for _ in range(PROBES_MAX):
        if process.returncode is not None or await _accepts(port):
            break
        await asyncio.sleep(PROBE_S)
    else:
        return False
    # Whoever accepted may be another server, while this one found its port taken.
    await asyncio.sleep(PROBE_S)
    return process.returncode is None


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_MAX_S)
    except TimeoutError:
        process.kill()
        await process.wait()


@contextmanager
def _quiet(*names: str) -> Iterator[None]:
    """Silence loggers for a while: amqtt reports each connection, and each lost one as an error."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
