"""Where the other verifier is right by the text and ours is not yet: each ends with its repair."""

import io
from pathlib import Path

import pytest

from evidence.verifier.run import verify
from tests.attacks.corpus import KINDS
from tests.attacks.forging import ROOT_SHA256
from tests.independent.other import Comparison, compare, verify_there
from tests.independent.random_plants import month

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("npm")]


def both(folder: Path, archive: bytes) -> Comparison:
    (folder / "a.tar").write_bytes(archive)
    (answer,) = verify_there([folder / "a.tar"], [ROOT_SHA256])
    return compare(verify(io.BytesIO(archive), trust=frozenset({ROOT_SHA256})), answer)


@pytest.mark.xfail(reason="completeness counts a NaN called good as usable; FORMAT.md §3: as bad")
def test_a_number_that_is_none_is_not_usable(tmp_path: Path) -> None:
    assert both(tmp_path, month(13, nan_code=0)).differences() == []


def test_an_undecided_object_is_held_to_the_log(tmp_path: Path) -> None:
    (kind,) = [kind for kind in KINDS if kind.name == "newer: suite number of a frame spoilt"]
    assert both(tmp_path, kind.build()).differences() == []
