"""The scanner driver: one `Scan` for each code that is read, a fault for what is none."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from drivers.scanner.frames import FrameCutter, Garbled
from drivers.scanner.gs1 import elements_of, parted
from drivers.scanner.keys import KeyReader
from drivers.scanner.links import opened
from drivers.scanner.scan_text import ScanTexts
from drivers.scanner.settings import ScannerSettings
from gateway.model import NS_PER_S, DeviceFault, Heartbeat, Ns, Scan
from gateway.ports import DriverContext, Emit, LinkError, PluginSettings

READ_MAX_BYTES = 4096

GARBLED = "scan_garbled"

SILENCE_MAX_NS = 7 * 24 * 3600 * NS_PER_S
"""Nobody scans for a week of holidays; that the link stands is the kernel's to prove."""


class ScannerDriver:
    """Reads one scanner. It sends nothing to it."""

    Settings: ClassVar[type[PluginSettings]] = ScannerSettings
    lateness_max_ns: Ns = 0
    silence_max_ns: Ns = SILENCE_MAX_NS

    def __init__(self, settings: ScannerSettings, context: DriverContext) -> None:
        self._settings = settings
        self._context = context
        self._texts = ScanTexts(settings)
        self._garbled = True  # an alert of an earlier run may still stand

    def points(self) -> frozenset[str]:
        """It has neither antennas nor cells."""
        return frozenset()

    async def run(self, emit: Emit) -> None:
        """Connect and emit scans until cancelled; LinkError when the link is lost."""
        async with opened(self._settings) as reader:
            await emit(Heartbeat(self._context.device))
            raise LinkError(await self._read(reader, emit))

    async def _read(self, reader: asyncio.StreamReader, emit: Emit) -> str:
        """Emit what comes until the link is lost; why it is."""
        cutter, keys = FrameCutter(self._settings.end), KeyReader()
        keyboard, lost = self._settings.link == "keyboard", "the scanner closed the connection"
        try:
            while data := await reader.read(READ_MAX_BYTES):
                scans = keys.feed(data) if keyboard else map(self._decoded, cutter.feed(data))
                for scan in scans:
                    await self._tell(scan, emit)
        except OSError as error:
            lost = f"connection lost: {error}"
        if keys.torn or cutter.torn:
            await self._tell(Garbled("the link was lost in the middle of a scan"), emit)
        return lost

    def _decoded(self, frame: bytes | Garbled) -> str | Garbled:
        return frame if isinstance(frame, Garbled) else self._texts.decode(frame)

    async def _tell(self, scan: str | Garbled, emit: Emit) -> None:
        text = scan if isinstance(scan, Garbled) else self._texts.read(scan)
        device = self._context.device
        if isinstance(text, Garbled):
            self._context.count("scanner_garbled")
            self._garbled = True
            detail = f"scan it again: {text.detail}"
            await emit(DeviceFault(device, GARBLED, detail=detail))
            return
        if not text:
            self._context.count("scanner_no_read")
            return
        symbology, bare = parted(text)
        if self._garbled:
            self._garbled = False
            await emit(DeviceFault(device, GARBLED, active=False))
        await emit(Scan(device, bare, elements_of(symbology, bare)))
