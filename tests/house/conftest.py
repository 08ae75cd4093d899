"""A machine of paper for the tests of `./run`."""

from pathlib import Path

import pytest

from tests.house.paper_machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)
