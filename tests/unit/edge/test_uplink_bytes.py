"""What is said to proxies and WebSockets, against the RFCs' own figures."""

import os
import socket
import threading
from pathlib import Path

import pytest

from edge.route import Proxy, Route
from edge.uplink.tunnel import (
    ProxyError,
    connect_request,
    judge_connect,
    judge_method,
    judge_reply,
    login_of,
    socks_request,
)
from edge.uplink.websocket import BINARY, Frames, WebSocketError, frame, judge_upgrade
from edge.uplink.websocket_stream import WebSocketStream

# RFC 6455, 1.3: of the key dGhlIHNhbXBsZSBub25jZQ==
KEY = b"the sample nonce"
UPGRADED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


def test_http_connect() -> None:
    # RFC 9110, 9.3.6 has the form; RFC 7617, 2 the login
    said = connect_request(Route.of("wss://broker.example"), ("Aladdin", "open sesame"))
    assert said.split(b"\r\n") == [
        b"CONNECT broker.example:443 HTTP/1.1", b"Host: broker.example:443",
        b"Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", b"", b"",
    ]  # fmt: skip
    judge_connect(b"HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        # RFC 1928, 4: version, CONNECT, 0, address type, address, port
        ("mqtts://broker.example", "05 01 00 03 0e 62726f6b65722e6578616d706c65 22b3"),
        ("ws://10.1.2.3", "05 01 00 01 0a010203 0050"),
        ("mqtt://[fd00::2]:1883", "05 01 00 04 fd000000000000000000000000000002 075b"),
    ],
)
def test_socks_connect(url: str, says: str) -> None:
    assert socks_request(Route.of(url)) == bytes.fromhex(says)
    assert judge_method(b"\x05\x00") == 0
    assert [judge_reply(bytes([5, 0, 0, kind])) for kind in (1, 3, 4)] == [4, 0, 16]


@pytest.mark.parametrize(
    ("reply", "layer", "at_broker"),
    # RFC 1928, 6
    [("05 02 00 01", "permission", False), ("05 04 00 01", "tcp", True),
     ("05 05 00 00", "tcp", True),  # no address, as some say it
     ("05 07 00 01", "permission", False), ("05 00 00 02", "protocol", False),
     ("04 00 00 01", "protocol", False)],
)  # fmt: skip
def test_what_a_socks_proxy_refuses(reply: str, layer: str, at_broker: bool) -> None:
    with pytest.raises(ProxyError) as caught:
        judge_reply(bytes.fromhex(reply))
    assert (caught.value.layer, caught.value.at_broker) == (layer, at_broker)


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [("me:secret", 0o644, "chmod 600"), ("secret", 0o600, "one line"),
     (":secret", 0o600, "one line"), ("me:sec\tret", 0o600, "one line")],
)  # fmt: skip
def test_a_login_that_is_none(tmp_path: Path, text: str, mode: int, says: str) -> None:
    path = tmp_path / "login"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(ProxyError, match=says) as caught:
        login_of(Proxy.of("http://h", path))
    assert "sec" not in str(caught.value).replace(str(path), "")
    with pytest.raises(ProxyError, match="cannot be read"):
        login_of(Proxy.of("http://h", tmp_path / "none"))


def test_what_a_proxy_says_back_is_not_told() -> None:
    with pytest.raises(ProxyError, match=r"wants one \(407 Proxy Authentication Required\)") as no:
        judge_connect(b"HTTP/1.1 407 Proxy-Authorization: Basic QWxhZGRpbg\r\n\r\n")
    assert "QWx" not in str(no.value)
    with pytest.raises(ProxyError, match=r"\(499\)"):
        judge_connect(b"HTTP/1.1 499\r\n\r\n")


def test_websocket_bytes() -> None:
    judge_upgrade(UPGRADED, KEY)
    # RFC 6455, 5.7: a masked "Hello", there as text
    hello = bytes.fromhex("82 85 37fa213d 7f9f4d5158")
    assert frame(b"Hello", bytes.fromhex("37fa213d")) == hello
    frames = Frames()
    sent = [b"Hello", b"x" * 256, b"y" * 65_536]  # the lengths of 5.7
    heads = [b"\x82\x05", b"\x82\x7e\x01\x00", b"\x82\x7f" + (65_536).to_bytes(8, "big")]
    whole = b"\x89\x05Hello".join(h + d for h, d in zip(heads, sent, strict=True)) + b"\x88\x00x"
    came = b"".join(frames.take(whole[at : at + 7]) for at in range(0, len(whole), 7))
    assert came == b"".join(sent)
    assert (frames.pings, frames.is_closed) == ([b"Hello", b"Hello"], True)


