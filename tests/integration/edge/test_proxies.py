"""MQTT over WebSocket, and through real proxies, which look the broker's name up."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.commissioning.doctor_broker import examine_route
from edge.commissioning.findings import State
from edge.route import Proxy, Route
from edge.uplink.mqtt import MqttUplink
from edge.uplink.topics import Topics
from tests.integration.edge.brokers import NAMES, Broker
from tests.integration.edge.conftest import Plant
from tests.integration.edge.proxies import proxying
from tests.integration.edge.small_collector import SmallCollector
from tests.ports import free_port
from tests.tcp_server import TcpServer
from tests.waiting import until

LOGIN = "edge:pass"
ANY = pytest.mark.parametrize("broker", ["nats"], indirect=True)


class Echo(Topics):
    """What is sent comes back."""

    @property
    def frames(self) -> str:
        return f"{self.base}/receipts"


class Hanging(TcpServer):
    """Accepts, and says nothing."""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)


@pytest.fixture(scope="module", params=NAMES)
def broker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Broker]:
    made = Broker(request.param, tmp_path_factory.mktemp("broker"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def nobody_looks_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process no name is known, as in a plant that has no DNS but the proxy's."""
    asked = socket.getaddrinfo

    def only_addresses(host: str, port: int, *more: int, **named: int) -> Any:
        if not host.replace(".", "").isdecimal():
            raise socket.gaierror(socket.EAI_NONAME, "no name is known here")
        return asked(host, port, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", only_addresses)


def login_file(folder: Path, login: str) -> Path | None:
    path = folder / "proxy.login"
    path.write_text(f"{login}\n")
    path.chmod(0o600)
    return path if login else None


async def round_trip(route: Route) -> None:
    """Ten objects, a large one among them, there and back."""
    came, heard = asyncio.Event(), list[bytes]()
    objects = [bytes([n]) * 500 for n in range(9)] + [bytes(900_000)]

    def on_message(_topic: str, payload: bytes, _is_retained: bool) -> None:
        heard.append(payload)
        if len(heard) == len(objects):
            came.set()

    connected = asyncio.Event()
    uplink = MqttUplink(
        route, Echo("stackproof/v1/00/p/g"), "edge-p-g", on_connected=connected.set,
        on_disconnected=lambda why: heard.append(why.encode()), on_message=on_message,
    )  # fmt: skip
    uplink.start()
    try:
        async with asyncio.timeout(20):
            await connected.wait()
            for data in objects:
                await uplink.room()
                assert uplink.send_object(data)
            await came.wait()
    finally:
        await asyncio.to_thread(uplink.stop)
    assert heard == objects, [data[:80] for data in heard]


@pytest.mark.parametrize("url", ["mqtt://localhost:{0.port}", "ws://localhost:{0.websocket}/mqtt"])
@pytest.mark.parametrize(("scheme", "login"), [("http", ""), ("socks5", LOGIN)])
@pytest.mark.usefixtures("nobody_looks_up")
async def test_there_and_back_by_names_that_the_proxy_looks_up(
    broker: Broker, tmp_path: Path, url: str, scheme: str, login: str
) -> None:
    with proxying(scheme, tmp_path, login) as real:
        proxy = Proxy.of(real.url, login_file(tmp_path, login))
        route = Route.of(url.format(broker), proxy)
        await round_trip(route)
        checks = await examine_route(route, "doctor", None, 0, "gateway")
        assert [(c.subject, c.layer, c.state) for c in checks] == [
            ("proxy", "dns", State.FINE), ("proxy", "tcp", State.FINE),
            ("broker", "tcp", State.FINE), ("broker", "certificate", State.WARNING),
            ("broker", "protocol", State.FINE),
        ]  # fmt: skip
        assert "without TLS: whoever is on the way reads all" in checks[3].sentence


async def test_websocket_without_a_proxy(broker: Broker) -> None:
    await round_trip(Route.of(f"ws://127.0.0.1:{broker.websocket}"))


Hop = tuple[str, str, str]


@asynccontextmanager
async def failing(kind: str, folder: Path, broker: Broker) -> AsyncIterator[tuple[Route, Hop]]:
    """A way to the broker that ends at a hop: subject, layer, words of sentence or what to do."""
    there = f"mqtt://127.0.0.1:{broker.port}"
    if kind == "hangs":
        async with Hanging() as hanging:
            way = Proxy.of(f"http://127.0.0.1:{hanging.port}")
            yield Route.of(there, way), ("proxy", "protocol", "says nothing in time")
        return
    if kind == "nobody":
        way = Proxy.of(f"socks5://127.0.0.1:{free_port()}")
        yield Route.of(there, way), ("proxy", "tcp", "nobody listens")
        return
    scheme, login, shown, only_port, url, hop = {
        "407": ("http", LOGIN, "", 0, there, ("proxy", "login", "proxy_login")),
        "407 wrong": ("http", LOGIN, "edge:wrong", 0, there, ("proxy", "login", "login")),
        "403": ("http", "", "", 443, there, ("proxy", "permission", "have its people allow")),
        "5xx": ("http", "", "", 0, f"mqtt://127.0.0.1:{free_port()}",
                ("broker", "tcp", "does not reach")),
        "socks login": ("socks5", LOGIN, "", 0, there, ("proxy", "login", "wants a login")),
        "socks wrong": ("socks5", LOGIN, "edge:wrong", 0, there, ("proxy", "login", "not take")),
        "socks refused": ("socks5", "", "", 0, f"mqtt://127.0.0.1:{free_port()}",
                          ("broker", "tcp", "was refused by it")),
        "no websocket": ("http", "", "", 0, f"ws://127.0.0.1:{broker.websocket}/no/such",
                         ("broker", "protocol", "")),
        "other protocol": ("socks5", "", "", 0, f"ws://127.0.0.1:{broker.port}/mqtt",
                           ("broker", "protocol", "")),
    }[kind]  # fmt: skip
    with proxying(scheme, folder, login, only_port) as real:
        yield Route.of(url, Proxy.of(real.url, login_file(folder, shown))), hop


@ANY
@pytest.mark.parametrize(
    "kind",
    ["hangs", "nobody", "407", "407 wrong", "403", "5xx", "socks login", "socks wrong",
     "socks refused", "no websocket", "other protocol"],
)  # fmt: skip
async def test_each_hop_that_fails_is_named_by_doctor_and_agent(
    broker: Broker, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.commissioning.doctor_broker.BROKER_TIMEOUT_S", 0.5)
    monkeypatch.setattr("edge.uplink.mqtt.CONNECT_S", 0.5)
    monkeypatch.setattr("edge.uplink.mqtt.RECONNECT_S_MIN", 0.05)
    async with failing(kind, tmp_path, broker) as (route, (subject, layer, words)):
        last = (await examine_route(route, "doctor", None, 0, "gateway"))[-1]
        assert (last.subject, last.layer, last.state) == (subject, layer, State.FAILED), last
        assert words in f"{last.sentence}: {last.todo}"
        assert last.todo
        assert LOGIN not in repr(last)
        said = await first_word(route)
    assert "stackproof edge doctor" in said
    if subject == "proxy":
        assert f"the proxy 127.0.0.1:{route.proxy.port if route.proxy else 0}" in said
    else:
        assert route.place in said


async def first_word(route: Route) -> str:
    """Why an agent has no connection."""
    said: asyncio.Queue[str] = asyncio.Queue()
    nothing: Callable[..., None] = lambda *_: None  # noqa: E731 - shorter than three of them
    uplink = MqttUplink(route, Topics("t"), "edge-p-g", on_connected=nothing, on_message=nothing,
                        on_disconnected=said.put_nowait)  # fmt: skip
    uplink.start()
    try:
        return await asyncio.wait_for(said.get(), 20)
    finally:
        await asyncio.to_thread(uplink.stop)


@ANY
async def test_a_proxy_is_killed_and_comes_back(
    broker: Broker, tmp_path: Path, wired_plant: Plant, collector: SmallCollector
) -> None:
    collector.start(broker.port)
    with proxying("http", tmp_path / "proxy") as real:
        wired_plant.text = wired_plant.text.replace(
            '"mqtt://127.0.0.1:1883"', f'"ws://127.0.0.1:{broker.websocket}"\nproxy = "{real.url}"'
        )
        async with wired_plant.running() as agent:
            await until(lambda: agent._delivery.machine.receipted >= 1, 15)
            real.kill()
            await until(lambda: not agent._delivery.machine.online, 15)
            held = agent._delivery.machine.receipted
            await until(lambda: agent._delivery.machine.newest > held + 1, 15)
            real.start()
            await until(lambda: agent._delivery.machine.receipted > held + 1, 15)
