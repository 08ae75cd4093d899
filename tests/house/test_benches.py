"""Every measurement of `./run bench` can be begun: what it is made of is there. None is taken."""

from importlib import import_module
from pathlib import Path

import pytest

BENCHES = sorted((Path(__file__).parents[1] / "bench").glob("*.py"))


@pytest.mark.parametrize("name", [path.stem for path in BENCHES])
def test_a_measurement_can_be_begun(name: str) -> None:
    assert callable(import_module(f"tests.bench.{name}").main)
