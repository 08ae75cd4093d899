"""A Modbus device's questions as they will stand on the wire.

The reads are the planner's, the bytes those of the functions that frame them when they are asked.
Pure: nothing is opened.
"""

from collections.abc import Sequence

from edge.drivers.base import DeviceSpec
from edge.drivers.modbus.answers import data_bytes
from edge.drivers.modbus.endpoint import ANSWER_HEAD, Line, Place, is_tcp
from edge.drivers.modbus.plan import Read
from edge.drivers.modbus.rtu import request
from edge.drivers.modbus.tcp_wire import packet
from edge.drivers.traffic import EACH_READ, Request, Traffic

PROMISE = "nothing is written: function codes 1 to 4 only"
#: Modbus TCP: the header up to the unit (7 bytes), function code, number of bytes.
_TCP_HEAD = 9
_NUMBER = 2  # bytes of the transaction's number (Messaging on TCP/IP 1.0b, 3.1.3)

_NOTES = (
    "A read that the device refuses with exception 2 is asked again in halves, and every tenth "
    "time one refused value by itself.",
    "After a lost question the probe, or a part of a read above, is asked to regain order.",
)
_LINE_NOTE = (
    "Time on the line: characters of start, 8 data, parity and stop bits, and 3.5 characters of "
    "silence (1.75 ms above 19200 baud) before question and answer; Modbus over serial line 1.02, "
    "2.5.1. The device's own time to answer comes on top."
)
_CONVERTER_NOTE = "The speed of the line behind the converter is not known here."


def traffic_of(spec: DeviceSpec, place: Place, plan: Sequence[Read], probe: Read | None) -> Traffic:
    """What a device's driver sends.

    Args:
        spec: the device.
        place: where it hangs.
        plan: what is asked at each read.
        probe: the identity register, asked once where answers carry no number.
    """
    endpoint = place.endpoint
    requests = [_request(spec, place, read, EACH_READ) for read in plan]
    if probe is not None and not is_tcp(endpoint):
        requests.append(_request(spec, place, probe, None, f"probe {spec.profile.probe}: "))
    notes: tuple[str, ...] = _NOTES
    if not is_tcp(endpoint):
        notes += (_LINE_NOTE if isinstance(endpoint, Line) else _CONVERTER_NOTE,)
    return Traffic(
        protocol="Modbus TCP" if is_tcp(endpoint) else "Modbus RTU",
        endpoint=str(endpoint),
        settings=endpoint.shown if isinstance(endpoint, Line) else "",
        promise=PROMISE,
        is_shared=True,
        requests=requests,
        gap_s=place.gap_s,
        pause_s=spec.profile.pause_ms / 1000,
        notes=notes,
    )


def listening_to(line: Line) -> Traffic:
    """What a listener sends."""
    return Traffic(
        protocol="Modbus RTU, listening",
        endpoint=str(line),
        settings=line.shown,
        promise="nothing is sent: the line is opened for reading only",
        is_shared=True,
        is_listening=True,
    )


def _request(
    spec: DeviceSpec, place: Place, read: Read, every_s: float | None, before: str = ""
) -> Request:
    endpoint = place.endpoint
    data = data_bytes(read)
    if is_tcp(endpoint):
        sent, numbered, answer_bytes = packet(place.unit, read), _NUMBER, _TCP_HEAD + data
    else:
        sent, numbered, answer_bytes = request(place.unit, read), 0, ANSWER_HEAD + data
    return Request(
        what=f"{before}FC {read.code} unit {place.unit} {_where(spec, read)}",
        every_s=every_s,
        points=tuple(spec.points[slot.index].point.id for slot in read.slots) if not before else (),
        sent=sent,
        numbered=numbered,
        answer_bytes=answer_bytes,
        line_s=endpoint.exchange_s(data) if isinstance(endpoint, Line) else 0.0,
    )


def _where(spec: DeviceSpec, read: Read) -> str:
    """Table, address as sent, address as the profile writes it, number of cells."""
    written = next(
        (
            row.written
            for row in spec.profile.registers
            if (row.table, row.address) == (read.table, read.address)
        ),
        None,
    )
    shown = "" if written is None else f" ({written} in {spec.profile.address_notation} notation)"
    return f"{read.table} {read.address:#06x}{shown} x {read.count}"
