"""The live WebSocket: origin, snapshot and deltas, requests, and an orderly end."""

import asyncio
import json
import threading
import time
from typing import Any

import pytest
import uvicorn
import websockets
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from cloud.live.hub import LiveHub
from tests.unit.cloud.app_examples import BASE, make_app, make_client, make_hub
from tests.unit.cloud.live_examples import GATEWAY, NS, PLANT, T0, payload
from tests.waiting import ENOUGH_S

URL = f"ws://127.0.0.1:8600/api/v1/live?plant={PLANT}"
HOST = {"host": "127.0.0.1:8600"}  # as a browser sends it for BASE


def opened(client: TestClient, **headers: str) -> WebSocketTestSession:
    return client.websocket_connect(URL, headers=HOST | headers)


def received(socket: WebSocketTestSession) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(socket.receive_text())
    return message


def drain(socket: WebSocketTestSession) -> None:
    """Read until it ends; a connection that goes on fails the test by the assertion."""
    for _ in range(20):
        received(socket)
    raise AssertionError("the connection goes on")


def test_snapshot_then_beats_in_one_sequence() -> None:
    with make_client() as client, opened(client, origin=BASE) as socket:
        first, second, third = received(socket), received(socket), received(socket)
    assert first["type"] == "snapshot"
    assert first["values"]["p.01.voltage"] == ["4.21", 0, T0, T0]
    assert (second["type"], third["type"]) == ("delta", "delta")
    assert (second["seq"], third["seq"]) == (first["seq"] + 1, first["seq"] + 2)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9999"])
def test_a_page_of_another_origin_is_refused_before_acceptance(origin: str) -> None:
    hub = make_hub()
    with make_client(make_app(hub)) as client:
        with pytest.raises(WebSocketDisconnect), opened(client, origin=origin):
            pass
        assert hub.viewers == 0


def test_an_unknown_plant_is_refused_before_acceptance() -> None:
    with make_client() as client:
        for query in ("?plant=nowhere", ""):
            url = f"ws://127.0.0.1:8600/api/v1/live{query}"
            with (
                pytest.raises(WebSocketDisconnect) as refused,
                client.websocket_connect(url, headers=HOST),
            ):
                pass
            assert refused.value.code == 1008


def test_an_unknown_host_is_refused() -> None:
    with make_client() as client:
        connection = client.websocket_connect(URL, headers={"host": "evil.example"})
        with pytest.raises(WebSocketDenialResponse) as refused, connection:
            pass
        assert refused.value.status_code == 400


def test_a_viewer_that_asks_gets_a_snapshot_again() -> None:
    with make_client() as client, opened(client) as socket:
        assert received(socket)["type"] == "snapshot"
        socket.send_text('{"type":"snapshot"}')
        types = [received(socket)["type"] for _ in range(4)]
    assert "snapshot" in types


@pytest.mark.parametrize("text", ["hello", "{}", "[]", '{"type":"close"}', "x" * 300, "[" * 5000])
def test_anything_else_ends_the_connection(text: str) -> None:
    hub = make_hub()
    with make_client(make_app(hub)) as client, opened(client) as socket:
        socket.send_text(text)
        with pytest.raises(WebSocketDisconnect) as ended:
            drain(socket)
        assert ended.value.code == 1008
    assert hub.viewers == 0


def test_bytes_end_the_connection_too() -> None:
    with make_client() as client, opened(client) as socket:
        socket.send_bytes(b'{"type":"snapshot"}')
        with pytest.raises(WebSocketDisconnect):
            drain(socket)


def test_a_viewer_that_leaves_is_forgotten() -> None:
    hub = make_hub()
    with make_client(make_app(hub)) as client:
        with opened(client) as socket:
            received(socket)
            assert hub.viewers == 1
        deadline = time.monotonic() + ENOUGH_S
        while hub.viewers and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        assert hub.viewers == 0


async def serve(hub: LiveHub) -> tuple[uvicorn.Server, "asyncio.Task[None]", int]:
    """A real server on an ephemeral port, as the collector runs it."""
    settings = uvicorn.Config(
        make_app(hub), host="127.0.0.1", port=0, log_level="warning",
        ws_per_message_deflate=False, timeout_graceful_shutdown=30,
    )  # fmt: skip
    server = uvicorn.Server(settings)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event to wait for
        await asyncio.sleep(0.01)
    return server, task, server.servers[0].sockets[0].getsockname()[1]


async def test_over_a_real_server_values_arrive_and_close_does_not_hold_it_up() -> None:
    hub = make_hub()
    server, task, port = await serve(hub)
    async with websockets.connect(f"ws://127.0.0.1:{port}/api/v1/live?plant={PLANT}") as socket:
        assert json.loads(await socket.recv())["type"] == "snapshot"
        hub.on_live(PLANT, GATEWAY, payload(9))
        shown: dict[str, list[object]] = {}
        async with asyncio.timeout(ENOUGH_S):
            while shown.get("p.01.voltage", [None] * 3)[2] != T0 + 9 * NS:
                # a beat before it may bring what the snapshot had already
                shown = json.loads(await socket.recv())["values"]
        started = time.monotonic()
        hub.close()
        server.should_exit = True
        await asyncio.wait_for(task, ENOUGH_S)
        assert time.monotonic() - started < 20
        async for _ in socket:  # what was still on its way; ends without error on 1001
            pass
        assert socket.close_code == 1001
