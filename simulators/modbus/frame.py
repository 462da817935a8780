"""Modbus frames as bytes: TCP (MBAP) and RTU, seen from the device's side."""

import struct
from typing import NamedTuple

MBAP_BYTES = 7
PDU_BYTES_MAX = 253
RTU_BYTES_MAX = 256
READ_FUNCTIONS = (3, 4)
WRITE_ONE = 6
WRITE_MANY = 16
EXCEPTION_BIT = 0x80


class BadFrameError(Exception):
    """The bytes are no Modbus/TCP: there is no way back into step on this connection."""


class Request(NamedTuple):
    """One request. RTU has no transaction id and leaves it 0."""

    unit: int
    pdu: bytes
    transaction: int = 0


def take_tcp(buffer: bytearray) -> Request | None:
    """Take one whole request off the front of the buffer, or None while it is not whole.

    Raises:
        BadFrameError: the header cannot be Modbus/TCP.

    """
    if len(buffer) < MBAP_BYTES:
        return None
    transaction, protocol, length, unit = struct.unpack_from(">HHHB", buffer)
    if protocol != 0 or not 2 <= length <= PDU_BYTES_MAX + 1:
        raise BadFrameError(bytes(buffer[:MBAP_BYTES]).hex())
    end = MBAP_BYTES - 1 + length
    if len(buffer) < end:
        return None
    pdu = bytes(buffer[MBAP_BYTES:end])
    del buffer[:end]
    return Request(unit, pdu, transaction)


def tcp_frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """A Modbus/TCP frame."""
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


def rtu_request_bytes(buffer: bytes | bytearray) -> int | None:
    """Length of the request at the front by its function code; None when it cannot be told yet."""
    if len(buffer) < 2:
        return None
    function = buffer[1]
    if 1 <= function <= 6:
        return 8
    if function in (15, WRITE_MANY):
        return 9 + buffer[6] if len(buffer) > 6 else None
    return None


def parse_rtu(data: bytes) -> Request | None:
    """A whole RTU request, or None when its checksum does not fit."""
    if len(data) < 4 or crc16(data[:-2]) != data[-2:]:
        return None
    return Request(data[0], data[1:-2])


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """An RTU frame with its checksum."""
    body = bytes((unit,)) + pdu
    return body + crc16(body)


def crc16(data: bytes) -> bytes:
    """CRC-16/MODBUS, low byte first (Modbus over Serial Line 1.02, section 6.2.2)."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")


def _crc_entry(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (0xA001 if byte & 1 else 0)
    return byte


_CRC_TABLE = tuple(_crc_entry(byte) for byte in range(256))
