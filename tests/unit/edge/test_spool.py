"""The spool: what is kept, what is freed, what is refused. Crashes are in the integration tests."""

import hashlib
import sqlite3
from pathlib import Path

import pytest

from edge.errors import AlteredError, SpoolError, SpoolGoneError
from edge.spool import Spool, Stored, is_in_use
from edge.spool_reader import SpoolReader, Unsigned
from evidence.chain import Head

MIB = 1024 * 1024


def stored(seq: int, size: int = 100, through_ns: int = 0) -> Stored:
    data = seq.to_bytes(8, "big") * (size // 8)
    return Stored(seq, "test", hashlib.sha256(data).digest(), data, seq * 10, through_ns)


def reopened(spool: Spool, path: Path) -> Spool:
    spool.close()
    return Spool(path, bytes_max=16 * MIB)


def test_durability_settings(spool: Spool, path: Path) -> None:
    db = spool._db
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_several_objects_are_appended_together_or_not_at_all(spool: Spool) -> None:
    spool.commit_ticks([b"open"])
    with pytest.raises(ValueError, match=r"seqs \[0, 2\] do not follow"):
        spool.append(stored(0), stored(2), state={})
    bad: dict[str, bytes] = {"x": None}  # type: ignore[dict-item] # NOT NULL
    with pytest.raises(SpoolError):
        spool.append(stored(0), stored(1), state=bad, closes_ticks=True)
    assert spool.objects(0, 9) == []
    assert spool.open_ticks() == [b"open"]
    spool.append(stored(0), stored(1), state={"x": b"1"}, closes_ticks=True)
    assert spool.objects(0, 9) == [stored(0), stored(1)]
    assert spool.head() == Head(2, stored(1).sha256)


def test_release_frees_up_to_the_seq_and_remembers_hashes(spool: Spool, path: Path) -> None:
    for seq in range(5):
        spool.append(stored(seq, through_ns=seq), state={})
    assert spool.release(2, b"receipt of 2") == 3
    assert [s.seq for s in spool.objects(0, 10)] == [3, 4]
    assert [s.seq for s in spool.objects(4, 10)] == [4]
    assert [s.seq for s in spool.objects(0, 1)] == [3]
    assert spool.receipted_seq() == 2
    assert spool.get("receipt") == (2).to_bytes(8, "big") + b"receipt of 2"
    assert [spool.hash_at(seq) for seq in range(6)] == [*(stored(s).sha256 for s in range(5)), None]
    assert spool.usage().objects == 2
    assert spool.usage().oldest_ns == 3
    again = reopened(spool, path)
    assert again.head() == Head(5, stored(4).sha256), "the head outlives the objects"
    assert again.hash_at(0) == stored(0).sha256
    again.close()


def test_full_at_its_bound_and_room_again_after_a_receipt(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.sqlite", bytes_max=MIB)
    assert spool.fill() < 0.1
    seq = 0
    while spool.fill() < 1:
        spool.append(stored(seq, size=64 * 1024), state={})
        seq += 1
    assert 14 <= seq <= 16  # 16 × 64 KiB = 1 MiB
    assert spool.fill() >= 1
    spool.append(stored(seq, size=64 * 1024), state={})  # what closes a frame still fits
    spool.release(seq // 2, b"r")
    assert 0.3 < spool.fill() < 0.7
    spool.close()


def test_second_agent_is_refused(spool: Spool, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.spool.LOCKED_S", 0.05)
    with pytest.raises(SpoolError, match="locked; another agent runs on it"):
        Spool(path, bytes_max=MIB)
    again = reopened(spool, path)  # an old file, opened and not yet written to
    with pytest.raises(SpoolError, match="another agent"):
        Spool(path, bytes_max=MIB)
    again.close()


def test_other_files_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    other.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(SpoolError, match=r"other\.sqlite: cannot be opened as a spool"):
        Spool(other, bytes_max=MIB)
    with pytest.raises(SpoolError, match="cannot be opened"):
        Spool(tmp_path, bytes_max=MIB)


@pytest.mark.parametrize("is_signed", [True, False])
def test_damaged_file_is_set_aside_by_a_person(tmp_path: Path, is_signed: bool) -> None:
    """Neither gigabytes that wait for a receipt nor those that wait for the key keep it waiting."""
    path = tmp_path / "s.sqlite"
    spool = Spool(path, bytes_max=16 * MIB)
    for seq in range(50):
        if is_signed:
            spool.append(stored(seq, size=4000), state={})
        else:
            spool.keep_unsigned(Unsigned(bytes(4000), 1, 1, b""), state={})
    spool.close()
    data = bytearray(path.read_bytes())
    pages = len(data) // 4096
    assert pages > 40
    for page in range(pages // 2, pages // 2 + 4):
        data[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(data)
    again = Spool(path, bytes_max=16 * MIB)  # the agent starts: its readings go on
    if is_signed:
        with pytest.raises(SpoolError, match=r"malformed|has altered seq"):
            again.objects(0, 100)
    assert again.damage()
    again.close()


@pytest.mark.parametrize("table", ["state", "open", "freed"])
def test_damage_in_what_the_agent_continues_from_is_refused(tmp_path: Path, table: str) -> None:
    path = tmp_path / "s.sqlite"
    spool = Spool(path, bytes_max=16 * MIB)
    spool.append(stored(0), state={})
    query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
    page = spool._db.execute(query, (table,)).fetchone()[0]
    spool.close()
    data = bytearray(path.read_bytes())
    data[(page - 1) * 4096 : (page - 1) * 4096 + 64] = b"\xff" * 64
    path.write_bytes(data)
    with pytest.raises(SpoolError, match=r"damaged; set the file aside|malformed"):
        Spool(path, bytes_max=16 * MIB)


def test_bytes_that_the_disk_has_altered_are_never_sent(spool: Spool) -> None:
    spool.append(stored(0), state={})
    spool._db.execute("UPDATE objects SET bytes = x'00'")
    with pytest.raises(AlteredError, match="the disk has altered seq 0: it cannot be delivered"):
        spool.objects(0, 1)


def test_objects_before_an_altered_one_are_given_and_those_behind_it(
    spool: Spool, path: Path
) -> None:
    for seq in range(5):
        spool.append(stored(seq), state={})
    assert spool.oldest_seq() == 0
    spool._db.execute("UPDATE objects SET bytes = x'00' WHERE seq IN (2, 4)")
    assert [s.seq for s in spool.objects(0, 10)] == [0, 1]
    assert [s.seq for s in spool.objects(3, 10)] == [3]
    with pytest.raises(AlteredError) as caught:
        spool.objects(2, 10)
    assert caught.value.seq == 2
    assert "altered seq 2" in spool.damage()
    again = reopened(spool, path)  # its newest object too is altered: readings go on
    again.append(stored(5), state={})
    assert again.head() == Head(6, stored(5).sha256)
    again.close()


@pytest.mark.parametrize("how", ["deleted", "moved", "replaced", "folder"])
def test_nothing_is_written_into_a_file_that_nobody_can_reach(
    spool: Spool, path: Path, how: str
) -> None:
    spool.commit_ticks([b"kept"])
    if how == "folder":
        path.parent.rename(path.parent.with_name("elsewhere"))
    else:
        other = path.with_name("other")
        path.rename(other)
        if how == "deleted":
            other.unlink()
        elif how == "replaced":
            path.write_bytes(b"")
    with pytest.raises(SpoolGoneError, match="was deleted, moved or replaced under the running"):
        spool.commit_ticks([b"lost"])
    with pytest.raises(SpoolGoneError):
        spool.put({"x": b""})


def test_write_ahead_log_that_was_deleted_alone(spool: Spool, path: Path) -> None:
    spool.commit_ticks([b"kept"])
    path.with_name("spool.sqlite-wal").unlink()
    with pytest.raises(SpoolGoneError):
        spool.commit_ticks([b"lost"])


def test_others_read_beside_the_agent(spool: Spool, path: Path) -> None:
    spool.append(stored(0, through_ns=5), state={"calc": b"c"})
    beside = SpoolReader(path)
    assert is_in_use(path)
    with beside.one_moment():
        assert beside.usage().objects == 1
        spool.append(stored(1, through_ns=6), state={})
        spool.commit_ticks([b"tick"])
        assert beside.usage().objects == 1, "of one moment"
        assert list(beside.span(0, 0)) == [stored(0).data]
        assert beside.size_of(0, 9) == len(stored(0).data)
    assert beside.head().next_seq == 2
    assert beside.open_ticks() == [b"tick"]
    with pytest.raises(SpoolError, match="seq 2 is not there"):
        list(beside.span(0, 5))
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        beside._db.execute("DELETE FROM objects")
    beside.close()


def test_reading_a_stopped_agent_s_spool_leaves_it_as_it_is(spool: Spool, path: Path) -> None:
    spool.append(stored(0), state={})
    spool.close()
    assert not is_in_use(path)
    before = path.read_bytes()
    beside = SpoolReader(path)
    assert beside.objects(0, 9) == [stored(0)]
    assert beside.damage() == ""
    beside.close()
    assert path.read_bytes() == before


def test_no_spool_to_look_at(tmp_path: Path) -> None:
    assert not is_in_use(tmp_path / "none.sqlite")
    with pytest.raises(SpoolError, match="no spool here; has the agent ever run"):
        SpoolReader(tmp_path / "none.sqlite")
    (tmp_path / "text.sqlite").write_text("no database " * 100)
    with pytest.raises(SpoolError, match="cannot be read"):
        SpoolReader(tmp_path / "text.sqlite")


def test_spool_that_continues_another_device_s_stream(spool: Spool) -> None:
    spool.begin_after(41, bytes([7] * 32), {"through": b"t"})
    assert spool.head() == Head(42, bytes([7] * 32))
    assert spool.receipted_seq() == 41
    assert spool.hash_at(41) == bytes([7] * 32)
    assert spool.get("through") == b"t"
    spool.append(stored(42), state={})
    assert [s.seq for s in spool.objects(0, 9)] == [42]
    with pytest.raises(ValueError, match="cannot begin again"):
        spool.begin_after(50, bytes(32), {})


def test_true_cause_is_told_when_sqlite_ends_the_transaction_itself(spool: Spool) -> None:
    """On a full disk SQLite has rolled back by itself; the sentence must not be about that."""
    pages = spool._db.execute("PRAGMA page_count").fetchone()[0]
    spool._db.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(SpoolError, match="database or disk is full"):
        spool.commit_ticks([b"x" * 100_000])
    assert not spool._db.in_transaction
    assert spool.open_ticks() == []


def test_reads_of_a_broken_file_are_spool_errors(spool: Spool) -> None:
    spool._db.execute("DROP TABLE open")
    with pytest.raises(SpoolError, match="cannot be read: no such table"):
        spool.open_ticks()
    spool._db.execute("DROP TABLE objects")
    reads = (
        spool.usage, lambda: spool.objects(0, 1), lambda: spool.hash_at(0),
        lambda: spool.last_within(0, 1),
    )  # fmt: skip
    for read in reads:
        with pytest.raises(SpoolError, match="cannot be read"):
            read()


def test_of_days_that_wait_no_more_is_read_than_one_file_holds(spool: Spool) -> None:
    """An outbox that nobody empties asks each second, and ticks wait for the disk meanwhile."""
    spool.append(*(stored(seq) for seq in range(3_000)), state={})
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    spool._db.set_progress_handler(step, 100)
    assert spool.last_within(5, 1_000) == 14, "ten of 96 bytes"
    assert steps < 10, "of 3,000 rows it would be 100 and more"
    spool._db.set_progress_handler(None, 100)
    assert (spool.last_within(5, 99), spool.last_within(2_990, 10_000)) == (5, 2_999)
    assert spool.last_within(3_000, 1_000) is None
    assert not spool._db.in_transaction
