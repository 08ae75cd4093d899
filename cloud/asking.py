"""Asks the running collector over HTTP, with the token it leaves in its state folder.

For commands on the collector's own machine, and for whoever was given a token. No printing here.
"""

import http.client
import json
import ssl
import time
import urllib.error
import urllib.parse
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from cloud.answers import TimedAnswer, TimedHttp, TimedHttps, in_bounds
from cloud.config import read_state_dir
from cloud.errors import NotRunningError, RefusedError
from evidence.support import without_secrets

#: seconds for a step, and for the whole answer
ANSWER_S, WHOLE_S = 10.0, 60.0
ANSWER_BYTES_MAX = 64 * 1024 * 1024
#: of an answer that says no
SAID_BYTES_MAX = 64 * 1024


class RunningCollector:
    """The collector that runs with a CLOUD.toml."""

    _context: ssl.SSLContext | None

    def __init__(self, config: Path) -> None:
        """Find it.

        Raises:
            CloudConfigError: CLOUD.toml names no state folder.
            NotRunningError: nobody runs with it.
        """
        state, self._context = read_state_dir(config), None
        try:
            self._base = str(json.loads((state / "ready.json").read_text())["http"])
            self._token = (state / "api.token").read_text().strip()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NotRunningError(
                f"no collector runs with {config} (no readable {state / 'ready.json'}); start it "
                f"with: stackproof cloud run {config}"
            ) from error

    @property
    def base(self) -> str:
        """Its address on this machine."""
        return self._base

    @classmethod
    def at(cls, url: str, token: str, context: ssl.SSLContext | None = None) -> Self:
        """One that runs elsewhere, by its address and bearer token.

        Args:
            url: https, or http on this machine.
            token: of an account there.
            context: whom of https servers to believe; None for the system's authorities.

        Raises:
            RefusedError: the token would go over a network that others can listen to.
        """
        try:
            parts = urllib.parse.urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise RefusedError(f"{url!r} is no address: {error}") from error
        is_private = parts.scheme == "https" or host in ("127.0.0.1", "localhost", "::1")
        if parts.scheme not in ("http", "https") or not host or not is_private:
            raise RefusedError(
                f"{url!r} is no https:// address: to another machine the token goes with TLS only"
            )
        made = cls.__new__(cls)
        made._base, made._token, made._context = url.rstrip("/"), token, context
        return made

    def get(self, path: str, timeout_s: float = ANSWER_S) -> Any:  # noqa: ANN401 - whatever the API answers, as JSON
        """What a path of /api/v1 answers; errors as for `ask`."""
        return self.parsed(self.ask(path, timeout_s=timeout_s))

    def order(self, path: str, order: object, timeout_s: float = ANSWER_S) -> Any:  # noqa: ANN401 - JSON, whatever the API answers
        """POST an order as JSON; errors as for `ask`."""
        data = json.dumps(order).encode()
        return self.parsed(self.ask(path, data, "application/json", timeout_s=timeout_s))

    def send(self, path: str, chunks: Iterable[bytes], timeout_s: float) -> Any:  # noqa: ANN401 - JSON, whatever the API answers
        """POST bytes that are made while they are sent; errors as for `ask`.

        Args:
            path: below /api/v1.
            chunks: the bytes; one is held at a time.
            timeout_s: of each step, not of the whole.
        """
        return self.parsed(self.ask(path, chunks, "application/octet-stream", timeout_s=timeout_s))

    def parsed(self, answer: bytes) -> Any:  # noqa: ANN401 - JSON, whatever the API answers
        """An answer's JSON; NotRunningError where it is none."""
        try:
            return json.loads(answer)
        except (ValueError, RecursionError) as error:
            raise NotRunningError(
                f"what answers at {self._base} is no collector of this version; see what has its "
                "port, and start the collector again"
            ) from error

    def ask(
        self,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        content_type: str = "",
        timeout_s: float = ANSWER_S,
    ) -> bytes:
        """The answer's bytes; with a `body` it is a POST.

        Raises:
            NotRunningError: nobody answers.
            RefusedError: it says no.
        """
        # URLError is an OSError, and so is a time-out; an address that is none is a ValueError
        try:
            with self.reach(path, body, content_type, timeout_s) as answer:
                answer.until(time.monotonic() + max(timeout_s, WHOLE_S))
                return b"".join(in_bounds(answer, ANSWER_BYTES_MAX))
        except urllib.error.HTTPError as error:
            raise RefusedError(self._told(_sentence(error))) from error
        except (OSError, http.client.HTTPException) as error:
            raise self._silent(error) from error

    def reach(
        self,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        content_type: str = "",
        timeout_s: float = ANSWER_S,
    ) -> TimedAnswer:
        """Its answer, to be read in bounds, `until` an end, and closed by the caller.

        Raises:
            urllib.error.HTTPError: it says no, or something else than 200; an answer as well.
            NotRunningError: nobody answers, or not with a whole head within `timeout_s`.
        """
        headers = {"Authorization": f"Bearer {self._token}", "Connection": "close"}
        if content_type:
            headers["Content-Type"] = content_type
        # http.client knows no proxy of the environment and follows no redirect: nobody else is to
        # get the token
        try:
            at = urllib.parse.urlsplit(f"{self._base}/api/v1/{path}")
            connection = self._connection(at, timeout_s)
        except ValueError as error:  # whatever stands in its file
            raise self._silent(error) from error
        try:
            target = urllib.parse.urlunsplit(("", "", at.path, at.query, ""))
            connection.request("GET" if body is None else "POST", target, body, headers)
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            raise self._silent(error) from error
        if connection.sock is not None:  # the answer goes on by itself, and ends it
            connection.sock.close()
        assert isinstance(answer, TimedAnswer)  # noqa: S101 - what `_connection` makes
        if not 200 <= answer.status < 300:
            raise urllib.error.HTTPError(
                at.geturl(), answer.status, answer.reason, answer.headers, answer
            )
        return answer

    def _connection(
        self, at: urllib.parse.SplitResult, timeout_s: float
    ) -> http.client.HTTPConnection:
        host, port = at.hostname or "", at.port
        if at.scheme == "https":
            return TimedHttps(host, port, timeout=timeout_s, context=self._context)
        return TimedHttp(host, port, timeout=timeout_s)

    def _silent(self, error: Exception) -> NotRunningError:
        told = self._told(f"{error}")
        return NotRunningError(f"the collector at {self._base} does not answer: {told}")

    def _told(self, said: str) -> str:
        """What was said there, without our token: it goes to logs, pages and other programs."""
        return without_secrets(said, filter(None, [self._token]))


def _sentence(error: urllib.error.HTTPError) -> str:
    try:
        detail = json.loads(error.read(SAID_BYTES_MAX))["detail"]
    except (ValueError, KeyError, TypeError, RecursionError, OSError, http.client.HTTPException):
        return f"the collector answered {error.code} {error.reason}"
    return detail if isinstance(detail, str) else f"the collector refuses it: {_refused(detail)}"


def _refused(detail: object) -> str:
    """FastAPI's list of what is wrong with a request, as words: "month: should match …"."""
    rows = detail if isinstance(detail, list) else []
    named = [
        f"{'.'.join(map(str, row.get('loc', [])))}: {row.get('msg', 'is wrong')}"
        for row in rows
        if isinstance(row, dict)
    ]
    return "; ".join(named) or "it does not say why"
