"""A plant with two gateways, one of which has begun a stream that a judge is asked about."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cloud.collector.judge import Verdict, judge
from cloud.collector.keyring import Keyring
from cloud.collector.seen import see
from cloud.collector.topics import Sender
from evidence.keys import key_sha256, spki
from tests.unit.cloud.collector.judge_examples import NOW_NS, SENDER, View, keyring_of
from tests.unit.cloud.collector.running import Running
from tests.unit.cloud.evidence_examples import T0_NS, ExamplePlant, Gateway, make_plant


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> ExamplePlant:
    return make_plant(tmp_path_factory.mktemp("keys"), gateways=("edge-1", "edge-2"))


@pytest.fixture
def gateway(plant: ExamplePlant) -> Gateway:
    """A fresh stream of an enrolled key."""
    return Gateway("mini", "edge-1", plant.gateways["edge-1"].signer)


@pytest.fixture
async def running(plant: ExamplePlant, tmp_path: Path) -> AsyncIterator[Running]:
    """A collector that runs."""
    made = Running(plant, tmp_path / "00")
    yield made
    if not made.collector.ended.is_set():
        await made.stop()


@pytest.fixture
def view() -> View:
    return View()


@pytest.fixture
def keyring(plant: ExamplePlant) -> Keyring:
    return keyring_of(plant.identity())


@pytest.fixture
def ask(keyring: Keyring, view: View, plant: ExamplePlant) -> Any:
    """Asks a judge, twice: nothing changes when the object was seen ahead, under whatever key."""
    keys = [spki(gateway.signer.public_key) for gateway in plant.gateways.values()]

    def ask(data: bytes, sender: Sender = SENDER, now_ns: int = NOW_NS) -> Verdict:
        verdict = judge(data, sender, keyring, view, now_ns)
        for key in keys:
            seen = see(data, key)
            assert judge(data, sender, keyring, view, now_ns, seen=seen) == verdict
        return verdict

    return ask


@pytest.fixture
def started(ask: Any, gateway: Gateway, view: View, keyring: Keyring) -> Gateway:
    """A stream of which the configuration and one frame are held."""
    keyring.begin("edge-1", key_sha256(gateway.signer.public_key))
    view.hold(ask(gateway.config()))
    view.hold(ask(gateway.frame(T0_NS)))
    return gateway
