"""What several of the front's tests ask."""

from collections.abc import Iterator

import pytest

from tests.unit.cloud.fake_collector import FakeCollector
from tests.unit.cloud.front.front_examples import stranger


@pytest.fixture
def strange() -> Iterator[FakeCollector]:
    """A collector without plants that answers whatever it is told to."""
    with stranger() as made:
        yield made
