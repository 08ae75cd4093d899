"""A PostgreSQL server of tests whose every no has the password in it.

It wants the password as it is, lets the first session in and every second one, and refuses the
others and all questions. Wire protocol 3.0 as PostgreSQL's manual has it ("Message Formats").
"""

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_STARTUP, _NOBODY = 196608, 0
_IN_CLEAR, _IDLE = struct.pack(">I", 3), b"I"


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        while (code := self._take_up()) != _STARTUP:
            if code == _NOBODY:
                return
            self.wfile.write(b"N")  # neither TLS nor Kerberos
        self._say(b"R", _IN_CLEAR)
        _, given = self._message()
        password = given.rstrip(b"\0")
        server.heard.append(password.decode())
        if len(server.heard) % 2 == 0:
            self._refuse(b"FATAL", b"28P01", password)
            return
        self._say(b"R", bytes(4))
        self._say(b"Z", _IDLE)
        while (kind := self._message()[0]) not in (b"X", b""):
            if kind in b"QP":  # of an extended question all but its end is passed over
                self._refuse(b"ERROR", b"42501", password)
                server.refused += 1
            if kind in b"QS":
                self._say(b"Z", _IDLE)

    def _take_up(self) -> int:
        if len(head := self.rfile.read(8)) < 8:
            return _NOBODY
        length, code = struct.unpack(">II", head)
        self.rfile.read(length - 8)
        return int(code)

    def _message(self) -> tuple[bytes, bytes]:
        if not (kind := self.rfile.read(1)):
            return b"", b""
        (length,) = struct.unpack(">I", self.rfile.read(4))
        return kind, self.rfile.read(length - 4)

    def _say(self, kind: bytes, body: bytes) -> None:
        self.wfile.write(kind + struct.pack(">I", len(body) + 4) + body)

    def _refuse(self, severity: bytes, code: bytes, password: bytes) -> None:
        said = {b"S": severity, b"C": code, b"M": b"nobody is let do that with " + password}
        self._say(b"E", b"".join(key + text + b"\0" for key, text in said.items()) + b"\0")


@contextmanager
def parrot_database() -> Iterator[Any]:
    """The server on loopback: `server_address`, `heard` passwords, `refused` questions."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Session) as server:
        server.daemon_threads = True
        given: Any = server
        given.heard, given.refused = [], 0
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
