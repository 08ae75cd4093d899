"""A stream beside its collector, and a spool."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.spool import Spool
from tests.unit.edge.stream_rig import Rig, collector, opened


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    spool, stream = opened(tmp_path / "spool.sqlite")
    made = Rig(spool, stream, collector())
    yield made
    made.spool.close()  # a test may have opened another


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "spool.sqlite"


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    made = Spool(path, bytes_max=16 * 1024 * 1024)
    yield made
    made.close()
