"""Barcode and QR readers over TCP, on a serial port, and as a USB keyboard."""

from drivers.scanner.driver import ScannerDriver

__all__ = ["ScannerDriver"]
