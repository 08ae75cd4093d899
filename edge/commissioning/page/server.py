"""The commissioning page's web server: loopback only, few threads, small requests. I/O: sockets."""

import contextlib
import ipaddress
import logging
import threading
import traceback
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socket import AF_INET6, socket
from typing import Any

from edge.commissioning.page.answers import Answer, done, shown
from edge.commissioning.page.request import (
    FORM_BYTES_MAX,
    HEADERS,
    POLICY,
    UnaskableError,
    is_ours,
    parse_form,
    parse_path,
)
from edge.commissioning.page.session import Session
from edge.errors import EdgeError
from edge.seats import AT_ONCE_MAX, Seated
from evidence.errors import EvidenceError

IDLE_S = 10.0
STATIC = {"page.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}

log = logging.getLogger("stackproof.edge")


class PageServer(Seated, HTTPServer):
    """The page's, for one person."""

    request_queue_size = 2 * AT_ONCE_MAX

    def __init__(self, address: tuple[str, int], session: Session, token: str) -> None:
        self.session, self.token = session, token
        if ":" in address[0]:
            self.address_family = AF_INET6
        super().__init__(address, _Handler)

    @property
    def url(self) -> str:
        """The address to open, token included."""
        host, port = self.server_address[:2]
        named = f"[{host!s}]" if ":" in str(host) else str(host)
        return f"http://{named}:{port}/{self.token}/"

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:  # noqa: ANN401 - as the library has it
        """A browser that went away is no news; anything else is ours, and goes into the log."""
        log.debug("connection of %s ended", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    """One request a connection (HTTP/1.0 answers)."""

    server: PageServer
    timeout = IDLE_S

    def do_GET(self) -> None:
        """Pages, the record, and two static files."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """What forms send."""
        self._answer(self._post)

    def version_string(self) -> str:
        """Nobody needs to know more."""
        return "stackproof"

    def log_message(self, format: str, *args: object) -> None:
        """The token stands in every address: none is written anywhere."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """A plain sentence, for what the library refuses itself too."""
        self._send(_plain(code, explain or message or HTTPStatus(code).phrase))

    def _answer(self, what: Any) -> None:  # noqa: ANN401 - a bound method
        if not is_ours(self.headers.get("Host"), self.headers.get("Origin")):
            self._send(_plain(403, "open the address that the command has printed"))
            return
        try:
            answer = what()
        except UnaskableError as error:
            answer = _plain(404, str(error))
        except (EdgeError, EvidenceError, OSError) as error:
            answer = _plain(500, str(error))
        except Exception:  # noqa: BLE001 - a defect: told to whoever runs the command
            traceback.print_exc()
            answer = _plain(500, "this is a defect of the program: see what the command printed")
        self._send(answer)

    def _get(self) -> Answer:
        if self.path.startswith("/static/"):
            return _static(self.path.removeprefix("/static/"))
        if self.path == "/favicon.ico":
            return Answer(204)  # the record names no icon, and browsers ask
        server = self.server
        return shown(server.session, server.token, parse_path(self.path, server.token))

    def _post(self) -> Answer:
        server, asked = self.server, parse_path(self.path, self.server.token)
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal() and len(length) < 6):
            return _plain(411, "a form has a length")
        if int(length) > FORM_BYTES_MAX:
            return _plain(413, "form too long")
        form = parse_form(self.rfile.read(int(length)))
        return done(server.session, server.token, asked, form)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in {**HEADERS, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)


@contextlib.contextmanager
def serving(session: Session, host: str, port: int, token: str) -> Iterator[PageServer]:
    """A server that answers from here on, in a thread, until the end of the block.

    Raises:
        EdgeError: host is not this machine's own, or the port is taken.
    """
    if not ipaddress.ip_address(host).is_loopback:
        raise EdgeError(f"{host} is no loopback address: the page is for this machine alone")
    try:
        server = PageServer((host, port), session, token)
    except OSError as error:
        raise EdgeError(f"{host} port {port}: {error.strerror}; name another: --listen") from error
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        session.end.set()
        server.shutdown()
        server.server_close()
        thread.join()


@cache
def _static_bytes(name: str) -> bytes:
    return (Path(__file__).with_name("static") / name).read_bytes()


def _static(name: str) -> Answer:
    if name not in STATIC:
        raise UnaskableError("no such file")
    return Answer(200, _static_bytes(name), {"Content-Type": STATIC[name]})


def _plain(status: int, sentence: str) -> Answer:
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Security-Policy": POLICY.format(style="'none'"),
    }
    return Answer(status, f"{sentence}\n".encode(), headers)
