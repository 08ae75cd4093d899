"""The bytes of an MQTT 3.1.1 hello, against the standard's own figures."""

import asyncio
import base64
import contextlib
import hashlib
import socket
import threading

import pytest

from edge.route import Proxy, Route
from edge.uplink import mqtt
from edge.uplink.hello import NotLetInError, connect_packet, read_answer, say_hello
from edge.uplink.tunnel import connect
from evidence.turns import Turns
from tests.ports import free_port, gone_round, two_addresses
from tests.tcp_server import TcpServer
from tests.waiting import ENOUGH_S


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


def test_a_proxy_that_is_silent_at_one_address_is_reached_at_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first address took all the time there was, and the answer of the second was too late."""
    port = free_port()
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{n}", port)) for n in (2, 3)]
    asked: list[bytes] = []
    with contextlib.ExitStack() as stack:
        deaf, proxy = (
            stack.enter_context(socket.create_server(row[-1], backlog=backlog))
            for row, backlog in zip(rows, (0, 9), strict=True)
        )
        for _ in range(3):  # more than wait to be accepted: who comes then is not answered
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(deaf.getsockname())

        def answer() -> None:
            for _ in range(2):
                client = stack.enter_context(proxy.accept()[0])
                asked.append(client.recv(1024).split(b"\r\n")[0])
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        answering = threading.Thread(target=answer, daemon=True)
        answering.start()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **_more: rows)
        route, turns = Route.of("mqtt://broker:1883", Proxy.of(f"http://proxy:{port}")), Turns()
        for _ in range(2):
            with connect(route, 1.0, turns) as connection:
                assert connection.getpeername()[0] == "127.0.0.3"
        answering.join(ENOUGH_S)
    assert asked == [b"CONNECT broker:1883 HTTP/1.1"] * 2


def test_a_client_that_has_ended_leaves_no_socket() -> None:
    """Paho's own pair was to be collected: a warning in whatever ran by then."""
    client = mqtt._Client(Route.of("mqtt://127.0.0.1:9"), "id", str)
    client.connect_async("127.0.0.1", 9)
    client.loop_start()
    pair = client._sockpairR, client._sockpairW
    client.disconnect()
    client.loop_stop()
    assert [None if one is None else one.fileno() for one in pair] == [-1, -1]
