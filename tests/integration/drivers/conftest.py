"""What every driver test of this folder has."""

from collections.abc import Iterator

import pytest

from tests.recording import recorded_sqlite


@pytest.fixture(autouse=True, scope="module")
def _recorded() -> Iterator[None]:
    with recorded_sqlite():
        yield
