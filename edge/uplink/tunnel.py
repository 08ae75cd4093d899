"""A connection to the broker, through a proxy where there is one. I/O: blocking, one socket.

HTTP: CONNECT (RFC 9110, 9.3.6) with Basic credentials (RFC 7617). SOCKS5: RFC 1928, user and
password by RFC 1929. The proxy is given the broker's name as it stands in the url and looks it up;
nothing is looked up here but the proxy itself. What runs inside is TLS with the broker or, with
mqtt:// and ws://, nothing that the proxy could not read.
"""

import base64
import contextlib
import ipaddress
import re
import socket
import stat
import struct
import time
from http.client import responses
from pathlib import Path

from edge.route import Proxy, Route
from evidence.turns import Turns

HEAD_BYTES_MAX = 16 * 1024
LOGIN_BYTES_MAX = 512
_END = b"\r\n\r\n"
_STATUS = re.compile(rb"HTTP/1\.[01] ([2-5]\d\d)(?: [^\r\n]*)?\r\n")
#: statuses by which a proxy says that the broker, not the gateway, is the matter
_BEYOND = (500, 502, 503, 504)
_VERSION, _CONNECT, _NO_LOGIN, _LOGIN = 5, 1, 0, 2
_IPV4, _NAME, _IPV6 = 1, 3, 4
_ADDRESS_BYTES = {_IPV4: 4, _NAME: 0, _IPV6: 16}  # a name's length comes first
#: RFC 1928, 6: what the proxy says of the broker
_REPLIES = {
    1: "cannot connect", 3: "finds no way to its network", 4: "does not reach it",
    5: "was refused by it", 6: "gave up on the way",
}  # fmt: skip
LOOK = "look at host and port of the url, which the proxy looks up, and at the broker"
ALLOW = "have its people allow connections there"


class ProxyError(OSError):
    """The proxy does not lead to the broker.

    Attributes:
        layer: which step fails, one of `edge.commissioning.findings.LAYERS`.
        at_broker: the proxy works, and does not reach the broker.
        sentence: what happened.
        todo: what to do.
    """

    def __init__(self, layer: str, sentence: str, todo: str, *, at_broker: bool = False) -> None:
        super().__init__(f"{sentence}: {todo}")
        self.layer, self.sentence, self.todo, self.at_broker = layer, sentence, todo, at_broker


def connect(route: Route, timeout_s: float, turns: Turns | None = None) -> socket.socket:
    """A connection to the broker's port, before TLS and WebSocket.

    Args:
        route: the way.
        timeout_s: for each address of the broker, or of the proxy, whose answers have as long.
        turns: which of these addresses is tried first; where a proxy leads it says itself.

    Raises:
        ProxyError: the proxy does not answer, wants a login, forbids it, or finds no broker.
        OSError: without a proxy, the broker does not answer.
    """
    proxy, turns = route.proxy, turns or Turns()
    if proxy is None:
        return _reached(route.host, route.port, timeout_s, turns)
    name = f"the proxy {proxy.host}:{proxy.port}"
    login = login_of(proxy)
    try:
        opened = _reached(proxy.host, proxy.port, timeout_s, turns)
    except OSError as error:
        layer = "dns" if isinstance(error, socket.gaierror) else "tcp"
        raise ProxyError(
            layer, f"{name} does not answer ({error.strerror or error})",
            "look at proxy, and whether it runs",
        ) from error  # fmt: skip
    talk = _Talk(opened, name, time.monotonic() + timeout_s)
    try:
        if proxy.scheme == "http":
            judge_connect(talk.ask_http(connect_request(route, login)), name, route.place)
        else:
            _socks(talk, route, login)
    except BaseException:
        opened.close()
        raise
    opened.settimeout(timeout_s)
    return opened


def _reached(host: str, port: int, timeout_s: float, turns: Turns) -> socket.socket:
    found, failed = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), OSError()
    for family, kind, protocol, _, address in turns.of(found):
        made: socket.socket | None = None
        try:
            made = socket.socket(family, kind, protocol)  # a machine may have no IPv6 at all
            made.settimeout(timeout_s)
            made.connect(address)
        except OSError as error:
            if made is not None:
                made.close()
            failed = error
        else:
            return made
    raise failed


def login_of(proxy: Proxy) -> tuple[str, str] | None:
    """User and password, read anew at each connection; ProxyError when the file is no such thing.

    No character of it is ever repeated.
    """
    if proxy.login is None:
        return None
    path: Path = proxy.login
    try:
        with path.open("rb") as file:
            is_open, data = stat.S_IMODE(path.stat().st_mode) & 0o077, file.read(LOGIN_BYTES_MAX)
    except OSError as error:
        reason = f"{path} cannot be read: {error.strerror}"
        raise ProxyError("login", reason, "look at proxy_login") from error
    if is_open:
        raise ProxyError("login", f"{path} is open to others", f"run: chmod 600 {path}")
    user, colon, password = "", "", ""
    with contextlib.suppress(UnicodeDecodeError):
        user, colon, password = data.decode().strip("\r\n").partition(":")
    long = max(len(user.encode()), len(password.encode()))
    if not user or not colon or long > 255 or not (user + password).isprintable():
        reason = f"{path} is no login"
        raise ProxyError("login", reason, "write one line, user:password, at most 255 bytes each")
    return user, password


# -- HTTP -----------------------------------------------------------------------------------------


