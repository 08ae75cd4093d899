"""The gate: whatever this room sends to a device passes here, and only reads get through. Pure."""

from edge.drivers.modbus.plan import TABLES

READ_CODES = frozenset(code for code, _ in TABLES.values())
TCP_CODE_AT = 7  # after the MBAP header: transaction 2, protocol 2, length 2, unit 1
RTU_CODE_AT = 1  # after the unit


def only_reads(packet: bytes, code_at: int) -> bytes:
    """The packet unchanged, if its function code is one of 1 to 4.

    Args:
        packet: all that is about to be sent.
        code_at: where the function code stands in it.

    Raises:
        RuntimeError: it is anything else; that is a defect of this program.
    """
    code = packet[code_at] if len(packet) > code_at else -1
    if code not in READ_CODES:
        raise RuntimeError(f"Modbus function code {code} must never leave the edge")
    return packet


def only_tcp_reads(packet: bytes) -> bytes:
    """`only_reads` of a TCP packet."""
    return only_reads(packet, TCP_CODE_AT)


def only_rtu_reads(frame: bytes) -> bytes:
    """`only_reads` of an RTU frame."""
    return only_reads(frame, RTU_CODE_AT)
