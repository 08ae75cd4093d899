"""Asks a broker whether it lets us in: CONNECT, its answer, DISCONNECT; nothing else. I/O.

A client id of its own, no will, no subscription, nothing published: the agent's session stays as
it is. Only where the broker makes ids of certificates (mosquitto's `use_username_as_clientid`) the
agent's connection is taken over for a moment, and it comes back by itself: the doctor says nothing
here beside an agent whose objects come back.
MQTT 3.1.1, sections 3.1, 3.2 and 3.14; small enough to need no library, which would try again and
again in a thread of its own.
"""

import asyncio
import contextlib
import secrets
import ssl
import struct
from collections.abc import AsyncIterator

from edge.route import Route
from edge.uplink.tunnel import connect
from edge.uplink.websocket import (
    PONG,
    Frames,
    WebSocketError,
    frame,
    judge_upgrade,
    upgrade_request,
)

KEEPALIVE_S = 10
_LEVEL, _CLEAN_SESSION = 4, 0x02
_DISCONNECT = b"\xe0\x00"
_CONNACK = b"\x20\x02"
_CONNACK_BYTES, _READ_BYTES = 4, 1024

#: return codes of table 3.1
_REFUSALS = {
    1: "the broker does not speak MQTT 3.1.1",
    2: "the broker does not take this client id",
    3: "the broker is not available",
    4: "the broker does not accept user or password",
    5: "the broker does not let this client in",
}


class NotLetInError(Exception):
    """The broker does not take us, or is none; the sentence says why."""


def connect_packet(client_id: str) -> bytes:
    """CONNECT of a clean session without will, user or password."""
    name = client_id.encode()
    rest = b"\x00\x04MQTT" + struct.pack(">BBH", _LEVEL, _CLEAN_SESSION, KEEPALIVE_S)
    rest += struct.pack(">H", len(name)) + name
    if len(rest) > 127:
        raise ValueError("the client id is too long for a length of one byte")
    return bytes([0x10, len(rest)]) + rest


def read_answer(answer: bytes) -> None:
    """NotLetInError unless it is a CONNACK that lets us in."""
    if answer[:2] != _CONNACK or len(answer) != _CONNACK_BYTES:
        raise NotLetInError(f"what answers is no MQTT broker: it says {answer[:16]!r}")
    if code := answer[3]:
        raise NotLetInError(_REFUSALS.get(code, f"the broker refuses with code {code}"))


async def say_hello(
    route: Route, client_id: str, timeout_s: float, tls: ssl.SSLContext | None = None
) -> None:
    """Connect, through the proxy if there is one, be let in, and leave.

    Raises:
        NotLetInError: the broker refuses, hangs up, stays silent, or is none.
        ssl.SSLError: one of the two does not take the other's certificate; with TLS 1.3 the
            broker's no comes only after the handshake.
        ProxyError: the proxy does not lead there.
        OSError: nobody accepts.
    """
    try:
        async with (
            opened(route, timeout_s, tls) as (reader, writer),
            asyncio.timeout(timeout_s),
        ):
            if route.path:
                key = secrets.token_bytes(16)
                writer.write(upgrade_request(route, key))
                judge_upgrade(await reader.readuntil(b"\r\n\r\n"), key)
            writer.write(_packed(connect_packet(client_id), route))
            read_answer(await _answer(reader, writer, route))
            writer.write(_packed(_DISCONNECT, route))
            await writer.drain()
    except TimeoutError:
        raise NotLetInError(f"accepts, and says nothing within {timeout_s:g} s") from None
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise NotLetInError("accepts, and hangs up on an MQTT CONNECT") from None
    except WebSocketError as error:
        raise NotLetInError(str(error)) from None


@contextlib.asynccontextmanager
async def opened(
    route: Route, timeout_s: float, tls: ssl.SSLContext | None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the broker, TLS done; errors as above."""
    plain = await asyncio.to_thread(connect, route, timeout_s)
    try:
        plain.setblocking(False)
        name = None if tls is None else route.host
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(
                sock=plain, ssl=tls, server_hostname=name
            )
    except BaseException:
        plain.close()
        raise
    try:
        yield reader, writer
    finally:
        writer.close()
        if tls is not None:
            with contextlib.suppress(OSError):  # said already by what was read
                await writer.wait_closed()


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, route: Route
) -> bytes:
    """As many bytes as a CONNACK has; a WebSocket brings them in any pieces, pings between."""
    if not route.path:
        return await reader.readexactly(_CONNACK_BYTES)
    frames, brought = Frames(), b""
    while len(brought) < _CONNACK_BYTES:
        data = b"" if frames.is_closed else await reader.read(_READ_BYTES)
        if not data:
            raise asyncio.IncompleteReadError(brought, _CONNACK_BYTES)
        brought += frames.take(data)
        if frames.pings:  # the newest is enough (RFC 6455, 5.5.3)
            writer.write(frame(frames.pings[-1], secrets.token_bytes(4), PONG))
            frames.pings.clear()
            await writer.drain()
    return brought[:_CONNACK_BYTES]


def _packed(packet: bytes, route: Route) -> bytes:
    return frame(packet, secrets.token_bytes(4)) if route.path else packet