@pytest.mark.parametrize("data", ["8285000000000000", "c200", "8104", "897e0100", "827fffffffffff"])
def test_frames_that_no_broker_may_send(data: str) -> None:
    with pytest.raises(WebSocketError):
        Frames().take(bytes.fromhex(data) + bytes(8))


@pytest.mark.parametrize(
    "head",
    [b"SSH-2.0\r\n\r\n", b"HTTP/1.1 404 No\r\n\r\n", b"HTTP/1.1 101 x\r\n\r\n",
     UPGRADED.replace(b"s3p", b"S3p")],
)  # fmt: skip
def test_an_upgrade_that_is_none(head: bytes) -> None:
    with pytest.raises(WebSocketError):
        judge_upgrade(head, KEY)


def test_an_old_proxys_no_is_repeated() -> None:
    with pytest.raises(WebSocketError, match="503 Busy"):
        judge_upgrade(b"HTTP/1.0 503 Busy\r\n\r\n", KEY)


def test_an_answer_byte_by_byte_ends_in_time() -> None:
    """Each byte within the time, never all of them: the agent could not even be stopped."""
    near, far = socket.socketpair()
    with near, far:
        over = threading.Event()

        def drip() -> None:
            for _ in range(100):
                far.send(b"H")
                if over.wait(0.05):
                    return
            far.close()

        dripping = threading.Thread(target=drip)
        dripping.start()
        with pytest.raises(TimeoutError):
            WebSocketStream(near, Route.of("ws://h"), 0.2)
        over.set()
        dripping.join()


def test_pings_of_a_broker_that_takes_nothing_do_not_pile_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("secrets.token_bytes", lambda n: KEY[:n])
    near, far = socket.socketpair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with near, far:
        far.sendall(UPGRADED)
        stream = WebSocketStream(near, Route.of("ws://h"), 5)
        stream.setblocking(False)
        for _ in range(1_000):
            far.sendall(b"\x89\x7d" + bytes(125))
            with pytest.raises(BlockingIOError):
                stream.recv(1)
        assert len(stream._leaving) < 40_000


def test_a_packet_leaves_whole_through_a_socket_that_takes_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What paho's own WebSocket loses; a ping comes in the middle of it."""
    monkeypatch.setattr("secrets.token_bytes", lambda n: KEY[:n])
    near, far = socket.socketpair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with near, far:
        far.sendall(UPGRADED)
        stream = WebSocketStream(near, Route.of("ws://h"), 5)
        stream.setblocking(False)
        data, at, came = os.urandom(300_000), 0, bytearray()

        def listen() -> None:
            while len(came) < 300_000:
                came.extend(far.recv(1000))

        far.sendall(b"\x89\x02hi" + b"\x82\x03abc")
        listener = threading.Thread(target=listen)
        listener.start()
        while at < len(data):
            try:
                at += stream.send(data[at:])
            except BlockingIOError:
                if stream.pending() == 0 and at < 100_000:
                    stream.recv(1)
        listener.join()
    raw = bytes(came[came.index(b"\r\n\r\n") + 4 :])
    assert raw[0] == 0x80 | BINARY
    assert _unmasked(raw)[: len(data) - 30_000] == data[: len(data) - 30_000]


def _unmasked(raw: bytes) -> bytes:
    """Payloads of data frames, each of a length of 16 bits but the last, and of pongs none."""
    found = b""
    while len(raw) > 8:
        length, begin = raw[1] & 0x7F, 2
        if length == 126:
            length, begin = int.from_bytes(raw[2:4], "big"), 4
        mask, part = raw[begin : begin + 4], raw[begin + 4 : begin + 4 + length]
        if raw[0] & 0x0F == BINARY:
            found += bytes(b ^ mask[n % 4] for n, b in enumerate(part))
        raw = raw[begin + 4 + length :]
    return found
