"""A collector's folder with everything a plant can hold, for the commands on stored evidence."""

import shutil
from pathlib import Path

import pytest

from tests.unit.cloud.evidence_examples import CLOUD_HEAD, CLOUD_PLANT
from tests.unit.cloud.kept import kept_in
from tests.unit.cloud.whole_plant import WholePlant

CLOUD = CLOUD_HEAD + CLOUD_PLANT.replace(
    '"file:mini/edge-1.crt"', '"file:mini/edge-a.crt", "file:mini/edge-b.crt"'
)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[WholePlant, Path]:
    folder = tmp_path_factory.mktemp("cloud")
    whole = WholePlant(folder)
    whole.commit(kept_in(folder))
    (folder / "CLOUD.toml").write_text(CLOUD)
    return whole, folder


@pytest.fixture
def home(good: tuple[WholePlant, Path], tmp_path: Path) -> Path:
    """A folder with CLOUD.toml, keys and evidence."""
    shutil.copytree(good[1], tmp_path / "home")
    return tmp_path / "home"
