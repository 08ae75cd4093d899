"""A plant with a month of evidence, for the month engine's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cloud.month.engine_examples import Works
from tests.unit.cloud.month_examples import Desk


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    desk = Desk(tmp_path / "evidence")
    yield Works(tmp_path / "state", desk.deliver())
    desk.shut()
