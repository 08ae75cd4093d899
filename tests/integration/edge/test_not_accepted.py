"""A gateway whose readings the collector does not accept, or has lost, says so itself."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.cli import main as edge_main
from edge.trouble import SET_BACK, UNANSWERED
from tests.integration.edge.brokers import Broker
from tests.integration.edge.conftest import Plant
from tests.integration.edge.small_collector import SmallCollector
from tests.unit.edge.sites import GATEWAY, PLANT, keys, write_keys
from tests.waiting import until


@pytest.fixture
def broker(tmp_path: Path, wired_plant: Plant) -> Iterator[Broker]:
    write_keys(wired_plant.folder / "keys")
    broker = Broker("mosquitto", tmp_path / "broker", port=wired_plant.port)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute is two seconds."""
    monkeypatch.setattr("edge.uplink.machine.UNANSWERED_S", 2.0)
    monkeypatch.setattr("edge.uplink.machine.SET_BACK_S", 1.0)


async def status(plant: Plant, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str]]:
    """Exit status of `edge status --json`, and its alarms."""
    capsys.readouterr()
    code = await asyncio.to_thread(edge_main, ["status", str(plant.site.path), "--json"])
    alarms = json.loads(capsys.readouterr().out)["alarms"]
    return code, {alarm["name"]: alarm["sentence"] for alarm in alarms}


async def test_objects_without_a_receipt_are_an_alarm_at_the_gateway(
    broker: Broker, wired_plant: Plant, collector: SmallCollector,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """As where the collector has another certificate: it hears everything and accepts nothing."""
    collector.is_deaf = True
    collector.start(broker.port)
    async with wired_plant.running() as agent:
        await until(lambda: UNANSWERED in agent._alarms.names)
        code, alarms = await status(wired_plant, capsys)
        assert code == 1
        assert "the collector does not accept this gateway's readings" in alarms[UNANSWERED]
        assert alarms[UNANSWERED].index("certificate") < alarms[UNANSWERED].index("broker's log")
        collector.is_deaf = False
        await until(lambda: UNANSWERED not in agent._alarms.names)
        assert (await status(wired_plant, capsys))[1] == {}


async def test_a_collector_that_was_set_back_is_an_alarm_at_the_gateway(
    broker: Broker, wired_plant: Plant, collector: SmallCollector,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """What it held is freed here, so that nothing can be sent again."""
    collector.start(broker.port)
    async with wired_plant.running() as agent:
        await until(lambda: agent._delivery.machine.receipted >= 5)
        collector.stop()
        older = restored(collector, 3)
        await asyncio.sleep(0.3)
        receipted = agent._delivery.machine.receipted
        older.start(broker.port)
        await until(lambda: SET_BACK in agent._alarms.names)
        code, alarms = await status(wired_plant, capsys)
        assert code == 1
        assert (
            f"a receipt here is for seq {receipted}, its newest word is seq 2" in alarms[SET_BACK]
        )
        assert f"so {receipted - 2} objects are missing there" in alarms[SET_BACK]
        older.stop()
        collector.start(broker.port)  # the newest backup was restored
        await until(lambda: not agent._alarms.names)


def restored(collector: SmallCollector, count: int) -> SmallCollector:
    """A collector that holds only the first `count` objects."""
    made = keys()
    older = SmallCollector(PLANT, GATEWAY, made.collector_signer, made.gateway.public_key())
    for data in collector.objects[:count]:
        assert older.take(data)
    return older
