"""A collector's process that is ended with the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cloud.cloud_process import Cloud


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    made = Cloud(tmp_path)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.end()
