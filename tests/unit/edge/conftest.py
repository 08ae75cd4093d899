"""A stream beside its collector."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.edge.stream_rig import Rig, collector, opened


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    spool, stream = opened(tmp_path / "spool.sqlite")
    yield Rig(spool, stream, collector())
    spool.close()