def connect_request(route: Route, login: tuple[str, str] | None) -> bytes:
    """What asks an HTTP proxy for a tunnel."""
    lines = [f"CONNECT {route.place} HTTP/1.1", f"Host: {route.place}"]
    if login is not None:
        basic = base64.b64encode(":".join(login).encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {basic}")
    return "\r\n".join([*lines, "", ""]).encode()


def judge_connect(head: bytes, name: str = "the proxy", place: str = "the broker") -> None:
    """ProxyError unless the answer opens the tunnel."""
    match = _STATUS.match(head)
    if match is None or not head.endswith(_END):
        raise ProxyError(
            "protocol", f"{name} is no HTTP proxy: it says {head[:16]!r}", "look at proxy"
        )
    status = int(match[1])
    said = f"{status} {responses.get(status, '')}".strip()  # its own words may repeat the login
    if status in (401, 407):  # tinyproxy says 401 of a login that is wrong
        raise ProxyError(
            "login", f"{name} does not take the login, or wants one ({said})",
            'write proxy_login = "file:…", one line "user:password"; only Basic is spoken',
        )  # fmt: skip
    if status in _BEYOND:
        raise ProxyError("tcp", f"{name} does not reach {place} ({said})", LOOK, at_broker=True)
    if status >= 300:
        raise ProxyError("permission", f"{name} does not lead to {place} ({said})", ALLOW)


# -- SOCKS5 ---------------------------------------------------------------------------------------


def _socks(talk: "_Talk", route: Route, login: tuple[str, str] | None) -> None:
    methods = [_NO_LOGIN] if login is None else [_NO_LOGIN, _LOGIN]
    chosen = judge_method(talk.ask(bytes([_VERSION, len(methods), *methods]), 2), talk.name)
    if chosen == _LOGIN and login is not None:
        user, password = (word.encode() for word in login)
        asked = bytes([1, len(user)]) + user + bytes([len(password)]) + password
        if talk.ask(asked, 2) != b"\x01\x00":
            raise ProxyError("login", f"{talk.name} does not take the login", "look at proxy_login")
    reply = talk.ask(socks_request(route), 4)
    length = judge_reply(reply, talk.name, route.place)
    # the address it connects from: of no use, and in the way
    talk.read(length or talk.read(1)[0])
    talk.read(2)


def socks_request(route: Route) -> bytes:
    """CONNECT to the broker, by name unless the url has an address."""
    try:
        address = ipaddress.ip_address(route.host)
    except ValueError:
        name = route.host.encode("idna") if not route.host.isascii() else route.host.encode()
        kind, where = _NAME, bytes([len(name)]) + name
    else:
        kind, where = (_IPV4 if address.version == 4 else _IPV6), address.packed
    return bytes([_VERSION, _CONNECT, 0, kind]) + where + struct.pack(">H", route.port)


def judge_method(answer: bytes, name: str = "the proxy") -> int:
    """The way of login it has chosen; ProxyError when there is none of ours."""
    if len(answer) != 2 or answer[0] != _VERSION:
        reason = f"{name} is no SOCKS5 proxy: it says {answer!r}"
        raise ProxyError("protocol", reason, "look at proxy")
    if answer[1] not in (_NO_LOGIN, _LOGIN):
        reason = f"{name} wants a login"
        raise ProxyError("login", reason, 'write proxy_login = "file:…", one line "user:password"')
    return answer[1]


def judge_reply(reply: bytes, name: str = "the proxy", place: str = "the broker") -> int:
    """Bytes of the address that follows, 0: its length comes first; ProxyError when it says no."""
    if len(reply) != 4 or reply[0] != _VERSION:
        raise ProxyError("protocol", f"{name} says {reply!r}", "look at proxy")
    code = reply[1]  # before the address, of which some give none when they say no
    if code in _REPLIES:
        reason = f"{name} {_REPLIES[code]}: {place} (code {code})"
        raise ProxyError("tcp", reason, LOOK, at_broker=True)
    if code:
        raise ProxyError("permission", f"{name} does not lead to {place} (code {code})", ALLOW)
    if (kind := reply[3]) not in _ADDRESS_BYTES:
        raise ProxyError("protocol", f"{name} says {reply!r}", "look at proxy")
    return _ADDRESS_BYTES[kind]


class _Talk:
    """Questions and answers of one connection, within its time."""

    def __init__(self, opened: socket.socket, name: str, ends_s: float) -> None:
        self._socket, self.name, self._ends_s = opened, name, ends_s

    def ask(self, question: bytes, count: int) -> bytes:
        """What it answers, so many bytes."""
        self._send(question)
        return self.read(count)

    def ask_http(self, question: bytes) -> bytes:
        """Its head; not a byte of what follows is taken."""
        self._send(question)
        head = b""
        while not head.endswith(_END) and len(head) < HEAD_BYTES_MAX:
            head += self.read(1)
        return head

    def read(self, count: int) -> bytes:
        """So many bytes, no more."""
        data = b""
        while len(data) < count:
            try:
                self._socket.settimeout(max(0.001, self._ends_s - time.monotonic()))
                more = self._socket.recv(count - len(data))
            except OSError as error:
                raise self._silent(error) from error
            if not more:
                raise ProxyError(
                    "protocol", f"{self.name} hangs up when asked for a tunnel",
                    "look at proxy, whether this gateway may use it, and at its log",
                )  # fmt: skip
            data += more
        return data

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise self._silent(error) from error

    def _silent(self, error: OSError) -> ProxyError:
        what = "says nothing in time" if isinstance(error, TimeoutError) else str(error.strerror)
        reason = f"{self.name} accepts, and {what}"
        return ProxyError("protocol", reason, "look at it: it may be overloaded, or no proxy")
