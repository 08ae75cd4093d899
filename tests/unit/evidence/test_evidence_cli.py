"""`stackproof verify` as a person types it."""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from evidence import cli, cli_progress
from evidence.keys import certificate_to_pem, key_sha256
from tests.unit.evidence import sealed_month as sm

SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "test-smelter-2026-06.tar"
    path.write_bytes(sm.honest())
    return path


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    path = tmp_path / "trust.pem"
    path.write_bytes(certificate_to_pem(sm.keys().certificates["root"]))
    return path


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    path = tmp_path / "stranger.pem"
    path.write_bytes(certificate_to_pem(sm.keys(60).certificates["root"]))
    return path


def test_the_front_door_verifies(archive: Path, trust: Path) -> None:
    """The whole command, in a process of its own."""
    program = str(ROOT / "stackproof.py")
    command = [sys.executable, program, "verify", str(archive), "--trust", str(trust)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=archive.parent, check=False)
    assert (done.returncode, done.stderr) == (sm.QUESTIONS, "")
    assert done.stdout.startswith(f"{sm.HEADLINE['en']}  {archive}\n")
    assert "  identity: root key " in done.stdout


def test_text_says_verdict_identity_findings_and_what_was_not_checked(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["verify", str(archive)]) == sm.QUESTIONS
    out = capsys.readouterr().out
    assert out.splitlines()[0] == f"{sm.STRANGE}  {archive}"
    assert "identity: not checked; the archive's root key has SHA-256 " in out
    assert "5 frames" in out
    means = "There was time without readings, whether the gateway itself recorded it or not."
    assert f"\n  W-GAP  {means}" in out
    assert "\n    edge-1 seq 3: 6.000 s without readings (restart)" in out
    assert (
        "\n  stream edge-1: objects 0 to 5; none missing; 256 of 320 measured readings due" in out
    )
    assert "\n  not checked\n    Identity: without --trust" in out


def test_a_file_name_cannot_steer_a_terminal(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Clear the screen, a verdict of one's own, and a letter that turns the line around."""
    cut = archive.with_name("a\x1b[2J\nPASSED  month.tar\u202e")
    cut.write_bytes(archive.read_bytes()[:-600])
    assert cli.main(["verify", str(cut)]) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[0].endswith("/a\\x1b[2J\\nPASSED  month.tar\\u202e")
    assert out.replace("\n", "").isprintable()
    assert cli.main(["verify", str(cut.with_suffix(".no\n"))]) == 2
    told = capsys.readouterr().err
    assert told.endswith(".no\\n: cannot be read: No such file or directory\n")
    assert told[:-1].isprintable()


def test_what_is_no_file_is_no_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for odd in (pipe, tmp_path):
        assert cli.main(["verify", str(odd)]) == 2
        told = capsys.readouterr()
        assert (told.out, len(told.err.splitlines())) == ("", 1)
        assert f"{odd}: it is no file" in told.err


def in_its_own_process(
    *arguments: str, encoding: str, locale: str = "C"
) -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, "LC_ALL": locale, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    command = [sys.executable, str(ROOT / "stackproof.py"), "verify", *arguments]
    return subprocess.run(command, capture_output=True, env=env, check=False)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "gbk"])
def test_the_report_is_chinese_when_asked_for(archive: Path, trust: Path, encoding: str) -> None:
    asked = [str(archive), "--trust", str(trust), "--lang", "zh"]
    done = in_its_own_process(*asked, encoding=encoding)
    assert (done.returncode, done.stderr) == (sm.QUESTIONS, b"")
    lines = done.stdout.decode(encoding).splitlines()
    assert lines[0] == f"{sm.HEADLINE['zh']}  {archive}"
    assert lines[4].startswith("  身份：根密钥 ")
    assert "  W-GAP  有一段时间没有读数，无论该缺口是否由网关自行记录。" in lines


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_chinese_letters_is_told_so_and_shown_english(
    archive: Path, encoding: str
) -> None:
    odd = archive.rename(archive.with_name("厂区.tar"))
    done = in_its_own_process(str(odd), "--lang", "zh", encoding=encoding)
    assert done.returncode == sm.QUESTIONS
    first, *rest = done.stdout.decode("ascii").splitlines()
    assert first.startswith(f"{sm.STRANGE}  ")
    assert first.endswith(".tar")
    assert any(line.startswith("  identity: ") for line in rest)
    told = done.stderr.decode("ascii")
    assert "cannot show --lang zh; this report is in English" in told
    assert len(told.splitlines()) == 1


