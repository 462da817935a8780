"""Send lines to any server that speaks the v2 write API, through influxdb-client's async API.

    batch -> POST /api/v2/write -> 2xx            delivered
                                   400, 413, 422  halve until the bad points stand alone; drop those
                                   anything else  SinkError: the caller keeps the batch

A server that refuses some points has written the others already, or none: writing a point again
changes nothing, since series and time stamp are its identity. So a batch may be sent any number
of times, in any pieces.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import re
import ssl
from collections.abc import Sequence
from typing import Any

import structlog

from gateway.ports import Counter, SinkError
from gateway.telemetry.settings import TelemetrySettings

PIECES_MAX = 256
"""Requests spent on one refused batch: some ten bad points anywhere in a thousand, or a hundred
in a row. What is then still refused is dropped whole, and counted."""

CAUSES_MAX = 64
"""Causes of refusal that are remembered, so that each is logged once."""

SHOWN_CHARACTERS_MAX = 200
"""How much of a bad point and of the server's answer goes into the log."""

SAID_CHARACTERS_MAX = 1000
"""How much of an answer is looked at: InfluxDB 1 repeats every point that it could not parse."""

RETRY_AFTER_MAX_S = 300.0
"""A server that asks for more patience than this is asked again after it."""

_REFUSED = frozenset({400, 413, 422})
_VARYING = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")


class SinkBusyError(SinkError):
    """The server asks to be left alone for `retry_after_s`."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class InfluxSink:
    """A sink for `TelemetrySettings`; connects on the first send and stays connected."""

    def __init__(self, settings: TelemetrySettings, token: str, count: Counter) -> None:
        """Prepare only: nothing is imported or opened before the first send."""
        self._settings = settings
        self._token = token
        self._count = count
        self._client: Any = None
        self._write: Any = None
        self._failures: tuple[type[Exception], ...] = ()
        self._api_exception: type[Exception] = SinkError
        self._causes: set[str] = set()
        self._log = structlog.get_logger("telemetry")

    async def send(self, batch: Sequence[bytes]) -> None:
        """Deliver the lines; points that the server refuses for good are dropped and counted.

        SinkError means that the batch is not known to be delivered and must be sent again;
        SinkBusyError also says how long the server asks to wait.
        """
        if self._client is None:
            await self._connect()
        dropped: list[tuple[bytes, str]] = []
        pieces = [list(batch)] if batch else []
        requests = 0
        while pieces:
            piece = pieces.pop()
            requests += 1
            cause = await self._post(piece)
            if cause is None:
                continue
            if len(piece) == 1 or requests >= PIECES_MAX:
                dropped += [(line, cause) for line in piece]
            else:
                middle = len(piece) // 2
                pieces += [piece[middle:], piece[:middle]]
        self._count("telemetry_points_sent", len(batch) - len(dropped))
        self._report(dropped)

    async def close(self) -> None:
        """Close the connection; a later send would open it again."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _connect(self) -> None:
        # Imported here, since it costs 30 MB and a quarter of a second, and in a thread, since a
        # standstill of the event loop that long counts as time in which nobody watched.
        module = await asyncio.to_thread(
            importlib.import_module, "influxdb_client.client.influxdb_client_async"
        )
        rest = importlib.import_module("influxdb_client.rest")
        aiohttp = importlib.import_module("aiohttp")
        settings = self._settings
        try:
            trust = await asyncio.to_thread(ssl.create_default_context, cafile=settings.ca_file)
        except OSError as error:
            raise SinkError(f"telemetry.ca_file {settings.ca_file}: {error}") from error
        self._api_exception = rest.ApiException
        # ValueError: a URL or a token that cannot be put into a request.
        self._failures = (aiohttp.ClientError, OSError, TimeoutError, ValueError)
        self._client = module.InfluxDBClientAsync(
            url=settings.url,
            token=self._token,
            org=settings.org,
            timeout=int(settings.timeout_s * 1000),
            enable_gzip=True,
            ssl_context=trust,
            allow_redirects=False,  # the token goes to the configured server only
            connection_pool_maxsize=1,
        )
        self._write = self._client.write_api().write

    async def _post(self, piece: list[bytes]) -> str | None:
        """Send one piece; return why the server refuses it for good, or None if it took it."""
        url, bucket = self._settings.url, self._settings.bucket
        try:
            taken = await self._write(bucket=bucket, record=b"\n".join(piece), write_precision="ns")
        except self._api_exception as error:
            return _refusal(error)
        except self._failures as error:
            raise SinkError(f"{url}: {str(error) or type(error).__name__}") from error
        if not taken:
            raise SinkError(f"{url} answers, but not as a v2 write API does")
        return None

    def _report(self, dropped: list[tuple[bytes, str]]) -> None:
        if not dropped:
            return
        self._count("telemetry_points_refused", len(dropped))
        for line, cause in dropped:
            kind = _VARYING.sub("*", cause)
            if kind in self._causes or len(self._causes) >= CAUSES_MAX:
                continue
            self._causes.add(kind)
            self._log.warning(
                "telemetry point refused by the server, dropped",
                point=line[:SHOWN_CHARACTERS_MAX].decode(errors="replace"),
                cause=cause[:SHOWN_CHARACTERS_MAX],
            )


def _refusal(error: Any) -> str:
    """Read an answer other than 2xx: the cause if these points are refused, else SinkError."""
    status = int(error.status or 0)
    said = _message(error.body or b"") or str(error.reason)
    if status in _REFUSED:
        return said
    message = f"server answered {status}: {said[:SHOWN_CHARACTERS_MAX]}"
    asked = (error.headers or {}).get("Retry-After", "").strip()
    if status in {429, 503} and asked.isdecimal():
        raise SinkBusyError(message, min(float(asked), RETRY_AFTER_MAX_S)) from error
    raise SinkError(message) from error


def _message(body: bytes | str) -> str:
    """Return what the server says: `error` of InfluxDB 1, `message` of 2 and 3, or plain text."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    try:
        said = json.loads(text)
        text = str(said.get("message") or said.get("error") or text)
    except (ValueError, AttributeError):
        pass  # no JSON, or no object: the text speaks for itself
    return " ".join(text[:SAID_CHARACTERS_MAX].split())
