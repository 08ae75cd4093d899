"""A sealed day of each sector, made once."""

from pathlib import Path

import pytest

from tests.unit.cloud.outputs.months import SCENARIOS, sealed


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sealed")
    return {sector: sealed(sector, folder) for sector in SCENARIOS}
