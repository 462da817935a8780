"""The field side of telemetry: antennas, weighing cells, devices and their faults."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model import (
    CellId,
    DeviceFault,
    DeviceStatus,
    Ns,
    ReadPoint,
    Site,
    TagReport,
    WeightReport,
)
from gateway.telemetry.page import Labels, Page, Table
from gateway.telemetry.tallies import AntennaTally, CellTally, DeviceTally


@dataclass(slots=True)
class _Fault:
    series: str
    active: bool = False
    raised: int = 0
    changed: bool = False


class FieldMeter:
    """Adds up observations. `tag_report` and `weight_report` are the hot path."""

    def __init__(self, labels: Labels, site: Site, weight_change_g: float) -> None:
        """Antennas of the site are known from the start, so that a mute one shows as zero."""
        self._labels = labels
        self._weight_change_g = weight_change_g
        self._locations = {cell.cell: cell.location for cell in site.cells}
        self._antennas: Table[ReadPoint, AntennaTally] = Table(self._antenna)
        self._cells: Table[CellId, CellTally] = Table(self._cell)
        self._devices: Table[str, DeviceTally] = Table(self._device)
        self._faults: Table[tuple[str, str, int], _Fault] = Table(self._fault)
        for zone in site.zones:
            for read_point in zone.antennas:
                self._antennas[read_point].clear()
        for portal in site.portals:
            for read_point in (*portal.outer, *portal.inner):
                self._antennas[read_point].clear()

    @property
    def refused(self) -> int:
        """Tallies not kept because a table was full."""
        tables = (self._antennas, self._cells, self._devices, self._faults)
        return sum(table.refused for table in tables)

    def tag_report(self, report: TagReport) -> None:
        """Add the reads of a report to their antennas."""
        antennas = self._antennas
        for read_point, _, rssi_cdbm, seen_count, _, _, _, _, _ in report.reads:
            antenna = antennas[read_point]
            antenna.reads += seen_count
            if rssi_cdbm is not None:
                antenna.rssi_reads += seen_count
                antenna.rssi_sum_cdbm += rssi_cdbm * seen_count
                if rssi_cdbm > antenna.rssi_max_cdbm:
                    antenna.rssi_max_cdbm = rssi_cdbm

    def weight_report(self, report: WeightReport) -> None:
        """Take the samples of a report as the state of their cells."""
        cells = self._cells
        for cell_id, gross_g, flags in report.samples:
            cell = cells[cell_id]
            if cell.samples:
                cell.differences += abs(gross_g - cell.gross_g)
            cell.samples += 1
            cell.gross_g = gross_g
            cell.flags = flags

    def device_status(self, status: DeviceStatus) -> None:
        """Take the state of a link."""
        self._devices[status.device].turn(status.up, status.reason)

    def device_fault(self, fault: DeviceFault) -> None:
        """Take a fault that a device reports, or takes back."""
        known = self._faults[fault.device, fault.code, fault.antenna]
        known.raised += fault.active
        known.active, known.changed = fault.active, True

    def round_trip(self, device: str, span_ns: Ns) -> None:
        """Take the time that a device's last answer took."""
        self._devices[device].round_trip_ms = span_ns / 1_000_000

    def changes(self, page: Page) -> None:
        """Write what is no longer as it was sent."""
        for cell in self._cells.values():
            if cell.samples and cell.changed(self._weight_change_g):
                page.add(cell.series, cell.fields())
        for device in self._devices.values():
            if device.changed:
                page.add(device.series, device.fields())
        for fault in self._faults.values():
            if fault.changed:
                self._write_fault(page, fault)

    def interval(self, page: Page, elapsed_ns: Ns) -> None:
        """Write everything, and begin a new interval."""
        for antenna in self._antennas.values():
            page.add(antenna.series, antenna.fields(elapsed_ns))
            antenna.clear()
        for cell in self._cells.values():
            # A cell that was not polled is not repeated: its last weight is not news.
            if cell.samples:
                page.add(cell.series, {**cell.fields(), **cell.noise()})
            cell.clear()
        for device in self._devices.values():
            page.add(device.series, device.fields())
        for fault in self._faults.values():
            self._write_fault(page, fault)

    def _write_fault(self, page: Page, fault: _Fault) -> None:
        fault.changed = False
        page.add(fault.series, {"active": int(fault.active), "raised": fault.raised})

    def _antenna(self, read_point: ReadPoint) -> AntennaTally:
        device, _, antenna = read_point.rpartition(":")
        return AntennaTally(
            self._labels.series("antenna", device=device, antenna=antenna, read_point=read_point)
        )

    def _cell(self, cell: CellId) -> CellTally:
        device = cell.rpartition(":")[0]
        location = self._locations.get(cell, "")
        return CellTally(self._labels.series("weight", device=device, cell=cell, location=location))

    def _device(self, device: str) -> DeviceTally:
        return DeviceTally(self._labels.series("device", device=device))

    def _fault(self, key: tuple[str, str, int]) -> _Fault:
        device, code, antenna = key
        return _Fault(
            self._labels.series("fault", device=device, code=code, antenna=str(antenna or ""))
        )
