"""What several of the front's tests ask."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cloud.fake_collector import FakeCollector
from tests.unit.cloud.front.front_examples import Fronted, Slice, stranger


@pytest.fixture
def strange() -> Iterator[FakeCollector]:
    """A collector without plants that answers whatever it is told to."""
    with stranger() as made:
        yield made


@pytest.fixture
def fronted(tmp_path: Path, slices: dict[str, Slice]) -> Fronted:
    """A front over the slices that a test file names, after its first look."""
    made = Fronted(tmp_path, slices)
    made.look()
    return made
