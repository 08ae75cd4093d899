"""CLOUD.toml names a database, or says why it cannot."""

from pathlib import Path

import pytest

from cloud.config import load_cloud
from cloud.errors import CloudConfigError
from tests.unit.cloud.evidence_examples import CLOUD_HEAD, CLOUD_PLANT, make_plant


def config(folder: Path, *lines: str) -> Path:
    make_plant(folder)
    head = CLOUD_HEAD + "".join(f"{x}\n" for x in lines)
    path = folder / "CLOUD.toml"
    path.write_text(head + CLOUD_PLANT)
    return path


def test_a_file_is_placed_beside_the_config(tmp_path: Path) -> None:
    found = load_cloud(config(tmp_path, 'database = "sqlite:///db/evidence.db"'))
    assert found.database == f"sqlite:///{tmp_path}/db/evidence.db"
    assert found.folders["evidence"] == tmp_path / "db"
    assert found.accumulated("mini") == tmp_path / "state/accumulated/mini.json"


def test_where_a_collector_of_before_wrote_its_file_is(tmp_path: Path) -> None:
    found = load_cloud(config(tmp_path, 'evidence_dir = "old"'))
    assert found.database == f"sqlite:///{tmp_path}/old/00/evidence.db"
    assert load_cloud(tmp_path / "CLOUD.toml").evidence_dir == tmp_path / "old"


def test_without_a_word_it_is_beside_the_config(tmp_path: Path) -> None:
    assert load_cloud(config(tmp_path)).database == f"sqlite:///{tmp_path}/evidence.db"


def test_a_server_has_no_folder_and_its_password_is_not_shown(tmp_path: Path) -> None:
    url = "postgresql+psycopg://me:secret@db.example/works"
    found = load_cloud(config(tmp_path, f'database = "{url}"'))
    assert (found.database, "evidence" in found.folders) == (url, False)
    assert found.where == "postgresql+psycopg://me:***@db.example/works"


@pytest.mark.parametrize(
    ("lines", "key", "says"),
    [
        (['database = "mysql://db/works"'], "cloud.database", "mysql is not supported"),
        (['database = "works"'], "cloud.database", "is no URL"),
        (['database = "sqlite://"'], "cloud.database", "it names no file"),
        (['database = "postgresql+psycopg://db"'], "cloud.database", "it names no database"),
        (['database = "sqlite:///x.db"', 'durability = "none"'], "cloud.durability",
         "write 'one machine is enough'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told(tmp_path: Path, lines: list[str], key: str, says: str) -> None:
    with pytest.raises(CloudConfigError) as caught:
        load_cloud(config(tmp_path, *lines))
    (problem,) = caught.value.problems
    assert problem.key == key
    assert says in problem.reason
