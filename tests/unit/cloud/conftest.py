"""A collector that commands can ask, and evidence of which months are made."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.records import desk as desk_module
from tests.unit.cloud.fake_collector import TOKEN, FakeCollector
from tests.unit.cloud.month_examples import Desk


@pytest.fixture(autouse=True)
def room_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever disk the tests run on."""
    monkeypatch.setattr(desk_module, "FREE_BYTES_MIN", 0)


@pytest.fixture
def collector() -> Iterator[FakeCollector]:
    server = FakeCollector()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def config(tmp_path: Path, collector: FakeCollector) -> str:
    """A file of which only the state folder is needed, and that folder."""
    (tmp_path / "CLOUD.toml").write_text('[cloud]\nstate_dir = "state"\n')
    state = tmp_path / "state"
    state.mkdir()
    ready = {"http": f"http://127.0.0.1:{collector.server_port}"}
    (state / "ready.json").write_text(json.dumps(ready))
    (state / "api.token").write_text(TOKEN + "\n")
    return str(tmp_path / "CLOUD.toml")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Evidence without an object yet."""
    opened = Desk(tmp_path / "evidence")
    yield opened
    opened.shut()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where archives go."""
    return tmp_path / "archives"
