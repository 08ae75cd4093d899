"""The bytes of an MQTT 3.1.1 hello, against the standard's own figures."""

import asyncio
import base64
import hashlib

import pytest

from edge.route import Route
from edge.uplink import mqtt
from edge.uplink.hello import NotLetInError, connect_packet, read_answer, say_hello
from tests.ports import gone_round, two_addresses
from tests.tcp_server import TcpServer


def test_the_connect_packet() -> None:
    # figures 3.2 to 3.6: protocol name, level 4, flags, keep alive, client identifier
    assert connect_packet("ab") == bytes.fromhex("10 0e 0004 4d515454 04 02 000a 0002 6162")


def test_a_client_id_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match="too long"):
        connect_packet("x" * 200)


def test_let_in() -> None:
    read_answer(bytes.fromhex("20020000"))


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("20020005", "does not let this client in"),
        ("20020004", "does not accept user or password"),
        ("20020002", "does not take this client id"),
        ("20020009", "refuses with code 9"),
        ("48545450", "no MQTT broker: it says b'HTTP'"),
    ],
)
def test_not_let_in(answer: str, sentence: str) -> None:
    with pytest.raises(NotLetInError, match=sentence):
        read_answer(bytes.fromhex(answer))


GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


class Chatty(TcpServer):
    """A broker whose WebSocket says what it is told to, before anybody is let in (RFC 6455, 5)."""

    def __init__(self, says: str) -> None:
        super().__init__()
        self.says, self.heard = bytes.fromhex(says), b""
        self.is_over = asyncio.Event()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        key = head.partition(b"Sec-WebSocket-Key: ")[2].split(b"\r\n")[0]
        proof = hashlib.sha1(key + GUID, usedforsecurity=False).digest()
        writer.write(b"HTTP/1.1 101 Yes\r\nSec-WebSocket-Accept: " + base64.b64encode(proof))
        writer.write(b"\r\n\r\n" + self.says)
        while head := await reader.read(2):  # of a client's short frame; a mask of four follows
            self.heard += head[:1]
            await reader.readexactly(4 + (head[1] & 0x7F))
        self.is_over.set()


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        ("8204 20020000", ""),
        ("8902 6869 8204 20020000", ""),  # a ping before it
        ("0202 2002 8900 8002 0000", ""),  # in two fragments, a ping between
        ("8900 8204 20020005", "does not let this client in"),
        ("8900 8800", "hangs up"),
        ("8204 48545450", "no MQTT broker"),
        ("c204 20020000", "no server may send"),
    ],
)
async def test_what_a_websocket_brings_before_and_between(says: str, sentence: str) -> None:
    async with Chatty(says) as broker:
        route = Route.of(f"ws://127.0.0.1:{broker.port}/mqtt")
        if sentence:
            with pytest.raises(NotLetInError, match=sentence):
                await say_hello(route, "ab", 5)
            return
        await say_hello(route, "ab", 5)
        await broker.is_over.wait()
    assert (b"\x8a" in broker.heard) is ("89" in says), "each ping is answered"
    assert broker.heard.replace(b"\x8a", b"") == b"\x82\x82", "CONNECT, DISCONNECT"


def test_each_connection_begins_with_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that was cut off from its cluster held the agent, though two others worked."""
    with two_addresses(monkeypatch) as made:
        port = made["127.0.0.2"].getsockname()[1]
        client = mqtt._Client(Route.of(f"mqtt://cluster:{port}"), "id", str)
        gone_round(client._create_socket_connection, made)


def test_a_client_that_has_ended_leaves_no_socket() -> None:
    """Paho's own pair was to be collected: a warning in whatever ran by then."""
    client = mqtt._Client(Route.of("mqtt://127.0.0.1:9"), "id", str)
    client.connect_async("127.0.0.1", 9)
    client.loop_start()
    pair = client._sockpairR, client._sockpairW
    client.disconnect()
    client.loop_stop()
    assert [None if one is None else one.fileno() for one in pair] == [-1, -1]
