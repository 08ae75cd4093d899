"""`stackproof cloud run` with its evidence in a database: received, killed, started twice."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.database.engine import ONE_MACHINE, Database
from cloud.database.opening import find
from cloud.database.reader import PlantReader
from tests.integration.cloud.cloud_process import Cloud, command, wait
from tests.unit.cloud.evidence_examples import SECOND_NS, T0_NS


class DatabaseCloud(Cloud):
    """A collector whose CLOUD.toml names a database."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder)
        self.url = url
        text = self.config.read_text()
        named = f'state_dir = "state"\ndatabase = "{url}"\ndurability = "{ONE_MACHINE}"\n'
        self.config.write_text(text.replace('state_dir = "state"\n', named))

    def held(self) -> list[bytes]:
        """Objects of the gateway, as another process reads them."""
        database = Database(self.url, ONE_MACHINE)
        try:
            found = find(database, "mini", [self.plant.collector.public_key])
            assert found is not None
            reader = PlantReader(
                "mini", found.plant_id, database, lambda: found.committed, found.stream_ids
            )
            return [one.data for one in reader.objects("edge-1")]
        finally:
            database.close()


@pytest.fixture
def cloud(tmp_path: Path, url: str) -> Iterator[DatabaseCloud]:
    made = DatabaseCloud(tmp_path, url)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.end()


def test_what_was_receipted_outlives_a_kill(cloud: DatabaseCloud) -> None:
    """A lease that nobody gave back is waited for, of a file taken at once."""
    gateway = cloud.plant.gateways["edge-1"]
    gateway.config()
    gateway.frame(T0_NS)
    for n in range(3):
        publisher = cloud.publisher(cloud.start()["broker"])
        for k in range(20):
            gateway.frame(T0_NS + (20 * n + k + 1) * SECOND_NS)
        due = len(gateway.objects) - 1
        wait(lambda due=due, publisher=publisher: publisher.receipted >= due)
        cloud.end(signal.SIGKILL)
        publisher.stop()
        assert cloud.held()[: due + 1] == gateway.objects[: due + 1]
    cloud.start()
    status, printed = cloud.end()
    assert (status, "Traceback" in printed) == (0, False), printed
    assert "1 plant(s) open under" in printed
    assert cloud.held() == gateway.objects


def test_one_process_writes_it(cloud: DatabaseCloud) -> None:
    """Another is refused: of a file at once, of a server when the lease is renewed meanwhile."""
    cloud.start()
    second = subprocess.Popen(
        command("run", cloud.config), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=os.environ,
    )  # fmt: skip
    printed, _ = second.communicate(timeout=60)
    assert second.returncode == 2
    assert "another collector writes this database" in printed or "held by" in printed
    status, said = cloud.end()
    assert (status, "Traceback" in said) == (0, False), said


def test_evidence_that_was_there_is_not_begun_anew(cloud: DatabaseCloud, tmp_path: Path) -> None:
    cloud.start()
    cloud.end()
    empty = f"sqlite:///{tmp_path}/other/cloud.db"
    (tmp_path / "other").mkdir()
    Database(empty).close()
    cloud.config.write_text(cloud.config.read_text().replace(cloud.url, empty))
    cloud.start()
    status, printed = cloud.end()
    assert status == 0
    assert "plant mini is NOT served: plant mini: there was evidence at an earlier start" in printed
