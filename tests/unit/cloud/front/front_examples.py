"""Collectors on loopback with accounts, that can be killed and come back, and a front over them."""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from cloud.accounts.desks import Accounts
from cloud.accounts.roles import Profile
from cloud.app import create_app
from cloud.front.app import create_front, front_of
from cloud.front.config import load_front
from cloud.front.parts import SLOW_S
from cloud.http_server import Server, listen, make_server
from cloud.live.hub import LiveHub
from tests.ports import free_port
from tests.unit.cloud.accounts.people_examples import Town
from tests.unit.cloud.app_examples import Streams, make_services
from tests.unit.cloud.fake_collector import TOKEN, FakeCollector
from tests.unit.cloud.live_examples import (
    GATEWAY,
    PLANT,
    ManualClock,
    configuration,
    message,
    payload,
    values,
)

READ = ("see", "evidence", "records")
HOSTILE = '</script><img src=x onerror="alert(1)">{{7*7}}'
READER, PROXY = "grafana", "oauth"


@cache
def somebody(role: str, scopes: tuple[str, ...]) -> tuple[Accounts, str]:
    """Accounts with somebody of a role, and a token of that person."""
    town = Town()
    who = town.join(role, Profile(role, plants=() if role == "reviewer" else ("*",))).principal
    return town.accounts, town.accounts.tokens.make(who, "front", list(scopes), 30)


class SomeStreams(Streams):
    """The streams of some plants, which come and go."""

    def __init__(self, plants: list[str]) -> None:
        self._plants = plants

    def status(self) -> Sequence[Mapping[str, Any]]:
        return [{**row, "plant": plant} for row in super().status() for plant in self._plants]

    def served(self) -> Sequence[str]:
        return self._plants


class Served:
    """An application at a port of loopback, on a thread of its own."""

    def __init__(self, app: FastAPI, port: int) -> None:
        ready = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(app, port, ready),))
        self._thread.start()
        assert ready.wait(10)

    async def _serve(self, app: FastAPI, port: int, ready: threading.Event) -> None:
        self._server: Server = make_server(app)
        serving = asyncio.create_task(self._server.serve(sockets=[listen("127.0.0.1", port)]))
        ready.set()  # it listens; uvicorn takes up what came meanwhile
        await serving

    def kill(self) -> None:
        self._server.should_exit = True
        self._thread.join()


class Slice:
    """A collector of some plants, with a token of somebody there."""

    def __init__(
        self, *plants: str, name: str = "Mini", role: str = "operator", scopes: Sequence[str] = READ
    ) -> None:
        self.plants, self.port = list[str](), free_port()
        self.hub = LiveHub(ManualClock(), delta_interval_s=0.02, beat_interval_s=0.05)
        self._name = name
        accounts, self.token = somebody(role, tuple(scopes))
        self._services = make_services(self.hub, accounts=accounts)
        self.streams = SomeStreams(self.plants)
        object.__setattr__(self._services, "streams", self.streams)
        for plant in plants:
            self.take(plant)
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def take(self, plant: str) -> None:
        """It has a plant from now on."""
        self.plants.append(plant)
        self.hub.on_config(plant, GATEWAY, configuration(id=plant, name=self._name))
        if plant == PLANT:
            self.hub.on_live(plant, GATEWAY, payload(0))

    def send(self, plant: str, rate: Sequence[Any]) -> None:
        """A live message of a plant: value, quality and time of what it emits."""
        told = {**message(0), "plant": plant, "values": {**values(), "plant.co2e_t_h": rate}}
        self.hub.on_live(plant, GATEWAY, json.dumps(told).encode())

    def give_up(self, plant: str) -> None:
        """It has a plant no more, as after a start without it."""
        self.plants.remove(plant)
        del self.hub._channels[plant]

    def start(self) -> None:
        self._served = Served(create_app(self._services), self.port)

    def kill(self) -> None:
        self._served.kill()


