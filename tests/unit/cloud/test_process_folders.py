"""Folders of CLOUD.toml that the disk refuses at the start: file, key, and exit status 2."""

from pathlib import Path

import pytest

from cloud import cli
from tests.unit.cloud.evidence_examples import CLOUD_HEAD, CLOUD_PLANT, make_plant

TEXT = f"""\
{CLOUD_HEAD}archive_dir = "archives"
[broker]
mode = "external"
url = "mqtt://127.0.0.1:9"
{CLOUD_PLANT}"""


@pytest.mark.parametrize(("key", "name"), [("state_dir", "state"), ("archive_dir", "archives")])
@pytest.mark.parametrize(
    ("taken", "words"),
    [("{name}", "is a file: name a folder"), ("{name}/below", "Not a directory")],
)
def test_a_file_where_a_folder_must_be(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    key: str,
    name: str,
    taken: str,
    words: str,
) -> None:
    make_plant(tmp_path)
    config = tmp_path / "CLOUD.toml"
    config.write_text(TEXT.replace(f'"{name}"', f'"{taken.format(name=name)}"'))
    (tmp_path / name).write_text("kept")
    assert cli.main(["run", str(config)]) == 2
    printed = capsys.readouterr()
    assert f"{config}: cloud.{key}: {tmp_path / name}" in printed.err
    assert words in printed.err
    assert "ready" not in printed.out
    assert (tmp_path / name).read_text() == "kept"
    assert not (tmp_path / "evidence").exists()


def test_a_state_folder_with_a_folder_in_the_place_of_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_plant(tmp_path)
    config = tmp_path / "CLOUD.toml"
    config.write_text(TEXT)
    (tmp_path / "state" / "api.token").mkdir(parents=True)
    assert cli.main(["run", str(config)]) == 2
    assert f"{config}: cloud.state_dir: {tmp_path / 'state'} cannot be used" in (
        capsys.readouterr().err
    )
