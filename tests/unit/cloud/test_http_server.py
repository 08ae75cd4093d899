"""The bounded door: idle connections neither take all descriptors nor stay."""

import asyncio
import contextlib
import logging
import re
import socket
import time
from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from cloud import http_server
from cloud.http_server import (
    SELDOM,
    Complaint,
    Door,
    Seldom,
    address_of,
    connections_max,
    listen,
    make_server,
)
from cloud.live.hub import LiveHub
from tests.unit.cloud.app_examples import TOKEN, make_app, make_client, make_hub
from tests.unit.cloud.live_examples import GATEWAY, PLANT, configuration, point

#: of an answer: more than both ends' systems hold
LARGE = 8 * 1024 * 1024
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n"
)
#: of a program; who brings nothing is a visitor, by his address
BEARER = f"Authorization: Bearer {TOKEN}\r\n"
#: {"type":"snapshot"}, masked by zeros
AGAIN = b"\x81\x93" + bytes(4) + b'{"type":"snapshot"}'


def test_how_many_connections_leave_how_many_descriptors() -> None:
    """Worked by hand: half of the descriptors less 64, at most 400."""
    assert [connections_max(n) for n in (64, 256, 1_024, 1_048_576)] == [8, 64, 400, 400]


def test_a_complaint_is_made_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    complaint = Complaint()
    for n in range(121):
        complaint.tell("no more", float(n))
    assert [record.getMessage() for record in caplog.records] == [
        "no more (1 times)", "no more (60 times)", "no more (60 times)",
    ]  # fmt: skip


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(http_server, "connections_max", lambda _: 3)
    monkeypatch.setattr(http_server, "ASK_S", 0.2)
    monkeypatch.setattr(Door, "complaint", Complaint())
    server, listener = make_server(make_app()), listen("127.0.0.1", 0)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield listener.getsockname()[1]
    server.should_exit = True
    await serving


async def test_one_too_many_is_turned_away_and_the_idle_do_not_stay(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(30)]
    async with asyncio.timeout(30):
        ends = await asyncio.gather(
            *(reader.read() for reader, _ in opened), return_exceptions=True
        )
    assert len(ends) == 30
    refused = [r for r in caplog.records if "3 are open already" in r.getMessage()]
    assert [record.levelno for record in refused] == [logging.ERROR]
    assert SELDOM in logging.getLogger("uvicorn.error").filters
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /api/v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    async with asyncio.timeout(30):
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    for _, connected in [*opened, (reader, writer)]:
        connected.close()


