"""Backups of folders in which others may write, and beside what persons have put there."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloud import cli
from evidence import cbor
from evidence.records import encode_record, read_records
from tests.unit.cloud.commands.test_backup import refused
from tests.unit.cloud.commands.test_store import evidence_of, files
from tests.unit.cloud.store.whole_plant import PLANT

#: an attached file has 32 MiB at most; nothing beside a log has more
TERABYTE = 1 << 40


def backed_up(home: Path, out: Path) -> Path:
    assert cli.main(["backup", PLANT, str(home / "CLOUD.toml"), "--out", str(out)]) == 0
    return out / PLANT


def test_what_a_person_put_beside_it_is_nobodys_half_copy(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The damaged folder, moved away as mini.copy, was deleted: it may be the newest there is.

    So was all in a folder that a link of that name led to.
    """
    backup, evidence = backed_up(home, tmp_path / "out"), evidence_of(home)
    moved = evidence.with_name(f"{PLANT}.copy")
    evidence.rename(moved)
    mine, linked = tmp_path / "mine", evidence.with_name(f".{PLANT}.unfinished")
    (mine / PLANT).mkdir(parents=True)
    (mine / PLANT / "file").write_text("mine")
    before, restore = files(moved), ["restore", str(backup), str(home / "CLOUD.toml")]
    linked.symlink_to(mine)
    assert f"{linked.name}: Not a directory" in refused(capsys, *restore)
    assert files(mine) == {f"{PLANT}/file": b"mine"}
    linked.unlink()
    shutil.copytree(mine / PLANT, linked / "other")
    shutil.copytree(moved / "log", linked / PLANT)  # of one that was killed
    assert cli.main(restore) == 0
    assert files(evidence) == files(backup)
    assert files(moved) == before
    assert files(linked) == {"other/file": b"mine"}


def test_what_root_was_cut_short_in_is_named_to_the_service(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each night's copy of its own then ended with `Permission denied`, of no folder's path."""
    half, is_open = tmp_path / f"out/.{PLANT}.unfinished", os.open

    def closed(path: Any, *given: Any, **named: Any) -> int:
        if path == half.name:  # root's, of mode 0700
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return is_open(path, *given, **named)

    monkeypatch.setattr(os, "open", closed)
    said = refused(capsys, "backup", PLANT, home / "CLOUD.toml", "--out", half.parent)
    assert f"{half}: another user's copy runs, or was cut short" in said


def a_link(path: Path, elsewhere: Path) -> None:
    path.symlink_to(elsewhere / "secret")


def a_folder_elsewhere(path: Path, elsewhere: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.symlink_to(elsewhere)


def a_pipe(path: Path, _elsewhere: Path) -> None:
    os.mkfifo(path)


def a_folder(path: Path, _elsewhere: Path) -> None:
    path.mkdir()


def a_terabyte(path: Path, _elsewhere: Path) -> None:
    path.touch()
    os.truncate(path, TERABYTE)


@pytest.mark.parametrize(
    ("folder", "make"),
    [
        ("keys", a_folder_elsewhere), ("quarantine", a_link), ("records", a_terabyte),
        ("aside", a_link), ("aside", a_folder), ("log", a_link), ("log", a_pipe),
    ],
)  # fmt: skip
def test_root_reads_through_nothing_that_the_folders_owner_has_made(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    folder: str, make: Callable[[Path, Path], None],
) -> None:  # fmt: skip
    """What only root could read lay in a backup for all, and `fsck` called that sound."""
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "out"
    elsewhere.mkdir()
    (elsewhere / "secret").write_text("of root")
    path = evidence_of(home) / folder / ("state" if folder == "log" else "x")
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    make(path, elsewhere)
    said = refused(capsys, "backup", PLANT, home / "CLOUD.toml", "--out", out)
    name = path.parent if make is a_folder_elsewhere else path
    assert f"{name}: " in said
    assert "take it away" in said
    assert files(out) == {}


def test_a_spoilt_offset_ends_a_backup(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One bit of it, and the copy of a file that ends looked for 2^62 bytes for ever."""
    path = evidence_of(home) / "log/entries.idx"
    data = bytearray(path.read_bytes())
    data[-1] ^= 0x40  # of 8 bytes, little-endian
    path.write_bytes(data)
    size = (evidence_of(home) / "log/entries.seg").stat().st_size
    said = refused(capsys, "backup", PLANT, home / "CLOUD.toml", "--out", tmp_path / "out")
    assert f"entries.seg: ends at byte {size}, and {2**62 + size} are committed" in said


def test_a_backup_of_another_version_is_restored(home: Path, tmp_path: Path) -> None:
    """A snapshot only saves a start's time; each version has its own form of it.

    Nor was evidence said to differ from an upgrade until the collector's next stop.
    """
    backup, evidence = backed_up(home, tmp_path / "out"), evidence_of(home)
    state = backup / "log/state"
    (record,) = read_records(state.read_bytes())
    older = [cbor.decode(record)[0] - 1, "of then"]
    state.write_bytes(encode_record(cbor.encode(older)))
    whole = files(backup)
    shutil.rmtree(evidence)
    assert cli.main(["restore", str(backup), str(home / "CLOUD.toml")]) == 0
    assert files(evidence) == whole
    assert cli.main(["fsck", str(home / "CLOUD.toml")]) == 0
