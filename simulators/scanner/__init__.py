"""A simulated barcode reader on TCP, as a network scanner or a serial server in front of one is.

It knows what is printed and how a scanner sends it, and nothing of the gateway.
"""

from simulators.scanner.printed import data_matrix, gs1_128, link_in_qr
from simulators.scanner.server import Format, ScannerServer

__all__ = ["Format", "ScannerServer", "data_matrix", "gs1_128", "link_in_qr"]
