"""MQTT's bytes in a WebSocket, a client's side (RFC 6455; MQTT 3.1.1, 6). Pure.

paho has a WebSocket of its own, and it is not used: a packet that the system takes only a part of
(any on a slow link) is lost in it, and what it said last stays unsent (paho-mqtt 2.2.0,
`_packet_write` and `_WebsocketWrapper._send_impl`).
"""

import base64
import hashlib
import re
import struct

from edge.route import Route

MESSAGE_BYTES_MAX = 4 * 1024 * 1024  # nothing that comes down is a tenth of it
HEAD_BYTES_MAX = 16 * 1024
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_STATUS = re.compile(rb"HTTP/1\.[01] (\d\d\d)(?: ([ -~]{0,80}))?[^\r\n]*\r\n")
_ACCEPT = b"sec-websocket-accept"
_FINAL, _MASKED = 0x80, 0x80
_MORE, BINARY, CLOSE, PING, PONG = 0, 2, 8, 9, 10


class WebSocketError(ConnectionError):
    """What answers speaks no MQTT over WebSocket there; the sentence says why."""


def upgrade_request(route: Route, key: bytes) -> bytes:
    """What asks for a WebSocket that carries MQTT; `key` of 16 random bytes."""
    return (
        f"GET {route.path} HTTP/1.1\r\nHost: {route.place}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {base64.b64encode(key).decode()}\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
    ).encode()


def judge_upgrade(head: bytes, key: bytes) -> None:
    """WebSocketError unless the answer's head opens the WebSocket."""
    match = _STATUS.match(head)
    if match is None:
        raise WebSocketError(f"what answers speaks no HTTP: it says {head[:16]!r}")
    if match[1] != b"101":
        said = b" ".join(part for part in match.groups() if part).decode()
        raise WebSocketError(f"no WebSocket there: {said}. The path in the url may be another")
    digest = hashlib.sha1(base64.b64encode(key) + _GUID, usedforsecurity=False).digest()
    fields = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
    proofs = [value.strip() for name, _, value in fields if name.lower() == _ACCEPT]
    if proofs != [base64.b64encode(digest)]:
        raise WebSocketError("something on the way answers in place of the broker: a wrong proof")


def frame(payload: bytes, mask: bytes, opcode: int = BINARY) -> bytes:
    """One frame of a client; `mask` of 4 random bytes."""
    length = len(payload)
    if length < 126:
        head = struct.pack(">BB", _FINAL | opcode, _MASKED | length)
    elif length < 1 << 16:
        head = struct.pack(">BBH", _FINAL | opcode, _MASKED | 126, length)
    else:
        head = struct.pack(">BBQ", _FINAL | opcode, _MASKED | 127, length)
    pad = (mask * (length // 4 + 1))[:length]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")
    return head + mask + masked.to_bytes(length, "big")


class Frames:
    """Takes a broker's frames apart, however they come.

    Attributes:
        pings: what is to be answered by a PONG of the same bytes.
        is_closed: the broker has said goodbye.
    """

    def __init__(self) -> None:
        self._raw = bytearray()
        self.pings: list[bytes] = []
        self.is_closed = False

    def take(self, data: bytes) -> bytes:
        """What these bytes bring of MQTT; WebSocketError for what no broker may send."""
        self._raw += data
        brought = bytearray()
        while not self.is_closed and (found := self._next()) is not None:
            opcode, payload = found
            if opcode in (BINARY, _MORE):
                brought += payload
            elif opcode == PING:
                self.pings.append(payload)
            elif opcode == CLOSE:
                self.is_closed = True
            elif opcode != PONG:
                raise WebSocketError(f"the broker sends a WebSocket frame of kind {opcode}")
        return bytes(brought)

    def _next(self) -> tuple[int, bytes] | None:
        """Opcode and payload of the next whole frame; None while there is none."""
        if len(self._raw) < 2:
            return None
        opcode, length, begin = self._raw[0] & 0x0F, self._raw[1] & 0x7F, 2
        if self._raw[0] & 0x70 or self._raw[1] & _MASKED:
            raise WebSocketError("the broker sends a WebSocket frame that no server may send")
        if length > 125:
            form = ">H" if length == 126 else ">Q"
            begin += struct.calcsize(form)
            if len(self._raw) < begin:
                return None
            (length,) = struct.unpack_from(form, self._raw, 2)
        if length > (125 if opcode >= CLOSE else MESSAGE_BYTES_MAX):
            raise WebSocketError(f"the broker sends a WebSocket frame of {length} bytes")
        if len(self._raw) < begin + length:
            return None
        payload = bytes(self._raw[begin : begin + length])
        del self._raw[: begin + length]
        return opcode, payload