async def _answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """The first line that /livez answers; b"" where the connection was ended."""
    with contextlib.suppress(ConnectionError):
        writer.write(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        async with asyncio.timeout(30):
            return (await reader.read(65_536)).partition(b"\r\n")[0]
    return b""


async def test_who_asks_again_and_again_keeps_nobody_out(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three may be: one brings a body, two are between questions, and give way to two more."""
    monkeypatch.setattr(http_server, "ASK_S", 60.0)
    bringing, *asking = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    head = b"POST /api/v1/sessions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{"
    bringing[1].write(head)
    told = [await _answered(*one) for one in asking]
    more = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    told += [await _answered(*one) for one in more]
    assert told == [b"HTTP/1.1 200 OK"] * 4
    assert [await _answered(*one) for one in asking] == [b"", b""]
    bringing[1].write(b"}")
    async with asyncio.timeout(30):
        assert (await bringing[0].read(65_536)).startswith(b"HTTP/1.1 422 ")
    for _, writer in (bringing, *asking, *more):
        writer.close()


def test_a_sentence_of_the_server_is_let_through_once_a_minute() -> None:
    """At 0, 1, … 120 s: the first, and those a minute apart, the 59 between as a number."""
    seconds = iter(float(n) for n in range(121))
    seldom = Seldom(seconds.__next__)
    given = [
        logging.LogRecord("uvicorn.error", logging.INFO, "", 0, "refused %d", (n,), None)
        for n in range(121)
    ]
    assert [r.getMessage() for r in given if seldom.filter(r)] == [
        "refused 0", "refused 60 (59 more before)", "refused 120 (59 more before)",
    ]  # fmt: skip
    defect = (ValueError, ValueError(), None)
    told = logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, "refused %d", (1,), defect)
    assert seldom.filter(told)


def test_no_quoted_cookie_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI parses cookies of whoever asks anything: the library's square of 60 KB took 17 s."""
    parsed = list[str]()

    def parse(cookies: str) -> dict[str, str]:
        parsed.append(cookies)
        return {}

    monkeypatch.setattr("starlette.requests.cookie_parser", parse)
    cookies = 'a="\\\\\\\\"; stackproof-session=b; c="'
    assert make_client().get("/livez", headers={"Cookie": cookies}).status_code == 200
    assert parsed
    assert {text.strip() for text in parsed} == {"stackproof-session=b"}


@pytest.mark.parametrize(("length", "status"), [(2_048, 404), (2_049, 414)])
def test_no_long_path_is_looked_for(length: int, status: int) -> None:
    path = "/static/".ljust(length, "a")
    assert make_client().get(path).status_code == status


async def _zeros(_: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(LARGE // 65_536):
            yield bytes(65_536)

    return StreamingResponse(pieces())


def _ask(how: str, port: int) -> bytes:
    """What came until the end, of a side that asks, sends and takes as `how` says."""
    with socket.socket() as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        asking.settimeout(10)
        asking.connect(("127.0.0.1", port))
        host, came = "HTTP/1.1\r\nHost: 127.0.0.1\r\n", b""
        if how == "a head by the byte, the second one":
            asking.sendall(f"GET /livez {host}\r\n".encode())
            came = asking.recv(65_536)
            drips = b"G" * 400
        elif how == "a body by the byte":
            json = "Content-Type: application/json\r\nContent-Length: 9999\r\n\r\n"
            asking.sendall(f"POST /api/v1/sessions {host}{json}".encode())
            drips = b" " * 400
        else:
            asking.sendall(f"GET /zeros {host}Connection: close\r\n\r\n".encode())
            drips = b""
        try:
            for drip in drips:
                time.sleep(0.05)
                asking.send(bytes([drip]))
            if how == "nothing is taken":
                time.sleep(0.9)
            while more := asking.recv(65_536):
                came += more
                if how == "taken slowly":
                    time.sleep(0.005)
        except OSError:  # it was ended
            return came
        return came


@pytest.mark.parametrize(
    "how", ["a head by the byte, the second one", "a body by the byte", "nothing is taken"]
)
async def test_who_asks_or_takes_in_drips_is_ended(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at every 0.1 s; for as long as it would take, 20 s of drips, nobody may stay."""
    monkeypatch.setattr(http_server, "ASK_S", 0.1)
    async with _serving() as port:
        began_s = time.monotonic()
        came = await asyncio.to_thread(_ask, how, port)
        assert time.monotonic() - began_s < 16
    assert (how == "nothing is taken") == (0 < len(came) < LARGE) or b"200 OK" in came


async def test_who_takes_slowly_gets_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "ASK_S", 0.3)
    async with _serving() as port:
        head, _, body = (await asyncio.to_thread(_ask, "taken slowly", port)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body.count(bytes(65_536)) == LARGE // 65_536


@pytest.mark.parametrize(("size", "code"), [(1_024, 1_008), (1_025, 1_009)])
async def test_no_large_message_of_a_live_page_is_held(size: int, code: int) -> None:
    """1009: it is too big (RFC 6455 7.4.1), before it has come; 1008: it asks for nothing."""
    async with _serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        ask = f"GET /api/v1/live?plant={PLANT} HTTP/1.1\r\nHost: 127.0.0.1\r\n{UPGRADE}"
        writer.write(f"{ask}{BEARER}\r\n".encode())
        async with asyncio.timeout(30):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
            writer.write(b"\x81\xfe" + size.to_bytes(2, "big") + bytes(4) + b" " * size)
            came = b""
            while not (closed := re.search(rb"\x88[\x02-\x7d](..)", came, re.DOTALL)):
                came += await reader.readexactly(1)
            assert int.from_bytes(closed[1], "big") == code
        writer.close()


def _page(port: int, more: str = BEARER) -> socket.socket:
    """A live page that was let in."""
    page = socket.create_connection(("127.0.0.1", port), 30)
    ask = f"GET /api/v1/live?plant={PLANT} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    page.sendall(f"{ask}{UPGRADE}{more}\r\n".encode())
    assert page.recv(12) == b"HTTP/1.1 101"
    return page


def _goes_on(page: socket.socket) -> bool:
    """Is it given a second snapshot, and not ended?"""
    came = b""
    with page, contextlib.suppress(OSError):
        page.sendall(AGAIN)
        while (more := page.recv(65_536)) and (came := came + more).count(b'"snapshot"') < 2:
            pass
    return came.count(b'"snapshot"') > 1


@pytest.mark.parametrize(("of_one", "of_many"), [("", BEARER), (BEARER, "")])
async def test_live_pages_of_one_person_keep_nobody_out(
    monkeypatch: pytest.MonkeyPatch, of_one: str, of_many: str
) -> None:
    """Of eight connections four may be pages: 400 of one person kept all out, /livez too."""
    monkeypatch.setattr(http_server, "connections_max", lambda _: 8)
    async with _serving() as port:
        alone = await asyncio.to_thread(_page, port, of_one)
        pages = [await asyncio.to_thread(_page, port, of_many) for _ in range(12)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        told = await _answered(reader, writer)
        writer.close()
        found = [await asyncio.to_thread(_goes_on, one) for one in (alone, *pages)]
    assert told == b"HTTP/1.1 200 OK"
    assert found == [True, *[False] * 9, *[True] * 3]


async def test_a_live_page_that_takes_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking for snapshots, more than both ends' systems hold, it stayed for good."""
    monkeypatch.setattr(http_server, "ASK_S", 0.1)
    monkeypatch.setattr("cloud.api.socket.SNAPSHOT_PAUSE_S", 0.0)
    hub, config = make_hub(), configuration()
    more = [point(f"x.{n}", "voltage", "V", 2) for n in range(2_000)]
    group = {"schedule": 0, "dtype": 86, "computed": False}
    config["groups"].append({**group, "points": [len(config["points"]) + n for n in range(2_000)]})
    config["points"] += more
    hub.on_config(PLANT, GATEWAY, config)
    async with _serving(hub=hub) as port:
        page = await asyncio.to_thread(_page, port)
        page.setblocking(False)
        async with asyncio.timeout(30):
            while hub.viewers:
                with contextlib.suppress(BlockingIOError, ConnectionError):
                    page.send(AGAIN)
                await asyncio.sleep(0.001)
        page.close()


@pytest.mark.parametrize("more", ["Content-Length: 1\r\n", "a: b\r\n" * 130])
async def test_who_asks_for_a_live_page_in_a_way_of_his_own_is_ended(more: str) -> None:
    """HTTP allows a body, and so many lines; 400 such kept everybody out, without an account."""
    async with _serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
        writer.write(f"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n{upgrade}{more}\r\n".encode())
        async with asyncio.timeout(30):
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
        writer.close()


async def _who(request: Request) -> Response:
    return PlainTextResponse(f"{request.url.scheme} of {request.client and request.client.host}")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_proxy_on_this_machine_says_whom_it_asks_for(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the environment says: cookies are Secure by it, and the security log names him."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "192.0.2.1")
    async with _serving(host) as port:
        reader, writer = await asyncio.open_connection(host, port)
        told = "X-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.7\r\nConnection: close\r\n"
        writer.write(f"GET /who HTTP/1.1\r\nHost: localhost\r\n{told}\r\n".encode())
        async with asyncio.timeout(30):
            assert (await reader.read()).endswith(b"\r\n\r\nhttps of 192.0.2.7")
        writer.close()


@contextlib.asynccontextmanager
async def _serving(host: str = "127.0.0.1", hub: LiveHub | None = None) -> AsyncIterator[int]:
    app = make_app(hub)
    app.add_route("/zeros", _zeros)
    app.add_route("/who", _who)
    server, listener = make_server(app), listen(host, 0)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield listener.getsockname()[1]
    server.should_exit = True
    await serving


async def test_a_connection_that_no_descriptor_was_found_for_is_told_once(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    for _ in range(50):
        error = OSError(24, "Too many open files")
        loop.call_exception_handler(
            {"message": "socket.accept() out of system resource", "exception": error}
        )
    told = [r for r in caplog.records if "no connection can be taken up" in r.getMessage()]
    assert (len(told), told[0].exc_info) == (1, None)
    assert port


@pytest.mark.parametrize(
    ("host", "reached"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),  # noqa: S104 - nothing listens there
        ("::", "[::1]"),
        ("10.0.0.9", "10.0.0.9"),
    ],
)
def test_commands_reach_a_collector_that_listens_everywhere(host: str, reached: str) -> None:
    """By an address whose name it answers to: it knows no host called 0.0.0.0."""
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert address_of(host, listener) == f"http://{reached}:{port}"
