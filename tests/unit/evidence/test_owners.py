"""Whose a new file is: the folder's owner's where root makes it."""

import errno
import os
from pathlib import Path

import pytest

from cloud.lock import take_lock
from cloud.transport.served import alone
from edge.spool import Spool, is_in_use
from evidence.key_files import write_new
from evidence.keys import generate, load_private, write_private
from evidence.owners import give, make_folder, open_lock
from tests.service_user import USER, given, needs_root, not_given


@needs_root
def test_folders_and_files_are_the_folders_owners(tmp_path: Path) -> None:
    given(tmp_path)
    make_folder(tmp_path / "a" / "b")
    (tmp_path / "a" / "b" / "file").touch()
    give(tmp_path / "a" / "b" / "file")
    make_folder(tmp_path / "a" / "b")
    assert not_given(tmp_path) == []


@needs_root
def test_what_somebody_owns_already_stays_his(tmp_path: Path) -> None:
    """Nor does a folder of root's own take anything from anybody, nor is a link followed."""
    made, elsewhere = tmp_path / "made", tmp_path / "elsewhere"
    made.touch()
    elsewhere.touch()
    os.chown(made, 12, 13)
    given(tmp_path / "elsewhere")
    give(made, elsewhere)
    give(made)
    assert (made.stat().st_uid, made.stat().st_gid) == (12, 13)
    os.chown(made, 0, 0)
    (tmp_path / "link").symlink_to(made)
    give(tmp_path / "link", elsewhere)
    assert made.stat().st_uid == 0
    with made.open() as file:  # and somebody has put another in its place
        made.rename(tmp_path / "moved")
        made.touch()
        give(made, elsewhere, opened=file.fileno())
    assert (made.stat().st_uid, (tmp_path / "moved").stat().st_uid) == (0, USER)
    give(made, elsewhere)
    assert made.stat().st_uid == USER


def test_nobody_but_root_gives_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "chown", lambda *args, **_: asked.append(args))
    make_folder(tmp_path / "a" / "b")
    give(tmp_path / "a")
    assert asked == []


@needs_root
def test_root_that_may_not_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root of a container without that right: its files stay whose they are."""
    given(tmp_path)

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refused)
    make_folder(tmp_path / "a")
    assert (tmp_path / "a").stat().st_uid == 0


def test_what_keeps_others_out_is_its_owners_alone(tmp_path: Path) -> None:
    """Who can read a lock can hold it, and of a database keep its log from ever beginning anew."""
    before = tmp_path / "spool.lock"  # as earlier versions left it
    before.touch()
    before.chmod(0o644)
    Spool(tmp_path / "spool.sqlite", bytes_max=1 << 30).close()
    os.close(take_lock(tmp_path / "lock", "stop it"))
    with alone(tmp_path / "broker"):
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {str(path.relative_to(tmp_path)): oct(path.stat().st_mode) for path in files} == (
        dict.fromkeys(("spool.sqlite", "spool.lock", "lock", "broker/lock"), oct(0o100600))
    )


def test_a_lock_is_no_link(tmp_path: Path) -> None:
    """Root would take what it leads to out of all others' hands."""
    victim = tmp_path / "victim"
    victim.touch(0o644)
    (tmp_path / "lock").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        open_lock(tmp_path / "lock")
    assert victim.stat().st_mode & 0o777 == 0o644


def test_what_another_user_has_locked_up_is_taken_for_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who looks at a spool beside a program that he cannot ask."""

    def refuse(path: Path, flags: int) -> int:
        raise PermissionError(13, "Permission denied", path)

    assert not is_in_use(tmp_path / "spool.sqlite")
    monkeypatch.setattr(os, "open", refuse)
    assert is_in_use(tmp_path / "spool.sqlite")


def test_a_key_is_on_disk_when_it_is_made_and_half_of_one_is_not_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stick pulled at once had an empty root key; a full disk's half kept the next try away."""
    synced, sync = dict[str, int](), os.fsync

    def fsync(file: int) -> None:
        synced[str(Path(f"/proc/self/fd/{file}").readlink())] = os.fstat(file).st_size
        sync(file)

    def refuse(file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    root, request = tmp_path / "keys/root.pem", tmp_path / "keys/edge-1.csr"
    for make in (lambda: write_private(root, generate()), lambda: write_new(request, b"request")):
        monkeypatch.setattr(os, "fsync", refuse)
        with pytest.raises(OSError, match="No space left"):
            make()
        assert not list((tmp_path / "keys").iterdir()), "the next try would find it there already"
        monkeypatch.setattr(os, "fsync", fsync)
        make()
        (made,) = (tmp_path / "keys").iterdir()
        assert synced.pop(str(made)) == made.stat().st_size > 0
        assert str(made.parent) in synced, "its name, too"
        made.rename(tmp_path / made.name)
    assert load_private(tmp_path / "root.pem")
    assert (tmp_path / "root.pem").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "edge-1.csr").read_bytes() == b"request"
