"""State that a newer program wrote: refused with what to do, or made again, and never changed."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from cloud.accounts.store import AccountStore
from cloud.errors import OtherVersionError
from cloud.month.facts import Facts
from cloud.review.openings import Openings

#: what opens it, its file, and whether an older program may begin it anew
STORES: list[tuple[Callable[[Path], AccountStore | Facts | Openings], str, bool]] = [
    (AccountStore, "accounts.db", False),
    (Facts, "months.db", True),
    (Openings, "openings.db", False),
]


@pytest.mark.parametrize(("store", "name", "is_remade"), STORES)
def test_refused_and_left_as_it_is(
    store: Callable[[Path], AccountStore | Facts | Openings], name: str, is_remade: bool,
    tmp_path: Path,
) -> None:  # fmt: skip
    store(tmp_path).close()
    path = tmp_path / name
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 7")
    newer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    newer.close()
    before = path.read_bytes()
    with pytest.raises(OtherVersionError, match="format 7, this program knows 1") as caught:
        store(tmp_path)
    assert ("delete the file" in str(caught.value)) is is_remade
    assert path.read_bytes() == before
