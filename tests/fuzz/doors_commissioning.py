"""Doors of commissioning: what a person types, and what a broker answers."""

from collections.abc import Callable
from functools import partial

from edge.commissioning.page.request import UnaskableError, parse_form, parse_path
from edge.commissioning.place_text import parse, parse_type
from edge.commissioning.record import parse_face, parse_tolerance
from edge.commissioning.scan_modbus import parse_units
from edge.uplink.hello import NotLetInError, read_answer
from edge.uplink.tunnel import ProxyError, judge_connect, judge_method, judge_reply
from edge.uplink.websocket import Frames, WebSocketError, judge_upgrade
from tests.fuzz.doors import Call, Door, pure
from tests.fuzz.mutating import spoilt
from tests.unit.edge.test_uplink_bytes import KEY, UPGRADED


def _typed(call: Callable[[str], object]) -> Call:
    return lambda data: call(data.decode("utf-8", "replace"))


DOORS: list[Door] = [
    pure("place in a device", _typed(parse), [b"holding:3000", b"43001", b"input:0x10"], spoilt,
         (ValueError,), "edge.commissioning.place_text.parse"),
    pure("Modbus type", _typed(partial(parse_type, "holding")), [b"f32", b"UINT16"],
         spoilt, (ValueError,), "edge.commissioning.place_text.parse_type"),
    pure("units to be scanned", _typed(parse_units), [b"1-32,100", b"7"], spoilt,
         (ValueError,), "edge.commissioning.scan_modbus.parse_units"),
    pure("face value", _typed(parse_face), [b"1234.5", b"-1000"], spoilt,
         (ValueError,), "edge.commissioning.record.parse_face"),
    pure("tolerance", _typed(parse_tolerance), [b"0.5", b""], spoilt,
         (ValueError,), "edge.commissioning.record.parse_tolerance"),
    pure("form of the commissioning page", parse_form, [b"face=8010&by=Li+Wei&beside=yes"],
         spoilt, (UnaskableError,), "edge.commissioning.page.request.parse_form"),
    pure("address of the commissioning page", _typed(lambda text: parse_path(text, "T")),
         [b"/T/zh/point/ac-1.power", b"/T/"], spoilt, (UnaskableError,),
         "edge.commissioning.page.request.parse_path"),
    pure("answer of a broker", read_answer, [b"\x20\x02\x00\x00"], spoilt,
         (NotLetInError,), "edge.uplink.hello.read_answer"),
    pure("answer of an HTTP proxy", judge_connect, [b"HTTP/1.1 200 Fine\r\n\r\n"], spoilt,
         (ProxyError,), "edge.uplink.tunnel.judge_connect"),
    pure("method of a SOCKS proxy", judge_method, [b"\x05\x02"], spoilt,
         (ProxyError,), "edge.uplink.tunnel.judge_method"),
    pure("reply of a SOCKS proxy", judge_reply, [b"\x05\x00\x00\x03"], spoilt,
         (ProxyError,), "edge.uplink.tunnel.judge_reply"),
    pure("answer to an upgrade", partial(judge_upgrade, key=KEY), [UPGRADED], spoilt,
         (WebSocketError,), "edge.uplink.websocket.judge_upgrade"),
    pure("frames of a WebSocket", lambda data: Frames().take(data),
         [b"\x82\x02hi\x89\x00\x82\x7e\x00\x80" + bytes(128)], spoilt, (WebSocketError,),
         "edge.uplink.websocket.Frames.take"),
]  # fmt: skip
