"""Asks a collector over HTTP: checkpoint, proof, and a cosigned note to log. Blocking network I/O.

http.client knows no proxy and follows no redirect: nobody else is to get the token.
"""

import http.client
import json
import socket
import ssl
import threading
import urllib.parse
from contextlib import ExitStack, suppress
from typing import Any

from evidence.checkpoint import TEXT_BYTES_MAX
from evidence.receipt import PATH_MAX
from witness.config import Watched
from witness.errors import NotAskedError

#: seconds for a step, and for a whole answer
STEP_S, WHOLE_S = 15.0, 60.0
ANSWER_BYTES_MAX = 64 * 1024
_HOME = ("127.0.0.1", "localhost", "::1")


class Collector:
    """One collector, asked with the witness's token."""

    def __init__(self, watched: Watched) -> None:
        """NotAskedError where its address is none, or the token would go without TLS."""
        self._watched = watched
        try:
            self._at = urllib.parse.urlsplit(watched.url)
            host, _ = self._at.hostname, self._at.port
        except ValueError as error:
            raise NotAskedError(f"{watched.url!r} is no address: {error}") from error
        is_private = self._at.scheme == "https" or host in _HOME
        if self._at.scheme not in ("http", "https") or not host or not is_private:
            raise NotAskedError(f"{watched.url!r}: write an https:// address; the token is secret")

    def checkpoint(self, plant: str) -> str:
        """The newest signed note of a plant's log, as it came."""
        data = self._ask(f"plants/{plant}/log/checkpoint", most=TEXT_BYTES_MAX)
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise self._no("its checkpoint is not UTF-8") from error

    def consistency(self, plant: str, old: int, new: int) -> list[bytes]:
        """The collector's proof that the log of `old` entries continues to `new`."""
        told = self._json(f"plants/{plant}/log/proof/consistency?from={old}&to={new}")
        path = told.get("path")
        if not isinstance(path, list) or not all(isinstance(one, str) for one in path):
            raise self._no("its proof is none")
        try:
            found = [bytes.fromhex(one) for one in path]
        except ValueError as error:
            raise self._no("its proof is none") from error
        if len(found) > PATH_MAX:
            raise self._no("its proof is too long")
        return found

    def log(self, plant: str, document: str) -> int:
        """Have a signed document, base64, logged; the index of its entry."""
        body = json.dumps({"document": document, "files": []}).encode()
        index = self._json(f"plants/{plant}/documents", body).get("index")
        if type(index) is not int:
            raise self._no("it does not say where it logged the cosigned note")
        return index

    def _json(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        try:
            told = json.loads(self._ask(path, body))
        except (ValueError, RecursionError) as error:
            raise self._no("it answers no JSON: is it a collector?") from error
        if not isinstance(told, dict):
            raise self._no("it answers another JSON: is it a collector?")
        return told

    def _no(self, why: str) -> NotAskedError:
        return NotAskedError(f"{self._watched.url}: {why}")

    def _ask(self, path: str, body: bytes | None = None, most: int = ANSWER_BYTES_MAX) -> bytes:
        connection = self._connection()
        headers = {"Authorization": f"Bearer {self._watched.token}", "Connection": "close"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        target = f"{self._at.path}/api/v1/{path}"
        try:
            with ExitStack() as held:
                held.callback(connection.close)
                connection.connect()
                held.callback(connection.sock.close)
                # a server that sends a byte before each step's end would hold it for ever
                end = threading.Timer(WHOLE_S, _cut, [connection.sock])
                end.daemon = True
                end.start()
                held.callback(end.cancel)
                connection.request("GET" if body is None else "POST", target, body, headers)
                answer = held.enter_context(connection.getresponse())
                data = answer.read(most + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._no(f"it does not answer: {self._said(error)}") from error
        if len(data) > most:
            raise NotAskedError(f"{self._watched.url}/…/{path}: more than {most} bytes")
        if answer.status != http.HTTPStatus.OK:
            raise NotAskedError(
                f"{self._watched.url} refuses {path}: {self._refusal(answer, data)}"
            )
        return data

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._at.hostname or "", self._at.port
        if self._at.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=STEP_S)
        try:
            context = ssl.create_default_context(cafile=self._watched.ca)
        except OSError as error:
            raise NotAskedError(f"ca {self._watched.ca}: {error}") from error
        return http.client.HTTPSConnection(host, port, timeout=STEP_S, context=context)

    def _refusal(self, answer: http.client.HTTPResponse, data: bytes) -> str:
        detail = None
        with suppress(ValueError, RecursionError):
            told = json.loads(data)
            detail = told.get("detail") if isinstance(told, dict) else None
        return self._said(detail if isinstance(detail, str) else f"{answer.status} {answer.reason}")

    def _said(self, said: object) -> str:
        """Answer of the collector for logs, without the token."""
        return str(said).replace(self._watched.token, "…")[:400]


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):  # it has ended by itself
        connection.shutdown(socket.SHUT_RDWR)