def test_json_and_help_come_through_a_terminal_of_ascii(archive: Path) -> None:
    done = in_its_own_process(str(archive), "--lang", "zh", "--json", encoding="ascii")
    meant = {f["code"]: f["meaning"] for f in json.loads(done.stdout)["findings"]}
    assert meant["N-SIMULATED"] == "读数来自模拟厂区（模拟数据）。"
    assert in_its_own_process("--help", encoding="ascii").returncode == 0


def test_help_says_in_both_languages_how_to_choose_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        cli.main(["verify", "--help"])
    shown = capsys.readouterr().out
    assert "language of the report, default en" in shown
    assert "报告语言，默认 en；部分细节仅为英文" in shown
    wide = [sum(2 if ord(c) > 0x2E80 else 1 for c in line) for line in shown.splitlines()]
    assert max(wide) <= 80


def test_json_is_one_object_of_the_published_form(
    archive: Path, trust: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["verify", str(archive), "--json", "--trust", str(trust)]
    assert cli.main(asked) == sm.QUESTIONS
    shown = json.loads(capsys.readouterr().out)
    assert set(shown) == {
        "program", "archive", "month", "values", "verdict", "headline", "state", "root_sha256",
        "trusted", "identity", "timestamp", "witnesses", "findings", "completeness", "not_checked",
        "counts",
    }  # fmt: skip
    assert shown["headline"] == sm.HEADLINE["en"]
    assert (shown["archive"], shown["trusted"]) == ("test-smelter-2026-06", True)
    assert shown["root_sha256"] == key_sha256(sm.keys().root.public_key).hex()
    assert shown["verdict"] == "passed"
    assert shown["identity"].endswith("is trusted")
    assert {"code", "where", "sentence", "meaning"} == set(shown["findings"][0])
    assert shown["counts"]["objects"] == 6


@pytest.mark.parametrize(
    ("language", "line"),
    [("en", "statement: test-smelter, 2026-06, interim; total emission {} tCO2e — {}"),
     ("zh", "月度核算表：test-smelter，月份 2026-06，期中；排放总量 {} tCO2e——{}")],
)  # fmt: skip
def test_what_passed_is_said_by_the_statement_not_by_a_files_name(
    language: str, line: str, archive: Path, trust: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    renamed = archive.with_name("demo-kiln-2031-01.tar")
    archive.rename(renamed)
    sealed = json.loads(sm.unpack(renamed.read_bytes())["data/statement.json"])
    usable, due = (
        sum(row[key] for row in sealed["input"]["completeness"].values())
        for key in ("usable", "expected")
    )
    asked = ["verify", str(renamed), "--trust", str(trust), "--lang", language]
    assert cli.main(asked) == sm.QUESTIONS
    month, values = capsys.readouterr().out.splitlines()[2:4]
    assert month == f"  {line.format(sealed['output']['totals']['total_t'], sm.LACKS[language])}"
    assert re.search(rf"\b{usable}\D+{due}\b|\b{due}\D+{usable}\b", values)


def test_a_public_key_is_trusted_as_its_certificate_is(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "root.pub"
    path.write_bytes(sm.keys().root.public_key.public_bytes(sm.PEM, SPKI))
    assert cli.main(["verify", str(archive), "--trust", str(path)]) == sm.QUESTIONS
    assert "is trusted" in capsys.readouterr().out


def test_another_trusted_key_fails(
    archive: Path, stranger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["verify", str(archive), "--trust", str(stranger)]) == 1
    out = capsys.readouterr().out
    assert out.startswith("FAILED")
    assert (
        "\n  E-TRUST  The archive's root is not the one you trust.\n    data/keys/root.crt: " in out
    )


def test_a_flipped_bit_fails_and_is_named(
    archive: Path, trust: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(archive.read_bytes())
    at = data.index(b'"metal_t"')
    data[at + 1] ^= 1
    archive.write_bytes(data)
    assert cli.main(["verify", str(archive), "--trust", str(trust), "--json"]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert shown["verdict"] == "failed"
    assert ["E-FILE-HASH", "data/statement.json"] in [
        [finding["code"], finding["where"]] for finding in shown["findings"]
    ]


def test_newer_evidence_cannot_be_decided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = sm.items()
    newer = sm.Item(stream[2].typ, b"\x09", stream[2].hour)
    path = tmp_path / "newer.tar"
    month = sm.make_month([*stream[:2], newer, *stream[3:]])
    path.write_bytes(sm.build(sm.contents(month)))
    assert cli.main(["verify", str(path)]) == 2
    assert capsys.readouterr().out.startswith("CANNOT DECIDE")


def test_figures_may_be_left_unchecked(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", str(archive), "--no-recompute"]) == sm.QUESTIONS
    out = capsys.readouterr().out
    assert out.startswith(f"{sm.STRANGE}; NOT RECOMPUTED  ")
    assert "The figures: they were not recomputed" in out
    assert "edge-1 seq 3: 6.000 s without readings (restart)" in out


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04"])
def test_what_is_no_archive_fails(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(content)
    assert cli.main(["verify", str(path)]) == 1


def test_what_cannot_be_run_is_said_on_stderr(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing, empty = str(tmp_path / "missing"), tmp_path / "empty.pem"
    empty.write_bytes(b"")
    for arguments, named in (
        (["verify", missing], "missing"),
        (["verify", str(tmp_path)], tmp_path.name),
        (["verify", str(archive), "--trust", missing], "missing"),
        (["verify", str(archive), "--trust", str(empty)], "empty.pem"),
    ):
        assert cli.main(arguments) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("stackproof verify: ")
        assert named in captured.err


@pytest.mark.parametrize(
    "arguments", [["verify"], ["verify", "a", "--what"], ["keys"], ["keys", "old"]]
)
def test_wrong_usage_is_two(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2


@pytest.mark.parametrize("is_terminal", [True, False])
def test_long_work_says_what_it_does_on_stderr(
    archive: Path, is_terminal: bool, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Every look at the clock takes 20 s here."""
    seconds = itertools.count(0, 20)
    monkeypatch.setattr(cli_progress.time, "monotonic", lambda: float(next(seconds)))
    monkeypatch.setattr("sys.stderr.isatty", lambda: is_terminal, raising=False)
    assert cli.main(["verify", str(archive), "--json"]) == sm.QUESTIONS
    captured = capsys.readouterr()
    assert json.loads(captured.out)["verdict"] == "passed"
    for told in ("bag: file 0 of ", "log: entry 0", "edge-1: frame 1, reading ", "figures"):
        assert told in captured.err
    assert ("\r" in captured.err, "\n" in captured.err) == (is_terminal, not is_terminal)
    assert captured.err.endswith("\r" if is_terminal else "\n")


def test_ctrl_c_that_nobody_heard_ends_it_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the CBOR library: what is raised while something is torn down reaches nobody."""

    def torn_down() -> Iterator[None]:
        try:
            yield
        finally:
            signal.raise_signal(signal.SIGINT)

    was, unheard = signal.getsignal(signal.SIGINT), list[object]()
    monkeypatch.setattr(sys, "unraisablehook", lambda told: unheard.append(told.exc_type))
    with cli_progress.Progress() as progress:
        progress.tell("frame 1")
        asked = torn_down()
        next(asked)
        del asked
        assert unheard == [KeyboardInterrupt]
        with pytest.raises(KeyboardInterrupt):
            progress.tell("frame 2")
    assert signal.getsignal(signal.SIGINT) is was
