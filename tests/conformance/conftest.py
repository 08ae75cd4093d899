"""What every test of the driver contract has: the blueprint's scheme, and SQLite that records."""

from collections.abc import Iterator

import pytest

from edge.drivers import DRIVERS
from tests.conformance.driver_benches import TEST_ONLY
from tests.recording import recorded_sqlite


@pytest.fixture(autouse=True, scope="module")
def _registered() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, recorded_sqlite():
        for scheme, driver in TEST_ONLY.items():
            patch.setitem(DRIVERS, scheme, driver)
        yield
