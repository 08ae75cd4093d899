"""bagit.py calls every kind of bag we write valid, and finds what was changed in it."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import bagit  # type: ignore[import-untyped] # it has no types
import pytest

from tests.attacks import by_time
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence import test_export as exported
from tests.untar import untar

BAGS: dict[str, Callable[[], bytes]] = {
    "a month": sm.honest, "an amended month": by_time.amended(),
    "an exported spool": exported.honest,
}  # fmt: skip


@pytest.mark.parametrize("what", BAGS)
def test_bagit_takes_what_we_write_and_no_other(what: str, tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(BAGS[what]())) as tar:
        untar(tar, tmp_path)
    (folder,) = tmp_path.iterdir()
    bagit.Bag(str(folder)).validate()
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and "seal" not in p.parts):
        whole = path.read_bytes()
        path.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
        with pytest.raises((bagit.BagError, UnicodeDecodeError)):
            bagit.Bag(str(folder)).validate()
        path.write_bytes(whole)
    bagit.Bag(str(folder)).validate()