def write_front(
    folder: Path, urls: Mapping[str, str], tokens: Mapping[str, str] | None = None,
    *, reader: str = "", proxy: str = "",
) -> Path:  # fmt: skip
    """A FRONT.toml with its tokens; of a reader and of a sign-in proxy, each of its name."""
    text = "format = 1\n"
    for name, url in urls.items():
        (folder / name).write_text((tokens or {}).get(name, "t" * 32))
        text += f'[[collector]]\nname = "{name}"\nurl = "{url}"\ntoken = "file:{name}"\n'
    if reader:
        (folder / reader).write_text(reader * 8)
        text += f'[[reader]]\nname = "{reader}"\ntoken = "file:{reader}"\n'
    if proxy:
        (folder / proxy).write_text(proxy * 8)
        text += f'[sign_in]\ntoken = "file:{proxy}"\nuser = "X-Forwarded-User"\nsign_out = "/out"\n'
    (folder / "FRONT.toml").write_text(text)
    return folder / "FRONT.toml"


class Fronted:
    """A front over collectors; it asks them when it is told to."""

    def __init__(
        self, folder: Path, slices: Mapping[str, Any], *, reader: str = "", proxy: str = ""
    ) -> None:
        """`slices`: name -> a `Slice`, or whatever else has a url and a token."""
        urls = {name: one.url for name, one in slices.items()}
        tokens = {name: one.token for name, one in slices.items()}
        config = load_front(write_front(folder, urls, tokens, reader=reader, proxy=proxy))
        self.clock = ManualClock()
        self.front = front_of(config, self.clock)
        self.app = create_front(config, self.front)
        self.client = TestClient(self.app, base_url="http://127.0.0.1:8700", follow_redirects=False)
        self._now_s = 0.0

    def look(self) -> None:
        """Everything is due, and asked."""
        self._now_s += SLOW_S
        for listener in self.front.listeners:
            listener.look(self._now_s)

    def get(self, path: str, status: int = 200, **more: Any) -> Any:
        """What the API answers, as JSON."""
        answer = self.client.get(f"/api/v1/{path}", **more)
        assert answer.status_code == status, answer.text
        return answer.json()

    def page(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text


@contextmanager
def stranger() -> Iterator[FakeCollector]:
    """A collector without plants that answers whatever it is told to."""
    made = FakeCollector()
    made.answer("rights", {"rights": ["see", "evidence", "records"], "region": None})
    made.answer("health", {"status": "ok", "served": ["mini"], "amiss": {}})
    made.answer("overview", {"plants": []})
    alarms = {"standing": [], "cleared": [], "unacknowledged": 0, "new_in_last_hour": 0}
    made.answer("alarms", alarms)
    for path in ("streams", "plants", "months"):
        made.answer(path, [])
    made.answer("reviews", {"reviews": [], "next": None})
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def serve(strange: FakeCollector, plants: Sequence[str]) -> None:
    """It says that it has these plants."""
    strange.answer("health", {"status": "ok", "served": list(plants), "amiss": {}})


class FakeSlice:
    """Where nobody is."""

    url, token = "http://127.0.0.1:9", "t" * 32


class StrangeSlice:
    """Where a fake collector is."""

    token = TOKEN

    def __init__(self, strange: FakeCollector) -> None:
        self.url = f"http://127.0.0.1:{strange.server_port}"


def over(folder: Path, strange: FakeCollector) -> Fronted:
    """A front over it alone, which has asked it."""
    made = Fronted(folder, {"north": StrangeSlice(strange)})
    made.look()
    return made


class Cells(HTMLParser):
    """Texts of a page's table rows, and every tag that is there."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows, self.tags, self.links = list[list[str]](), set[str](), list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self.links += [value or "" for name, value in attrs if name == "href" and tag == "a"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self.rows.append([])

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def rows_of(page: str) -> dict[str, list[str]]:
    """First cell of each row -> the others, without blanks around."""
    rows = [[" ".join(cell.split()) for cell in row] for row in Cells(page).rows]
    return {row[0]: row[1:] for row in rows if row}
