"""Writes that last: what is synced, when, and what a refusing disk leaves."""

import ctypes
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cloud.store import disk as disk_module
from cloud.store.disk import SYNCFS_FILES_MIN, Disk, Pending, cut


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of files and folders in the order they are synced; the sync itself still happens."""
    calls: list[str] = []

    def watch(name: str) -> Callable[[int], None]:
        real = getattr(os, name)

        def call(file: int) -> None:
            calls.append(f"{name} {Path(f'/proc/self/fd/{file}').readlink().name}")
            real(file)

        return call

    for name in ("fdatasync", "fsync"):
        monkeypatch.setattr(os, name, watch(name))
    return calls


def test_bytes_land_at_their_offset_and_folders_are_made(disk: Disk, tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.seg"
    disk.write(path, 0, b"hello ")
    disk.write(path, 6, b"world")
    disk.write(path, 0, bytearray(b"J"))
    assert path.read_bytes() == b"Jello world"


def test_a_link_is_not_followed(disk: Disk, tmp_path: Path) -> None:
    """Root, who makes an index again, would write where the folder's owner lets it lead."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"root's own")
    for name in ("a", "b.new"):
        (tmp_path / name).symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        disk.write(tmp_path / "a", 0, b"evidence")
    with pytest.raises(OSError, match="symbolic links"):
        disk.replace(tmp_path / "b", b"evidence")
    assert victim.read_bytes() == b"root's own"


def test_sync_covers_new_folders_too_and_only_once(
    disk: Disk, tmp_path: Path, synced: list[str]
) -> None:
    disk.write(tmp_path / "day" / "13.seg", 0, b"x")
    disk.sync()
    assert synced[0] == "fdatasync 13.seg"
    assert sorted(synced[1:]) == ["fsync day", f"fsync {tmp_path.name}"]
    synced.clear()
    disk.write(tmp_path / "day" / "13.seg", 1, b"y")
    disk.sync()
    disk.sync()
    assert synced == ["fdatasync 13.seg"]


def test_what_can_be_rebuilt_is_not_synced_until_it_must_last(
    disk: Disk, tmp_path: Path, synced: list[str]
) -> None:
    disk.write(tmp_path / "edge.idx", 0, b"x", lasting=False)
    disk.must_last([tmp_path / "absent"])
    disk.sync()
    assert synced == [f"fsync {tmp_path.name}"]
    disk.must_last([tmp_path / "edge.idx"])
    disk.sync()
    assert synced[1:] == ["fdatasync edge.idx", f"fsync {tmp_path.name}"]


def test_a_replacement_shows_only_after_publish(disk: Disk, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    path.write_bytes(b"old and longer")
    disk.replace(path, b"new")
    disk.sync()
    assert path.read_bytes() == b"old and longer"
    disk.publish()
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_replaced_often_stays_beside_the_new_one(disk: Disk, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    for data in (b"first", b"second, longer", b"3rd"):
        disk.replace(path, data, often=True)
        disk.sync()
        disk.publish()
        assert path.read_bytes() == data
    assert (tmp_path / "checkpoint.new").read_bytes() == b"second, longer"


def test_without_exchange_a_file_is_renamed(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_module, "_RENAMEAT2", None)
    for data in (b"first", b"second"):
        disk.replace(tmp_path / "checkpoint", data, often=True)
        disk.publish()
        assert (tmp_path / "checkpoint").read_bytes() == data
    assert not (tmp_path / "checkpoint.new").exists()


def test_what_is_forgotten_is_never_published(disk: Disk, tmp_path: Path) -> None:
    disk.replace(tmp_path / "checkpoint", b"new")
    disk.forget()
    disk.publish()
    assert not (tmp_path / "checkpoint").exists()


def test_many_files_are_one_sync(
    disk: Disk, tmp_path: Path, synced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def syncfs(file: int) -> int:
        calls.append(os.stat(file).st_ino)
        return 0

    monkeypatch.setattr(disk_module, "_SYNCFS", syncfs)
    for n in range(SYNCFS_FILES_MIN):
        disk.write(tmp_path / f"{n}", 0, b"x")
    disk.sync()
    assert calls == [tmp_path.stat().st_ino]
    assert synced == []


def test_the_real_syncfs_is_there_on_linux(tmp_path: Path) -> None:
    file = os.open(tmp_path, os.O_RDONLY)
    call = disk_module._SYNCFS  # the call itself: a mistaken declaration would only show here
    assert call is not None
    assert call(file) == 0
    os.close(file)
    assert call(file) == -1
    assert ctypes.get_errno() == errno.EBADF


@pytest.mark.parametrize(
    ("release", "tells"),
    [
        ("4.19.90-52.22.v2207.ky10.x86_64", False),  # syncfs(2): before 5.8 EBADF alone fails
        ("5.7.19", False),
        ("5.8.0-rc1", True),
        ("5.10.0-23-amd64", True),
        ("6.1.0", True),
        ("10.0", True),
        ("unknown", False),
    ],
)
def test_no_receipt_rests_on_a_syncfs_that_tells_no_error(release: str, tells: bool) -> None:
    assert disk_module.syncfs_tells(release) is tells


def test_a_failing_syncfs_is_an_error(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def syncfs(_file: int) -> int:
        ctypes.set_errno(errno.EIO)
        return -1

    monkeypatch.setattr(disk_module, "_SYNCFS", syncfs)
    for n in range(SYNCFS_FILES_MIN):
        disk.write(tmp_path / f"{n}", 0, b"x")
    with pytest.raises(OSError, match="Input/output error") as caught:
        disk.sync()
    assert caught.value.errno == errno.EIO


def test_short_writes_go_on(disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, at: real(file, data[:3], at))
    disk.write(tmp_path / "f", 0, b"0123456789")
    assert (tmp_path / "f").read_bytes() == b"0123456789"


def test_pending_bytes_are_one_write_a_file(disk: Disk, tmp_path: Path) -> None:
    pending = Pending()
    (tmp_path / "f").write_bytes(b"ab")
    pending.add(tmp_path / "f", 2, b"cd")
    pending.add(tmp_path / "f", 4, b"ef")
    pending.write(disk)
    assert (tmp_path / "f").read_bytes() == b"abcdef"
    cut(tmp_path / "f", 2)
    pending.write(disk)  # a second try writes the same
    assert (tmp_path / "f").read_bytes() == b"abcdef"
    pending.clear()
    cut(tmp_path / "f", 0)
    pending.write(disk)
    assert (tmp_path / "f").read_bytes() == b""


def test_cut_says_how_much_went(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"0123456789")
    assert cut(tmp_path / "f", 4) == 6
    assert cut(tmp_path / "f", 4) == 0
    assert cut(tmp_path / "f", 9) == 0
    assert (tmp_path / "f").read_bytes() == b"0123"
    assert cut(tmp_path / "absent", 0) == 0
    assert not (tmp_path / "absent").exists()
