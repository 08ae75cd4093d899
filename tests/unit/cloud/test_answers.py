"""Answers that never end: what a hostile server may hold up, and for how long."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest
from fastapi import HTTPException

from cloud.asking import NotRunningError, RefusedError, RunningCollector
from cloud.front.passing import AT_ONCE, Door

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
STEP_S = 0.3


class Dripping:
    """Sends a beginning, and then a byte again and again, each long before any wait is over."""

    def __init__(self, beginning: bytes, drop: bytes) -> None:
        self._beginning, self._drop, self.ended = beginning, drop, threading.Event()
        self.asked = threading.Semaphore(0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._drip, args=(connection,), daemon=True).start()

    def _drip(self, connection: socket.socket) -> None:
        with connection:
            connection.recv(4_096)
            self.asked.release()
            try:
                connection.sendall(self._beginning)
                while not self.ended.wait(STEP_S / 10):
                    connection.sendall(self._drop)
            except OSError:
                return  # the other side has had enough

    def close(self) -> None:
        self.ended.set()
        self._listener.close()

    @property
    def collector(self) -> RunningCollector:
        return RunningCollector.at(f"http://127.0.0.1:{self.port}", "t" * 32)


@pytest.fixture
def dripping(request: pytest.FixtureRequest) -> Iterator[Dripping]:
    made = Dripping(*request.param)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("dripping", "why"),
    [
        (
            (b"HTTP/1.1 500 Bearer " + b"t" * 32 + b"\r\nContent-Length: 0\r\n\r\n", b""),
            RefusedError,
        ),
        ((b"Bearer " + b"t" * 32 + b"\r\n\r\n", b""), NotRunningError),
    ],
    indirect=["dripping"],
)
def test_our_token_is_not_in_what_it_is_said_to_say(
    dripping: Dripping, why: type[Exception]
) -> None:
    """Logs, pages and programs get its no as it was said."""
    with pytest.raises(why) as caught:
        dripping.collector.get("health")
    assert "Bearer" in str(caught.value)
    assert "tttt" not in str(caught.value)


@pytest.mark.parametrize(
    "dripping",
    [(HEAD, b"x"), (HEAD, b"X: y\r\n"), (b"", b"HTTP/1.1 100 Continue\r\n\r\n")],
    indirect=True,
)
def test_a_head_that_never_ends_is_given_up(dripping: Dripping) -> None:
    with pytest.raises(NotRunningError, match="does not answer"):
        dripping.collector.reach("rights", timeout_s=STEP_S)


@pytest.mark.parametrize(
    "dripping",
    [
        (HEAD + b"\r\n", b"x"),
        (CHUNKED, b"0"),  # the length of a chunk
        (CHUNKED + b"0\r\n", b"X: y\r\n"),  # trailers behind the last
    ],
    indirect=True,
)
def test_a_body_that_never_ends_is_given_up(
    dripping: Dripping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud.asking.WHOLE_S", STEP_S)
    with pytest.raises(NotRunningError, match="does not answer"):
        dripping.collector.get("rights", timeout_s=STEP_S)


@pytest.mark.parametrize("dripping", [(HEAD, b"x")], indirect=True)
def test_one_that_never_ends_holds_up_no_other(dripping: Dripping) -> None:
    """As many threads as it may have are waiting for it, while another collector answers."""
    good = Dripping(HEAD + b"Content-Length: 2\r\n\r\n{}", b"")
    slow = Door("slow", "", dripping.collector)

    async def ask() -> None:
        waiting = [asyncio.create_task(slow.get("rights")) for _ in range(AT_ONCE)]
        for _ in waiting:
            await asyncio.to_thread(dripping.asked.acquire)
        answer = await Door("good", "", good.collector).get("rights")
        assert answer.status_code == 200
        with pytest.raises(HTTPException, match="ask again"):
            await slow.get("rights")
        dripping.close()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(ask())
    good.close()
