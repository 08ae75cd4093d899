"""Doors of commissioning: what a person types, and what a broker answers."""

from collections.abc import Callable
from functools import partial

from edge.commissioning.place_text import parse, parse_type
from edge.commissioning.record import parse_face
from edge.commissioning.scan_modbus import parse_units
from edge.uplink.hello import NotLetInError, read_answer
from tests.fuzz.doors import Call, Door, pure
from tests.fuzz.mutating import spoilt


def _typed(call: Callable[[str], object]) -> Call:
    return lambda data: call(data.decode("utf-8", "replace"))


DOORS: list[Door] = [
    pure("place in a device", _typed(parse), [b"holding:3000", b"43001", b"input:0x10"], spoilt,
         (ValueError,), "edge.commissioning.place_text.parse"),
    pure("Modbus type", _typed(partial(parse_type, "holding")), [b"f32", b"UINT16"],
         spoilt, (ValueError,), "edge.commissioning.place_text.parse_type"),
    pure("units to be scanned", _typed(parse_units), [b"1-32,100", b"7"], spoilt,
         (ValueError,), "edge.commissioning.scan_modbus.parse_units"),
    pure("face value", _typed(parse_face), [b"1234.5", b"-1e3"], spoilt,
         (ValueError,), "edge.commissioning.record.parse_face"),
    pure("answer of a broker", read_answer, [b"\x20\x02\x00\x00"], spoilt,
         (NotLetInError,), "edge.uplink.hello.read_answer"),
]  # fmt: skip
