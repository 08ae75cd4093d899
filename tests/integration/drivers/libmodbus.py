"""libmodbus 3.1 (C, LGPL) as a device or a master on a serial line, in a process of its own.

`python libmodbus.py device LINE UNIT` serves registers and bits that read as stated below;
`python libmodbus.py master LINE UNIT` reads them over and over. Both print READY and end with their
input. Only the shared library is needed (Debian: libmodbus5); its types are written out here.
"""

import contextlib
import ctypes
import ctypes.util
import sys
import threading
import time

BAUD, CELLS = 19200, 200


class Mapping(ctypes.Structure):
    """modbus_mapping_t of modbus.h."""

    _fields_ = [
        ("nb_bits", ctypes.c_int), ("start_bits", ctypes.c_int),
        ("nb_input_bits", ctypes.c_int), ("start_input_bits", ctypes.c_int),
        ("nb_input_registers", ctypes.c_int), ("start_input_registers", ctypes.c_int),
        ("nb_registers", ctypes.c_int), ("start_registers", ctypes.c_int),
        ("tab_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_registers", ctypes.POINTER(ctypes.c_uint16)),
        ("tab_registers", ctypes.POINTER(ctypes.c_uint16)),
    ]  # fmt: skip


def find() -> str | None:
    """The library's name; None when it is not installed."""
    return ctypes.util.find_library("modbus")


def holding(address: int) -> int:
    return (address * 257 + 11) & 0xFFFF


def inputs(address: int) -> int:
    return (address * 31 + 40000) & 0xFFFF


def coil(address: int) -> int:
    return int(address % 3 == 0)


def discrete(address: int) -> int:
    return int(address % 5 == 0)


def _open(line: str, unit: int) -> tuple[ctypes.CDLL, ctypes.c_void_p]:
    lib = ctypes.CDLL(find(), use_errno=True)
    lib.modbus_new_rtu.restype = ctypes.c_void_p
    lib.modbus_new_rtu.argtypes = [
        ctypes.c_char_p, ctypes.c_int, ctypes.c_char, ctypes.c_int, ctypes.c_int,
    ]  # fmt: skip
    lib.modbus_mapping_new.restype = ctypes.POINTER(Mapping)
    context = ctypes.c_void_p(lib.modbus_new_rtu(line.encode(), BAUD, b"N", 8, 1))
    lib.modbus_set_slave(context, unit)
    if lib.modbus_connect(context) != 0:
        raise OSError(ctypes.get_errno(), line)
    return lib, context


def serve(line: str, unit: int) -> None:
    """A device."""
    lib, context = _open(line, unit)
    mapping = lib.modbus_mapping_new(CELLS, CELLS, CELLS, CELLS)
    for at in range(CELLS):
        mapping.contents.tab_bits[at], mapping.contents.tab_input_bits[at] = coil(at), discrete(at)
        mapping.contents.tab_registers[at] = holding(at)
        mapping.contents.tab_input_registers[at] = inputs(at)
    sys.stdout.write("READY\n")
    sys.stdout.flush()
    query = (ctypes.c_uint8 * 260)()
    while True:
        length = lib.modbus_receive(context, query)
        if length > 0:
            lib.modbus_reply(context, query, length, mapping)


def ask(line: str, unit: int) -> None:
    """A master that reads 20 cells of each table, over and over."""
    lib, context = _open(line, unit)
    words, bits = (ctypes.c_uint16 * 125)(), (ctypes.c_uint8 * 125)()
    sys.stdout.write("READY\n")
    sys.stdout.flush()
    while True:
        lib.modbus_read_registers(context, 0, 20, words)
        lib.modbus_read_input_registers(context, 100, 20, words)
        lib.modbus_read_bits(context, 0, 20, bits)
        lib.modbus_read_input_bits(context, 16, 9, bits)
        time.sleep(0.01)


def main() -> None:
    role, line, unit = sys.argv[1:]
    work = serve if role == "device" else ask
    threading.Thread(target=work, args=(line, int(unit)), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        sys.stdin.read()  # until who started it closes it


if __name__ == "__main__":
    main()
