"""A Modbus server on libmodbus (the C library that mbpoll brings), run as a process of its own.

`python libmodbus_server.py tcp PORT` or `... rtu PATH`: unit 1, input registers of a Dini DGT4X
that carries 100,000 g. Prints "ready" once it listens.
"""

import ctypes
import sys

LIBRARY = "libmodbus.so.5"
REQUEST_BYTES = 260
INPUT_REGISTERS = (0x0001, 0x86A0, 0x0001, 0x86A0, 0x0004)


class Mapping(ctypes.Structure):
    """modbus_mapping_t of libmodbus 3.1."""

    _fields_ = (
        *((f"count_{n}", ctypes.c_int) for n in range(8)),
        ("bits", ctypes.c_void_p),
        ("input_bits", ctypes.c_void_p),
        ("input_registers", ctypes.POINTER(ctypes.c_uint16)),
        ("registers", ctypes.POINTER(ctypes.c_uint16)),
    )


def load() -> ctypes.CDLL:
    library = ctypes.CDLL(LIBRARY)
    for name in ("modbus_new_tcp", "modbus_new_rtu"):
        getattr(library, name).restype = ctypes.c_void_p
    library.modbus_mapping_new.restype = ctypes.POINTER(Mapping)
    return library


def say_ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def serve(kind: str, end: str) -> None:
    library = load()
    mapping = library.modbus_mapping_new(0, 0, 16, 16)
    for place, word in enumerate(INPUT_REGISTERS):
        mapping.contents.input_registers[place] = word
    if kind == "tcp":
        context = ctypes.c_void_p(library.modbus_new_tcp(b"127.0.0.1", int(end)))
        listener = ctypes.c_int(library.modbus_tcp_listen(context, 1))
        say_ready()
        library.modbus_tcp_accept(context, ctypes.byref(listener))
    else:
        parity = ctypes.c_char(b"N")
        new = library.modbus_new_rtu(end.encode(), 115_200, parity, 8, 1)
        context = ctypes.c_void_p(new)
        library.modbus_set_slave(context, 1)
        library.modbus_connect(context)
        say_ready()
    request = ctypes.create_string_buffer(REQUEST_BYTES)
    while (length := library.modbus_receive(context, request)) >= 0:
        library.modbus_reply(context, request, length, mapping)


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2])
