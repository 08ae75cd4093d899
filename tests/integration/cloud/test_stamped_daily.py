"""A running collector with a `tsa_url` has each plant's checkpoint of the day stamped."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.checkpoint import verify
from evidence.timestamp import read_stamp
from tests.integration.cloud.cloud_process import Cloud, wait
from tests.unit.cloud.closing.test_stamp import Server
from tests.unit.evidence.time_authority import TimeAuthority

pytestmark = pytest.mark.needs("openssl")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(TimeAuthority(tmp_path / "authority")) as serving:
        thread = threading.Thread(target=serving.serve_forever, daemon=True)
        thread.start()
        yield serving
        serving.ended.set()
        serving.shutdown()
        thread.join()


def test_the_days_checkpoint_is_stamped(cloud: Cloud, server: Server) -> None:
    text = cloud.config.read_text()
    line = f'[cloud]\ntsa_url = "{server.url("/tsr")}"\n'
    cloud.config.write_text(text.replace("[cloud]\n", line))
    cloud.start()
    folder = cloud.folder / "archives/stamps/mini"
    (note,) = wait(lambda: list(folder.glob("*.note")))
    assert verify(note.read_text(), cloud.plant.collector.public_key).plant == "mini"
    assert read_stamp(note.with_suffix(".tsr").read_bytes(), note.read_bytes())
    status, printed = cloud.end()
    assert (status, "Traceback" in printed) == (0, False), printed
