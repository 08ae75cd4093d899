"""A DL/T 645 meter's questions as they will stand on the wire. Pure: nothing is opened."""

from collections.abc import Iterable

from edge.drivers.base import DeviceSpec
from edge.drivers.dlt645.frame import AROUND, build_question
from edge.drivers.dlt645.wire import Endpoint
from edge.drivers.serial_line import SerialLine
from edge.drivers.traffic import Request, Traffic

PROMISE = "nothing is written: control codes 11H and 12H (read) to one meter's own address only"
_DI_BYTES = 4
_REPLY_S = 0.02  # DL/T 645-2007, 5.3.3: a meter answers 20 to 500 ms after the question

_NOTES = (
    "A meter that says that more follows is asked for the rest (12H), at most 16 frames an item.",
    "Answers are counted without the FE bytes a meter may send before them.",
)
_LINE_NOTE = (
    "Time on the line: characters of start, 8 data, parity and stop bits, and the 20 ms that a "
    "meter waits at least before it answers; it may wait 500."
)


def traffic_of(
    spec: DeviceSpec, endpoint: Endpoint, address: bytes, items: Iterable[int]
) -> Traffic:
    """What a meter's driver sends.

    Args:
        spec: the device.
        endpoint: where it hangs.
        address: six bytes, lowest digits first.
        items: data identifiers, in the order they are asked for.
    """
    line = endpoint if isinstance(endpoint, SerialLine) else None
    requests = []
    for di in items:
        asked = [b for b in spec.points if b.register.identifier and b.register.identifier.di == di]
        digits = max(b.register.identifier.digits for b in asked if b.register.identifier)
        sent = build_question(address, di)
        answer_bytes = AROUND + _DI_BYTES + digits // 2
        requests.append(
            Request(
                what=f"11H meter {address[::-1].hex()} DI {di:08X}",
                points=tuple(b.point.id for b in asked),
                sent=sent,
                answer_bytes=answer_bytes,
                line_s=(len(sent) + answer_bytes) * line.byte_s + _REPLY_S if line else 0.0,
            )
        )
    return Traffic(
        protocol="DL/T 645-2007",
        endpoint=str(endpoint),
        settings=line.shown if line else "",
        promise=PROMISE,
        is_shared=True,
        requests=requests,
        notes=(*_NOTES, _LINE_NOTE) if line else _NOTES,
    )
