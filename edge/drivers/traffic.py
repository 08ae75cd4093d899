"""What a driver will send, as a list that a person can hold against a capture. Pure types.

A driver fills it with what its own planner and frame makers give, so that the list is what is sent
and not a second description of it; `edge.site.traffic` adds it up, `edge.traffic_text` prints it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

#: `Request.every_s` of what is asked at every read of the device.
EACH_READ = 0.0


@dataclass(frozen=True)
class Request:
    """One request.

    Attributes:
        what: in the protocol's own words, such as "FC 3 unit 1 holding 0x0BB8 (43001) x 10".
        every_s: seconds from one to the next; EACH_READ: the device's own interval; None: once a
            connection.
        points: ids of the points whose values its answer carries.
        items: what is asked for each of them, where `what` does not say it.
        sent: its bytes; b"" when they are not known before there is a connection.
        numbered: so many of them at the beginning are a running number.
        answer_bytes: of the answer when nothing is refused; 0 when that is not known.
        line_s: least seconds question and answer take on a serial line; 0 where none is known.
    """

    what: str
    every_s: float | None = EACH_READ
    points: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    sent: bytes = b""
    numbered: int = 0
    answer_bytes: int = 0
    line_s: float = 0.0


@dataclass(frozen=True)
class Traffic:
    """What one device brings onto its wire.

    Attributes:
        protocol: for people.
        endpoint: host and port, device file, or path; "" never.
        promise: what is never sent.
        settings: of a serial line.
        is_shared: all devices of the site on this endpoint use one connection, and must agree on
            `protocol` and `settings`.
        is_listening: others call, or nothing is asked at all: no connection of ours is made.
        requests: in the order they are asked.
        gap_s: least seconds from an answer on the endpoint to the next question of anybody; 0: no
            cap is set.
        pause_s: least seconds from an answer of the device to the next question to it.
        notes: what else may be sent, and what the sums leave out; whole sentences.
    """

    protocol: str
    endpoint: str
    promise: str
    settings: str = ""
    is_shared: bool = False
    is_listening: bool = False
    requests: Sequence[Request] = ()
    gap_s: float = 0.0
    pause_s: float = 0.0
    notes: tuple[str, ...] = ()
