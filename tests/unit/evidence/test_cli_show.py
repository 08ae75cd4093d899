"""`stackproof keys show`: whose each file is, and the hash of its key as openssl makes it."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from evidence.keys import load_certificate
from tests.unit.evidence.test_cli_keys import csr, run


def test_show_tells_whose_each_file_is_and_the_hash_that_openssl_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`keys csr` prints it once, and writes no second request: who lost it had nothing to enrol."""
    monkeypatch.chdir(tmp_path)
    assert run("new", "--out", ".", "--plant", "p1", "--gateway", "edge-1") == 0
    assert run(*csr()) == 0
    Path("pub.pem").write_bytes(
        subprocess.run(
            ["openssl", "pkey", "-in", "new.pem", "-pubout"], capture_output=True, check=True
        ).stdout
    )
    Path("two.pem").write_bytes(Path("root.crt").read_bytes() + Path("edge-1.crt").read_bytes())
    capsys.readouterr()
    assert run("show", "new.csr", "new.pem", "pub.pem", "two.pem") == 0
    said = capsys.readouterr().out.splitlines()
    der = subprocess.run(
        ["openssl", "pkey", "-in", "new.pem", "-pubout", "-outform", "DER"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    new = f"key SHA-256: {hashlib.sha256(der).hexdigest()}"
    assert said[:6] == [
        "new.csr: request of gateway p1/edge-1", new, "new.pem: private key", new,
        "pub.pem: public key", new,
    ]  # fmt: skip
    assert [line.partition(",")[0] for line in said[6::2]] == [
        "two.pem: root of p1", "two.pem: gateway p1/edge-1",
    ]  # fmt: skip
    ends = load_certificate(Path("edge-1.crt")).not_valid_after_utc
    assert said[8].endswith(f" to {ends:%Y-%m-%d}")
    assert said[7] != said[9]
    assert "PRIVATE KEY" not in "".join(said)


@pytest.mark.parametrize("data", [b"", b"x", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_show_names_a_file_that_is_none(
    data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.pem").write_bytes(data)
    assert run("show", tmp_path / "a.pem") == 2
    assert "a.pem: " in capsys.readouterr().err
