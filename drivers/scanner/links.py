"""The ways to a scanner: each opens a stream of its bytes, and closes it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import serial

from drivers.scanner.settings import ScannerSettings
from gateway.ports import LinkError

CONNECT_TIMEOUT_S = 10.0
"""A scanner on the same site answers in milliseconds; a TCP connect may hang for two minutes."""

BUFFER_MAX_BYTES = 64 * 1024
"""What may wait unread: some hundred scans. Beyond, the scanner has to wait."""

PROBE_AFTER_S, PROBE_EVERY_S, PROBES = 10, 5, 3
"""A scanner says nothing for hours: the kernel asks whether it is there, and a dead one is lost
after 25 s."""

EVIOCGRAB = 0x40044590
"""linux/input.h: _IOW('E', 0x90, int). From then on the keys go to us alone."""


def opened(settings: ScannerSettings) -> AbstractAsyncContextManager[asyncio.StreamReader]:
    """The scanner's bytes; LinkError, with what a person can do about it, if it is not there."""
    if settings.link == "tcp":
        return _tcp(settings)
    return _serial(settings) if settings.link == "serial" else _keyboard(settings)


@asynccontextmanager
async def _tcp(settings: ScannerSettings) -> AsyncIterator[asyncio.StreamReader]:
    place = f"{settings.host}:{settings.port}"
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(
                settings.host, settings.port, limit=BUFFER_MAX_BYTES
            )
    except TimeoutError as error:
        raise LinkError(f"{place} did not answer within {CONNECT_TIMEOUT_S:g} s") from error
    except OSError as error:
        raise LinkError(f"{place} cannot be reached: {error}") from error
    try:
        _probe(writer.get_extra_info("socket"))
        yield reader
    finally:
        writer.transport.abort()


def _probe(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, PROBE_AFTER_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, PROBE_EVERY_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES)


@asynccontextmanager
async def _serial(settings: ScannerSettings) -> AsyncIterator[asyncio.StreamReader]:
    try:
        port = serial.Serial(
            settings.path,
            baudrate=settings.baud,
            bytesize=settings.data_bits,
            parity=settings.parity,
            stopbits=settings.stop_bits,
            timeout=0,
            exclusive=True,
        )
    except (OSError, ValueError) as error:
        raise LinkError(f"{settings.path} cannot be opened: {error}") from error
    async with _file(port) as reader:
        yield reader


@asynccontextmanager
async def _keyboard(settings: ScannerSettings) -> AsyncIterator[asyncio.StreamReader]:
    """A plain read of /dev/input/event* gives the kernel's records: no library is needed."""
    try:
        device = os.fdopen(os.open(settings.path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0)
    except OSError as error:
        raise LinkError(
            f"{settings.path} cannot be opened: {error.strerror}; the gateway's user must be in "
            "the group input"
        ) from error
    try:
        if settings.grab:
            fcntl.ioctl(device, EVIOCGRAB, 1)
    except OSError as error:
        device.close()
        raise LinkError(
            f"{settings.path} cannot be had alone: {error.strerror}; is it a keyboard, and does "
            "nobody else grab it?"
        ) from error
    async with _file(device) as reader:
        yield reader


@asynccontextmanager
async def _file(file: Any) -> AsyncIterator[asyncio.StreamReader]:
    reader = asyncio.StreamReader(limit=BUFFER_MAX_BYTES)
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), file
        )
    except BaseException:
        file.close()
        raise
    try:
        yield reader
    finally:
        transport.close()
