"""Two collectors on one PostgreSQL: one is paused, the other goes on, the first writes no more."""

import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.database.lease import LAPSES_S
from tests.databases import PostgreSQL
from tests.integration.cloud.cloud_process import wait
from tests.integration.cloud.database.test_collector import DatabaseCloud
from tests.integration.edge.brokers import Broker
from tests.unit.cloud.evidence_examples import SECOND_NS, T0_NS


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker("nats", tmp_path / "broker")
    made.folder.mkdir()
    made.start()
    yield made
    made.stop()


def beside(first: DatabaseCloud, folder: Path) -> DatabaseCloud:
    """Another machine's collector: the same keys and database, a state of its own."""
    shutil.copytree(first.folder, folder, ignore=shutil.ignore_patterns("state", "*.log"))
    made = DatabaseCloud.__new__(DatabaseCloud)
    made.__dict__ |= first.__dict__
    made.folder, made.config, made.log = folder, folder / "CLOUD.toml", folder / "cloud.log"
    made.process = None
    return made


def test_a_paused_collector_writes_nothing_more(
    tmp_path: Path, postgresql: PostgreSQL, broker: Broker
) -> None:
    (tmp_path / "one").mkdir()
    first = DatabaseCloud(tmp_path / "one", postgresql.fresh())
    text = re.sub(r"port = \d+\n\[http\]", "[http]", first.config.read_text(), count=1)
    said = f'[broker]\nmode = "external"\nurl = "{broker.url}"\n'
    first.config.write_text(text.replace("[broker]\n", said))
    second = beside(first, tmp_path / "two")
    gateway = first.plant.gateways["edge-1"]
    gateway.config()
    for n in range(50):
        gateway.frame(T0_NS + n * SECOND_NS)
    first.start()
    publisher = first.publisher(broker.url)
    try:
        wait(lambda: publisher.receipted == 50)
        assert first.process is not None
        first.process.send_signal(signal.SIGSTOP)
        for n in range(50, 100):
            gateway.frame(T0_NS + n * SECOND_NS)
        second.start("--standby")
        wait(lambda: publisher.receipted == 100, LAPSES_S + 40)
        first.process.send_signal(signal.SIGCONT)
        assert first.process.wait(30) != 0
        assert "this collector writes nothing more of it" in first.log.read_text()
        for n in range(100, 120):
            gateway.frame(T0_NS + n * SECOND_NS)
        wait(lambda: publisher.receipted == 120)
    finally:
        publisher.stop()
        for one in (first, second):
            if one.process is not None and one.process.poll() is None:
                one.process.send_signal(signal.SIGCONT)
                _, printed = one.end()
                assert "Traceback" not in printed, printed[-3000:]
    assert second.held() == gateway.objects
