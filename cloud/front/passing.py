"""One plant's answers, passed on from the collector that has it. Network I/O.

GET alone, with the front's own token. What a collector answers is shown by browsers as data or not
at all: a page or a script that came from a collector would be one of the front's own. Each is
waited for on threads that are its alone: one that is slow, or hostile, holds up only itself.
"""

import asyncio
import http.client
import time
import urllib.error
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import BoundedSemaphore
from typing import TypeVar

from fastapi import HTTPException
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from cloud.answers import TimedAnswer, in_bounds
from cloud.asking import SAID_BYTES_MAX, RunningCollector
from cloud.errors import NotRunningError

T = TypeVar("T")
#: answers that are passed on from one collector at once
AT_ONCE = 4
ANSWER_BYTES_MAX, ANSWER_S = 1 << 30, 600.0
DATA = "application/octet-stream"
#: kinds of answers that browsers may show; any other is saved
SHOWN = frozenset({
    "application/json", "application/pdf", "image/png", "image/jpeg", "text/csv", "text/plain",
    "application/x-tar", "application/zip", DATA,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/cose",
    "application/cbor", "application/x-pem-file",
})  # fmt: skip
_KEPT = ("content-disposition", "content-length")


class Door:
    """What is passed on from one collector.

    Args:
        name: of its slice.
        pages: where people find its pages.
        asked: the collector.
    """

    def __init__(self, name: str, pages: str, asked: RunningCollector) -> None:
        self._name, self._pages, self._asked = name, pages, asked
        self._free = BoundedSemaphore(AT_ONCE)
        self._threads = ThreadPoolExecutor(AT_ONCE, f"passing-{name}")
        self._open = set[TimedAnswer]()

    async def get(self, path: str) -> Response:
        """Its answer, unchanged; reads the network while it is sent.

        Args:
            path: below /api/v1, with its query.

        Raises:
            HTTPException: 502 it does not answer or refuses the front, 503 too much at once.
        """
        if not self._free.acquire(blocking=False):
            told = f"{self._name} is being asked {AT_ONCE} things already: ask again"
            raise HTTPException(503, told, {"Retry-After": "1"})
        answer: TimedAnswer | None = None
        try:
            answer = await self.wait(partial(self._asked.reach, path))
            answer.until(time.monotonic() + ANSWER_S)
            self._open.add(answer)
            made = self._passed(answer)
        except urllib.error.HTTPError as error:
            with error:
                made = await self.wait(partial(self._refused, error))
        except NotRunningError as error:
            raise HTTPException(502, f"{self._name}: {error}") from error
        finally:
            if answer is None:
                self._free.release()
        return made

    async def wait(self, what: Callable[[], T]) -> T:
        """Whatever has to be waited for of this collector."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, what)

    def end(self) -> None:
        """Nothing more of what is on its way comes: no thread waits for longer than a step."""
        for answer in tuple(self._open):
            answer.until(time.monotonic())

    def _passed(self, answer: TimedAnswer) -> Response:
        def close() -> None:  # a thread may be reading it just then: not on the event loop
            answer.close()
            self._free.release()

        def end() -> None:
            self._open.discard(answer)
            answer.until(time.monotonic())
            self._threads.submit(close)

        if (answer.length or 0) > ANSWER_BYTES_MAX:
            end()
            told = f"{answer.length} bytes are not passed on: ask {self._name} at {self._pages}"
            raise HTTPException(502, told)
        return _Passed(self, answer, self._headers(dict(answer.headers.items())), end)

    def _refused(self, error: urllib.error.HTTPError) -> Response:
        """What it says no to; what it says of the front's own token is not the reader's."""
        if error.code in (401, 403) or not 400 <= error.code < 600:
            raise HTTPException(502, f"{self._name} refuses the front: {error.code}") from error
        try:
            said = error.read(SAID_BYTES_MAX)
        except (OSError, http.client.HTTPException) as broken:
            raise HTTPException(502, f"{self._name}: {broken}") from error
        headers = {
            k: v
            for k, v in self._headers(dict(error.headers.items())).items()
            if k != "content-length"
        }
        return Response(said, error.code, headers)

    def _headers(self, came: Mapping[str, str]) -> dict[str, str]:
        given = {name.lower(): value for name, value in came.items()}
        kept = {name: given[name] for name in _KEPT if name in given}
        kind = given.get("content-type", "")
        if kind.partition(";")[0].strip().lower() not in SHOWN:
            kind, kept["content-disposition"] = DATA, "attachment"
        return {**kept, "content-type": kind, "stackproof-collector": self._name}


class _Passed(StreamingResponse):
    """An answer on its way; the connection to the collector ends with it, however it ends."""

    def __init__(
        self, door: Door, answer: TimedAnswer, headers: Mapping[str, str], end: Callable[[], None]
    ) -> None:
        super().__init__(_pieces(door, answer), answer.status, headers)
        self._end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        try:
            async with asyncio.timeout(ANSWER_S):  # a reader who takes nothing holds no place
                await super().__call__(scope, receive, send)
        finally:
            self._end()


async def _pieces(door: Door, answer: TimedAnswer) -> AsyncIterator[bytes]:
    pieces = in_bounds(answer, ANSWER_BYTES_MAX)
    while piece := await door.wait(partial(next, pieces, b"")):
        yield piece
