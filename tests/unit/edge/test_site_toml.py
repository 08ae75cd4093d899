"""A site file that is no TOML, or no file: one sentence, and exit status 2."""

from pathlib import Path

import pytest

from edge.errors import SiteConfigError
from edge.site.config import load_site
from tests.unit.firmware_configs.hostile_toml import HOSTILE_TOML, assert_plain


def problem(path: Path) -> str:
    with pytest.raises(SiteConfigError) as caught:
        load_site(path)
    (found,) = caught.value.problems
    assert (found.file, found.key) == (str(path), "")
    return found.reason


@pytest.mark.parametrize("text", HOSTILE_TOML)
def test_hostile_toml_is_told_in_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text(text)
    assert problem(path).startswith("is not TOML: ")
    assert_plain(problem(path))


def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    assert problem(tmp_path) == "cannot be read: Is a directory"
