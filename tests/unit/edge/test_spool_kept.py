"""How long hashes of freed objects are known, and spools of other formats."""

import hashlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from edge.errors import OtherFormatError, UnmadeError
from edge.spool import FREED_MAX, Spool, Stored
from edge.spool_reader import SpoolReader
from tests.unit.edge.test_spool import MIB, stored

MINUTE_NS = 60 * 10**9
DAY_NS = 86_400 * 10**9


def known(spool: Spool, count: int) -> list[int]:
    return [seq for seq in range(count) if spool.hash_at(seq) is not None]


@pytest.mark.parametrize("together", [1, 5])
def test_of_freed_hashes_the_newest_are_kept_and_the_last_of_each_quarter_hour(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    """An object each four minutes: 0, 4, 8, 12 | 16, 20, 24, 28 | 32, 36, 40, 44 | 48, and on."""
    assert FREED_MAX >= 10_000
    monkeypatch.setattr("edge.spool.FREED_MAX", 3)
    for seq in range(20):
        spool.append(stored(seq, through_ns=4 * seq * MINUTE_NS), state={})
        if seq % together == together - 1:
            spool.release(seq, b"r")
    assert known(spool, 20) == [3, 7, 11, 14, 17, 18, 19]  # 12, 28, 44, 56 min; and the newest


def test_last_of_a_quarter_hour_is_forgotten_after_400_days(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.spool.FREED_MAX", 2)
    for seq in range(500):
        spool.append(stored(seq, through_ns=seq * DAY_NS), state={})
        spool.release(seq, b"r")
    # behind the last that is no longer the newest (497) is 498: what is of 98 or later is kept
    assert known(spool, 500) == list(range(98, 500))


def test_a_close_that_comes_75_days_late_finds_its_hash(tmp_path: Path) -> None:
    """Frames of 10 s from 2026-11-30 20:00 in China on; the month ends at 16:00 UTC.

    `date -u -d @1796054400` is Mon Nov 30 16:00:00 UTC 2026. At 10 s, an hour has 360 frames: the
    last that is of November is number 4 × 360 - 1.
    """
    end_ns, day = 1_796_054_400 * 10**9, 8_640
    spool = Spool(tmp_path / "spool.sqlite", bytes_max=2**30)

    def stand(seq: int) -> Stored:
        at_ns = end_ns + (10 * seq - 4 * 3600) * 10**9
        return Stored(seq, "test", hashlib.sha256(b"%d" % seq).digest(), b"", 0, at_ns)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edge.spool.FREED_MAX", day)
        for first in range(0, 75 * day, day):
            spool.append(*map(stand, range(first, first + day)), state={})
            spool.release(first + day - 1, b"r")
    assert spool.hash_at(4 * 360 - 1) == stand(4 * 360 - 1).sha256
    assert spool.hash_at(4 * 360) is None
    # a day of all, and 96 quarter hours a day of the rest
    assert spool._rows("SELECT count(*) FROM freed") == [(day + 74 * 96,)]
    assert spool.usage().bytes < 1.0 * MIB
    spool.close()


def test_other_format_is_refused(spool: Spool, path: Path) -> None:
    spool.close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 5")
    db.execute("INSERT INTO open (tick) VALUES (x'03')")
    db.commit()
    crashed = path.with_name("crashed.sqlite")  # its newest tick stands in the -wal file alone
    for end in ("", "-wal"):
        shutil.copy(f"{path}{end}", f"{crashed}{end}")
    db.close()
    before = [Path(f"{crashed}{end}").read_bytes() for end in ("", "-wal")]
    with pytest.raises(OtherFormatError):
        Spool(crashed, bytes_max=MIB)
    assert [Path(f"{crashed}{end}").read_bytes() for end in ("", "-wal")] == before
    says = "spool format 5; this program knows 4. A newer program wrote it: start that one"
    for program in (lambda: Spool(path, bytes_max=MIB), lambda: SpoolReader(path)):
        with pytest.raises(OtherFormatError, match=says) as caught:
            program()
        assert "0 objects wait for a receipt, and stop it. What to do: 1." in str(caught.value)


def test_spool_that_the_agent_is_just_laying_out_is_told_as_such(tmp_path: Path) -> None:
    (path := tmp_path / "spool.sqlite").touch()
    with pytest.raises(UnmadeError, match="ask again, and start the agent"):
        SpoolReader(path)
    Spool(path, bytes_max=MIB).close()
    SpoolReader(path).close()
