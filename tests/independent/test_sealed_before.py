"""Archives that an earlier program sealed: today's verifiers make the same figures of them.

One of each sector, made by the tests' own months at commit 523739f, before bridges, leaps and other
frameworks were there; documents of persons are in steel's. They are not made again: a figure that
moves in a sealed month is a defect, whatever the reason.
"""

import tarfile
from pathlib import Path

import pytest

from tests.attacks.forging import ROOT_SHA256
from tests.independent.other import compare, verify_there
from tests.unit.evidence import sealed_month as sm
from tests.untar import untar

SEALED = Path(__file__).parents[1] / "vectors/sealed-2026-11-27.tar.xz"

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("npm")]


def test_months_sealed_before_keep_their_bytes(tmp_path: Path) -> None:
    with tarfile.open(SEALED) as packed:
        untar(packed, tmp_path)
    files = sorted(tmp_path.iterdir())
    assert [file.stem for file in files] == ["aluminium", "cement", "steel"]
    for file, answer in zip(files, verify_there(files, [ROOT_SHA256]), strict=True):
        found = compare(sm.check(file.read_bytes()), answer)
        assert found.verdicts == ("passed", "passed")
        assert found.differences() == []
