"""`stackproof record` and `cloud person`: what is signed, said, sent, and how it ends."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from cloud import cli
from cloud.commands import records as cli_records
from evidence.documents.document import decode_document
from evidence.keys import write_private
from tests.unit.cloud.fake_collector import TOKEN, FakeCollector
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

#: the small plant's invoice, as somebody writes it
BODY = """\
number = "0001"
party = "Coal Ltd"
part = "purchased"
value = "120.50"
unit = "t"
from_ns = 2026-05-01T12:59:40+08:00
to_ns = "2026-06-01T04:59:40Z"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "body.toml").write_text(BODY)
    (tmp_path / "scan.pdf").write_bytes(pp.SCAN)
    write_private(tmp_path / "li.pem", pp.key_of("li")._key)
    return tmp_path


def sign(*more: str, about: str = "anthracite") -> int:
    return cli_records.main(
        ["sign", "--key", "li.pem", "--plant", "test-smelter", "--person", "li", "--kind",
         "invoice", "--about", about, *more, "body.toml", "scan.pdf", "-o", "out.cose"]
    )  # fmt: skip


def test_what_is_signed_is_what_was_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sign("--follows", "ab" * 32) == 0
    data = (folder / "out.cose").read_bytes()
    document = decode_document(data, pp.key_of("li").public_key)
    assert document.body == pp.INVOICE
    assert document.follows == (b"\xab" * 32,)
    assert document.files == (pp.file_of(pp.SCAN, "scan.pdf"),)
    assert sm.sha256(data).hex() in capsys.readouterr().out
    assert cli_records.main(["show", "out.cose"]) == 0
    said = capsys.readouterr()
    facts = json.loads(said.out)
    assert (facts["sha256"], facts["person"]) == (sm.sha256(data).hex(), "li")
    assert facts["body"]["from_ns"] == "2026-05-01T04:59:40Z"
    assert "was not checked" in said.err
    assert sign() == 2  # nothing is overwritten
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: (f / "body.toml").write_text("number = 1"), "number: must be one line"),
        (lambda f: (f / "body.toml").write_text("= ="), "body.toml: "),
        (lambda f: (f / "body.toml").write_text('from_ns = "soon"'), "from_ns: must be an instant"),
        (lambda f: (f / "scan.pdf").write_bytes(b"MZ\x00"), "scan.pdf: neither PDF"),
        (lambda f: (f / "scan.pdf").unlink(), "scan.pdf: cannot be read"),
        (lambda f: (f / "li.pem").chmod(0o644), "open to others"),
    ],
)
def test_what_cannot_be_signed_is_said(
    change: Any, words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(folder)
    assert sign() == 2
    assert words in capsys.readouterr().err
    assert not (folder / "out.cose").exists()


def test_a_document_is_sent_with_its_files(
    folder: Path, collector: FakeCollector, capsys: pytest.CaptureFixture[str]
) -> None:
    path = "plants/test-smelter/documents"
    collector.answer(path, {"index": 7, "sha256": "ab"})
    (folder / "token").write_text(TOKEN + "\n")
    assert sign() == 0
    url = f"http://127.0.0.1:{collector.server_port}/"
    send = ["send", url, "out.cose", "scan.pdf", "--token", "file:token"]
    assert cli_records.main(send) == 0
    assert "test-smelter: log entry 7, document ab" in capsys.readouterr().out
    (asked,) = collector.asked
    assert asked[:2] == ("POST", f"/api/v1/{path}")
    assert asked[3] == f"Bearer {TOKEN}"
    sent = (folder / "out.cose").read_bytes()
    assert base64.b64decode(asked[2]["document"]) == sent
    assert [base64.b64decode(file) for file in asked[2]["files"]] == [pp.SCAN]
    collector.answer(path, {"detail": "no such key"}, 422)
    assert cli_records.main(send) == 1
    assert "no such key" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "token", "words"),
    [
        ("http://collector.example/", "file:token", "with TLS only"),
        ("ftp://127.0.0.1/", "file:token", "with TLS only"),
        ("http://[", "file:token", "is no address"),
        ("https://collector.example/", "secret", "write file:PATH"),
        ("https://collector.example/", "env:NO_SUCH_NAME", "write file:PATH"),
    ],
)
def test_a_token_goes_where_nobody_listens(
    url: str, token: str, words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "token").write_text(TOKEN)
    assert sign() == 0
    assert cli_records.main(["send", url, "out.cose", "--token", token]) != 0
    assert words in capsys.readouterr().err


def test_a_person_is_enrolled_with_the_public_half_of_a_key(
    folder: Path, config: str, collector: FakeCollector, capsys: pytest.CaptureFixture[str]
) -> None:
    collector.answer("plants/mini/persons", {"sha256": "ab"})
    order = ["person", config, "--plant", "mini", "--id", "wang", "--name", "Wang",
             "--organisation", "Mini", "--key"]  # fmt: skip
    assert cli.main([*order, "li.pem"]) == 0
    assert "wang is enrolled as security; document ab" in capsys.readouterr().out
    spki = pp.spki(pp.key_of("li"))
    assert collector.asked[0][2] == {
        "person": "wang", "name": "Wang", "organisation": "Mini", "role": "security",
        "region": "", "key": spki.hex(),
    }  # fmt: skip
    assert cli.main([*order, "li.pem", "--role", "reviewer"]) == 2
    assert "a reviewer decides for a region" in capsys.readouterr().err
    for told, region in (("37", "37"), ("*", "")):
        assert cli.main([*order, "li.pem", "--role", "reviewer", "--region", told]) == 0
        assert collector.asked[-1][2]["region"] == region
    assert cli.main([*order, "li.pem"]) == 0
    body = base64.encodebytes(spki).decode()
    (folder / "li.pub").write_text(f"-----BEGIN PUBLIC KEY-----\n{body}-----END PUBLIC KEY-----\n")
    assert cli.main([*order, "li.pub"]) == 0
    assert collector.asked[-1][2] == collector.asked[0][2]
    (folder / "li.pub").write_text("no key")
    assert cli.main([*order, "li.pub"]) == 2
    assert "li.pub: no key that can be used" in capsys.readouterr().err
