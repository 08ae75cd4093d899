"""`stackproof cloud backup`: a copy that is whole, checked, and of nobody else's."""

import errno
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cloud import cli
from cloud.database import copying
from tests.unit.cloud.kept import FILE, evidence_in
from tests.unit.cloud.read_plant import read_plant
from tests.unit.cloud.whole_plant import WholePlant


def backup(home: Path, out: Path) -> int:
    return cli.main(["backup", str(home / "CLOUD.toml"), "--out", str(out)])


def refused(capsys: pytest.CaptureFixture[str], home: Path, out: Path) -> str:
    assert backup(home, out) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def test_a_copy_is_whole_while_a_collector_writes(
    good: tuple[WholePlant, Path], home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without sessions, links and tokens: what was ended since would be good again."""
    whole, out = good[0], tmp_path / "out"
    with closing(sqlite3.connect(home / FILE)) as sql, sql:
        rows = [(kind, "1", "sun", "{}") for kind in ("Account", "Session", "Token", "Link")]
        sql.executemany("INSERT INTO account_row VALUES (?, ?, ?, ?)", rows)
    with closing(evidence_in(home)) as store:
        plant = whole.again_in(store)
        plant.stage_key_file("left.crt", b"not committed")
        assert backup(home, out) == 0
    said = capsys.readouterr().out
    assert said.startswith("backed up mini: 22 log entries, 12 objects, ")
    assert said.endswith(f": {out / FILE}\n")
    copy = out / FILE
    assert copy.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in out.iterdir()] == [FILE]
    held = read_plant(copy, whole.keys.collector.public_key)
    assert held == {"edge-a": whole.a.objects, "edge-b": whole.b.objects}
    with closing(sqlite3.connect(copy)) as sql:
        assert sql.execute("SELECT kind FROM account_row").fetchall() == [("Account",)]
    assert f"{copy}: is there already" in refused(capsys, home, out)
    for path in home.glob(f"{FILE}*"):
        path.unlink()
    shutil.copy(copy, home / FILE)
    assert cli.main(["fsck", str(home / "CLOUD.toml")]) == 0


def test_damaged_evidence_is_not_called_a_backup(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(home / FILE)) as sql, sql:
        sql.execute("UPDATE object SET data = x'00' WHERE id = 3")
    said = refused(capsys, home, tmp_path / "out")
    assert "not copied: object/edge-" in said
    assert list((tmp_path / "out").iterdir()) == []
    (home / FILE).write_bytes((home / FILE).read_bytes()[:4096] + b"\xff" * 8192)
    assert FILE in refused(capsys, home, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_server_has_its_own_way(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = home / "CLOUD.toml"
    text = config.read_text()
    config.write_text(text.replace("[cloud]", '[cloud]\ndatabase = "postgresql+psycopg://db/e"'))
    assert "back it up as its manual says (docs/database.md)" in refused(
        capsys, home, tmp_path / "o"
    )
    assert not (tmp_path / "o").exists()
    config.write_text(text.replace("[cloud]", '[cloud]\ndatabase = "sqlite:///none.db"'))
    assert "none.db: cannot be copied" in refused(capsys, home, tmp_path / "o")


def test_a_database_of_before_accounts_were_in_it_is_copied(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as old, old:
        old.execute("CREATE TABLE setting (name TEXT, value TEXT)")
        old.execute("INSERT INTO setting VALUES ('clock', 'real')")
    copying.copy_database(tmp_path / "old.db", tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT * FROM setting").fetchall() == [("clock", "real")]


def test_what_a_person_put_beside_it_is_nobodys_half_copy(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, mine = tmp_path / "out", tmp_path / "mine"
    half = out / f".{FILE}.unfinished"
    mine.mkdir()
    out.mkdir()
    (mine / FILE).write_text("mine")
    half.symlink_to(mine)
    assert f"{half.name}: Not a directory" in refused(capsys, home, out)
    assert (mine / FILE).read_text() == "mine"
    half.unlink()
    half.mkdir()
    (half / "other").write_text("mine")
    (half / FILE).write_text("of one that was killed")
    assert backup(home, out) == 0
    assert (half / "other").read_text() == "mine"
    assert [path.name for path in half.iterdir()] == ["other"]


def test_what_root_was_cut_short_in_is_named_to_the_service(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each night's copy of its own then ended with `Permission denied`, of no folder's path."""
    half, is_open = tmp_path / f"out/.{FILE}.unfinished", os.open

    def closed(path: Any, *given: Any, **named: Any) -> int:
        if path == half.name:  # root's, of mode 0700
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return is_open(path, *given, **named)

    monkeypatch.setattr(os, "open", closed)
    assert f"{half}: another user's copy runs, or was cut short" in refused(
        capsys, home, half.parent
    )


def test_two_copies_to_one_place_do_not_sweep_each_other(tmp_path: Path) -> None:
    to = tmp_path / "out" / FILE
    with copying.beside(to) as made:
        made.write_text("the first one's")
        with (
            pytest.raises(Exception, match="another copy to it runs just now"),
            copying.beside(to),
        ):
            pass
        assert made.read_text() == "the first one's"
    assert to.read_text() == "the first one's"


def test_a_full_disk_leaves_nothing(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(copying, "_write", full)
    assert "No space left on device: nothing was put in place" in refused(
        capsys, home, tmp_path / "out"
    )
    assert list((tmp_path / "out").iterdir()) == []
