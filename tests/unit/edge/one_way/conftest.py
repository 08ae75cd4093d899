"""A stream of six objects, its spool and its collector."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.edge.stream_rig import Rig, collector, opened


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    spool, stream = opened(tmp_path / "state/spool.sqlite")
    made = Rig(spool, stream, collector())
    made.made(6)
    yield made
    spool.close()
