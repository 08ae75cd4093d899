"""`stackproof cloud import` and `receipts export`: what is said, and how it ends."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from cloud import cli
from cloud.commands import one_way as cli_one_way
from cloud.errors import RefusedError

FACTS = {
    "plant": "mini", "stream": "edge-1", "first": 4, "last": 9, "accepted": 6, "held": 0,
    "next_seq": 10, "missing": None, "refused": None,
}  # fmt: skip


class Collector:
    """Answers as it is told, in turn, and remembers what it was sent."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.sent = list(answers), list[tuple[str, bytes]]()

    def __call__(self, config: Path) -> "Collector":
        return self

    def send(self, path: str, chunks: Iterable[bytes], timeout_s: float) -> Any:
        self.sent.append((path, b"".join(chunks)))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def get(self, path: str) -> Any:
        self.sent.append((path, b""))
        return self.answers.pop(0)


def answering(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> Collector:
    made = Collector(*answers)
    monkeypatch.setattr(cli_one_way, "RunningCollector", made)
    return made


def bag(folder: Path, data: bytes = b"bag") -> str:
    path = folder / "a.tar"
    path.write_bytes(data)
    return str(path)


def test_a_file_is_sent_as_it_is_and_its_account_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    large = bytes(range(256)) * 9_000
    collector = answering(monkeypatch, FACTS)
    assert cli.main(["import", "CLOUD.toml", name := bag(tmp_path, large)]) == 0
    assert collector.sent == [("imports", large)]
    said = "mini/edge-1 seq 4 to 9: 6 accepted, 0 already held; seq 10 is next"
    assert capsys.readouterr().out == f"{name}: {said}\n"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"missing": [2, 3], "accepted": 0},
            "seq 2 to 3 of mini/edge-1 are missing and must come first; at the site: stackproof "
            "edge export SITE.toml --from 2 --to 3; then import this again",
        ),
        (
            {"refused": {"seq": 5, "reason": "fork", "sentence": "two for one place"}},
            "seq 5 is refused (fork): two for one place",
        ),
        (
            {"refused": {"seq": 8, "reason": "damaged-file", "sentence": "x"}, "next_seq": 8},
            "nothing from there on was taken; at the site: stackproof edge export SITE.toml "
            "--from 8; then import that file",
        ),
    ],
)
def test_what_was_not_taken_is_said_and_ends_with_1(
    more: dict[str, Any],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answering(monkeypatch, {**FACTS, **more}, FACTS, {**FACTS, **more})
    name = bag(tmp_path)
    assert cli.main(["import", "CLOUD.toml", name, name]) == 1
    assert f"{name}: {words}\n" in capsys.readouterr().out
    assert cli.main(["import", "CLOUD.toml", name, "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"imports": [{**FACTS, **more}]}


def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(monkeypatch)
    assert cli.main(["import", "CLOUD.toml", str(tmp_path / "none.tar")]) == 2
    assert "none.tar cannot be read: No such file or directory" in capsys.readouterr().err


def test_a_file_that_is_refused_keeps_no_other_from_being_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One hostile file on a stick kept those of all other plants out, and nobody said which one."""
    name, refused = bag(tmp_path), RefusedError("no spool")
    answering(monkeypatch, refused, FACTS, {**FACTS, "missing": [2, 3]}, refused)
    assert cli.main(["import", "CLOUD.toml", name, name, name]) == 2
    printed = capsys.readouterr()
    assert f"stackproof cloud: {name}: no spool\n" in printed.err
    assert printed.out.count("seq 10 is next") == 2
    assert "seq 2 to 3 of mini/edge-1 are missing" in printed.out
    assert cli.main(["import", "CLOUD.toml", "--json", name]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told == {"imports": [{"file": name, "error": "no spool"}]}


EXPORT = ["receipts", "export", "CLOUD.toml", "--plant", "mini", "--out"]
GIVEN = {"file": "U1BSMSByZWNlaXB0cw==", "withheld": {}}  # "SPR1 receipts"


def test_receipts_are_written_into_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    collector = answering(monkeypatch, GIVEN, GIVEN)
    assert cli.main([*EXPORT, str(tmp_path / "home")]) == 0
    assert (tmp_path / "home").read_bytes() == b"SPR1 receipts"
    assert collector.sent == [("plants/mini/receipts", b"")]
    printed = capsys.readouterr()
    assert printed.out == f"{tmp_path / 'home'}\n"
    assert "stackproof edge receipts import SITE.toml FILE" in printed.err
    assert cli.main([*EXPORT, str(tmp_path / "no" / "home")]) == 2
    assert "cannot be written: No such file or directory" in capsys.readouterr().err


def test_what_is_withheld_is_said_and_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    withheld = {"edge-2": "mini/edge-2: its object seq 4 names a log that is not here"}
    answering(monkeypatch, {**GIVEN, "withheld": withheld}, {**GIVEN, "withheld": withheld})
    assert cli.main([*EXPORT, str(tmp_path / "home")]) == 1
    assert (tmp_path / "home").read_bytes() == b"SPR1 receipts"
    assert f"no receipt for edge-2: {withheld['edge-2']}\n" in capsys.readouterr().err
    assert cli.main([*EXPORT, str(tmp_path / "home"), "--json"]) == 1
    facts = {"receipts": str(tmp_path / "home"), "bytes": 13, "withheld": withheld}
    assert json.loads(capsys.readouterr().out) == facts


def test_without_any_receipt_there_is_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file without receipts would be refused at the site."""
    answering(monkeypatch, {"file": "", "withheld": {}}, {"file": "", "withheld": {}})
    assert cli.main([*EXPORT, str(tmp_path / "home")]) == 1
    assert "there is no receipt to give" in capsys.readouterr().err
    assert cli.main([*EXPORT, str(tmp_path / "home"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["receipts"] is None
    assert not (tmp_path / "home").exists()
