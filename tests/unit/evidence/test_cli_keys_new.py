"""`stackproof keys new`: keys and certificates that belong together, and never one over another."""

from pathlib import Path

import pytest

from evidence import cli
from evidence.keys import (
    identity,
    is_issued_by,
    key_sha256,
    load_certificate,
    load_private,
    public_key,
)


def new(folder: Path, *more: str) -> int:
    return cli.main(["keys", "new", "--out", str(folder), "--plant", "p1", *more])


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_new_keys_belong_together(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new(tmp_path, "--gateway", "edge-1", "--gateway", "edge-2", "--kind", kind) == 0
    out = capsys.readouterr().out
    root = load_certificate(tmp_path / "root.crt")
    assert identity(root) == ("root", "p1", "p1")
    assert f"root key SHA-256: {key_sha256(public_key(root)).hex()}" in out
    for role, name in (("collector", "collector"), ("gateway", "edge-1"), ("gateway", "edge-2")):
        certificate = load_certificate(tmp_path / f"{name}.crt")
        assert identity(certificate) == (role, "p1", name)
        assert is_issued_by(certificate, root)
        private = load_private(tmp_path / f"{name}.pem")
        assert key_sha256(private.public_key()) == key_sha256(public_key(certificate))
    assert {p.stat().st_mode & 0o777 for p in tmp_path.glob("*.pem")} == {0o600}


def test_existing_keys_are_kept_and_new_ones_added(tmp_path: Path) -> None:
    assert new(tmp_path, "--gateway", "edge-1") == 0
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert new(tmp_path, "--gateway", "edge-1", "--gateway", "edge-2") == 0
    after = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert before.items() <= after.items()
    assert set(after) - set(before) == {"edge-2.pem", "edge-2.crt"}
    assert is_issued_by(
        load_certificate(tmp_path / "edge-2.crt"), load_certificate(tmp_path / "root.crt")
    )


@pytest.mark.parametrize("lost", ["root.crt", "collector.crt", "edge-1.crt"])
def test_a_certificate_that_was_not_written_is_written_next_time(tmp_path: Path, lost: str) -> None:
    """The power went between key and certificate."""
    assert new(tmp_path, "--gateway", "edge-1") == 0
    key = (tmp_path / lost).with_suffix(".pem").read_bytes()
    (tmp_path / lost).unlink()
    assert new(tmp_path, "--gateway", "edge-1") == 0
    assert (tmp_path / lost).with_suffix(".pem").read_bytes() == key
    root = load_certificate(tmp_path / "root.crt")
    for name in ("collector", "edge-1"):
        assert is_issued_by(load_certificate(tmp_path / f"{name}.crt"), root)


@pytest.mark.parametrize(
    "more",
    [
        ["--gateway", "Edge"], ["--gateway", "a/b"], ["--gateway", "../x"], ["--gateway", ""],
        ["--gateway", "x" * 41], ["--collector", "a b"], ["--gateway", "root"],
        ["--gateway", "collector"], ["--gateway", "a", "--gateway", "a"],
        ["--collector", "root"], ["--collector", "edge-1", "--gateway", "edge-1"],
    ],
)  # fmt: skip
def test_names_that_cannot_be_are_refused_before_anything_is_written(
    tmp_path: Path, more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert new(tmp_path / "keys", *more) == 2
    assert capsys.readouterr().err.startswith("stackproof keys: ")
    assert not (tmp_path / "keys").exists()


def test_a_folder_of_another_plant_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new(tmp_path) == 0
    before = sorted(p.name for p in tmp_path.iterdir())
    arguments = ["keys", "new", "--out", str(tmp_path), "--plant", "p2", "--gateway", "edge-1"]
    assert cli.main(arguments) == 2
    assert "is the root of p1" in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_an_open_root_key_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new(tmp_path) == 0
    (tmp_path / "root.pem").chmod(0o644)
    assert new(tmp_path, "--gateway", "edge-1") == 2
    assert "chmod 600" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert new(tmp_path / "file" / "keys") == 2
    assert "stackproof keys: " in capsys.readouterr().err
