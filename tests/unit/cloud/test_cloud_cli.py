"""`stackproof cloud month`: what is asked of the collector, what is printed, how it ends."""

import datetime as dt
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cloud import cli
from cloud.clock import SystemClock
from evidence.archive.paths import SEAL
from evidence.keys import load_certificate
from tests.unit.cloud.evidence_examples import CLOUD_HEAD, CLOUD_PLANT, make_plant
from tests.unit.cloud.fake_collector import TOKEN, FakeCollector
from tests.unit.evidence import sealed_month as sm

FACTS = {
    "plant": "mini", "month": "2026-09", "closing": "interim", "sha256": "ab", "signed_by": [],
    "statement_sha256": "cd" * 32,
}  # fmt: skip


def close(config: str, *more: str) -> int:
    order = ["month", "close", config, "--plant", "mini", "--month", "2026-09", *more]
    return cli.main(order)


def test_a_close_is_ordered_with_the_token_and_its_archive_printed(
    config: str, collector: FakeCollector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "mini-2026-09.tar"
    collector.answer("months/mini/2026-09/close", {**FACTS, "archive": str(archive)})
    assert close(config, "--interim") == 0
    assert close(config) == 0
    assert collector.asked == [
        ("POST", "/api/v1/months/mini/2026-09/close", {"closing": closing}, f"Bearer {TOKEN}")
        for closing in ("interim", "final")
    ]
    printed = capsys.readouterr()
    assert printed.out == f"{archive}\n{archive}\n"
    assert printed.err == ""


def test_the_archive_is_copied_where_it_is_wanted(
    config: str, collector: FakeCollector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "mini-2026-09.tar"
    archive.write_bytes(b"sealed")
    collector.answer("months/mini/2026-09/close", {**FACTS, "archive": str(archive)})
    out = tmp_path / "desk" / "september"
    assert close(config, "--out", str(out), "--json") == 0
    assert (out / archive.name).read_bytes() == b"sealed"
    facts = json.loads(capsys.readouterr().out)
    assert facts == {**FACTS, "archive": str(out / archive.name)}


def test_a_copy_never_takes_the_place_of_another_month(
    config: str, collector: FakeCollector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive, out = tmp_path / "mini-2026-09.tar", tmp_path / "desk"
    collector.answer("months/mini/2026-09/close", {**FACTS, "archive": str(archive)})
    for content in (b"first", b"first", b"amended"):
        archive.write_bytes(content)
        assert close(config, "--out", str(out)) == 0
    named = f"mini-2026-09-{'cd' * 6}.tar"
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {
        "mini-2026-09.tar": b"first", named: b"amended",
    }  # fmt: skip
    assert capsys.readouterr().out.splitlines()[-1] == str(out / named)
    (tmp_path / "file").write_bytes(b"")
    assert close(config, "--out", str(tmp_path / "file")) == 2
    assert "is sealed, and cannot be copied" in capsys.readouterr().err


def test_readings_that_came_late_are_told_on_stderr(
    config: str, collector: FakeCollector, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = {**FACTS, "archive": "mini-2026-09.tar", "late": "readings of 2026-08 came late"}
    collector.answer("months/mini/2026-09/close", facts)
    assert close(config) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{Path(config).parent / 'archives/mini-2026-09.tar'}\n"
    assert printed.err == "stackproof cloud: readings of 2026-08 came late\n"


def test_a_time_stamp_is_asked_for_and_brought_back_as_files(
    config: str, collector: FakeCollector, tmp_path: Path
) -> None:
    archive = tmp_path / "mini-2026-09.tar"
    archive.write_bytes(sm.honest())
    sealing = "months/mini/2026-09/seal"
    collector.answer(sealing, {**FACTS, "archive": str(archive)})
    seal = ["month", "seal", config, "--plant", "mini", "--month", "2026-09"]
    assert cli.main([*seal, "--tsa-request", str(tmp_path / "seal.tsq")]) == 0
    # RFC 3161: version 1, then SHA-256 (its identifier of RFC 8017) and the hash of the seal
    sha256 = bytes.fromhex("0201013031300d060960864801650304020105000420")
    digest = hashlib.sha256(sm.unpack(sm.honest())[SEAL]).digest()
    assert sha256 + digest in (tmp_path / "seal.tsq").read_bytes()

    (tmp_path / "seal.tsr").write_bytes(b"\x30\x00\x02")
    assert cli.main([*seal, "--tsa-reply", str(tmp_path / "seal.tsr")]) == 0
    orders = [body for _, _, body, _ in collector.asked]
    assert orders == [{"reason": ""}, {"reason": "", "time_stamp": "MAAC"}]


@pytest.mark.parametrize(
    ("size", "words"), [(None, "cannot be read: No such file"), (70_000, "more than 65536 bytes")]
)
def test_what_can_be_no_time_stamp_is_not_sent(
    config: str,
    collector: FakeCollector,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    size: int | None,
    words: str,
) -> None:
    reply = tmp_path / "seal.tsr"
    if size is not None:
        reply.write_bytes(bytes(size))
    order = ["month", "seal", config, "--plant", "mini", "--month", "2026-09"]
    assert cli.main([*order, "--tsa-reply", str(reply)]) == 2
    assert words in capsys.readouterr().err
    assert collector.asked == []


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (409, {"detail": "2026-09 is not over"}, "2026-09 is not over"),
        (
            422,
            {"detail": [{"type": "x", "loc": ["path", "month"], "msg": "should be", "input": 1}]},
            "the collector refuses it: path.month: should be",
        ),
        (422, {"detail": {}}, "the collector refuses it: it does not say why"),
        (404, {"detail": "no plant 'mini' has sent"}, "no plant 'mini' has sent"),
        (500, b"Internal Server Error", "the collector answered 500 Internal Server Error"),
        (500, b"[]", "the collector answered 500 Internal Server Error"),
    ],
)
def test_a_refusal_is_printed_in_its_own_words(
    config: str,
    collector: FakeCollector,
    capsys: pytest.CaptureFixture[str],
    *,
    status: int,
    body: Any,
    sentence: str,
) -> None:
    collector.answer("months/mini/2026-09/close", body, status)
    assert close(config) == 1
    assert capsys.readouterr().err == f"stackproof cloud: {sentence}\n"


@pytest.mark.parametrize(
    ("plant", "month", "words"),
    [
        ("mini", "2026-13", "argument --month: '2026-13' is no month; write it as 2026-09"),
        ("mini", "2026-9", "'2026-9' is no month"),
        ("mini", "2026/09", "'2026/09' is no month"),
        ("mini", "2026-09\n", r"'2026-09\n' is no month"),
        ("mini", "1999-12", "'1999-12' is no month"),  # the API takes this century only
        ("../x?y", "2026-09", "argument --plant: '../x?y' is no id"),
        ("Mini", "2026-09", "'Mini' is no id"),
        ("", "2026-09", "'' is no id"),
    ],
)
def test_a_malformed_month_or_plant_is_a_usage_error_and_nothing_is_sent(
    config: str,
    collector: FakeCollector,
    capsys: pytest.CaptureFixture[str],
    *,
    plant: str,
    month: str,
    words: str,
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["month", "close", config, "--plant", plant, "--month", month])
    assert caught.value.code == 2
    assert words in capsys.readouterr().err
    assert collector.asked == []


def test_months_of_all_plants_or_one_are_listed(
    config: str, collector: FakeCollector, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = {"name": "mini-2026-09.tar", "bytes": 1234567, "newest": True}
    older = {**archive, "newest": False, "replaced": True}
    sealed = {"headline": {"en": "PASSED, INCOMPLETE: clinker is missing (mandatory)"}, "code": ""}
    row = {"plant": "mini", "month": "2026-09", "state": "sealed", "days_left": 9, "owed": [],
           "archives": [archive, older], "sealed": sealed}  # fmt: skip
    late = row | {"month": "2026-08", "state": "late", "days_left": -2, "owed": [1], "archives": []}
    late["sealed"] = None
    collector.answer("months", [row, late])
    collector.answer("months?plant=mini", [row])
    assert cli.main(["month", "list", config]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "mini  2026-09  sealed",
        "    PASSED, INCOMPLETE: clinker is missing (mandatory)",
        "       1,234,567 bytes  mini-2026-09.tar",
        "       1,234,567 bytes  mini-2026-09.tar  (replaced)",
        "mini  2026-08  late  2 days over  1 owed",
    ]
    assert cli.main(["month", "list", config, "--plant", "mini", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"months": [row]}


def test_a_month_is_shown_with_who_owes_what(
    config: str, collector: FakeCollector, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {
        "plant": "mini", "month": "2026-09", "state": "waiting", "days_left": 1, "has_plan": False,
        "deadline": "2026-11-09", "deadline_zone": "Asia/Shanghai",
        "owed": [{"sentence": "It is silent.", "by": "operator", "blocks": True}],
        "devices": [{"gateway": "e", "device": "m", "readings": 9, "due": 1000, "bad": 2}],
        "progress": {"phase": "fold", "done": 1, "total": 2000, "percent": 0},
        "sealed": {"headline": {"en": "FAILED"}, "code": "E-FILE-HASH"},
        "issues": [{"weight": "note", "code": "N-KEY", "sentence": {"en": "Another key."}}],
    }  # fmt: skip
    collector.answer("plants/mini/months/2026-09", row)
    order = ["month", "show", config, "--plant", "mini", "--month", "2026-09"]
    assert cli.main(order) == 0
    assert capsys.readouterr().out.splitlines() == [
        "mini  2026-09  waiting  1 days left  1 owed",
        "    FAILED (E-FILE-HASH)",
        "  note: N-KEY Another key.",
        "  due by the end of 2026-11-09 (Asia/Shanghai)",
        "  no control plan: only meters are checked",
        "  owed: It is silent. (operator)",
        "  e m: 9 of 1,000 readings, 2 without a value",
        "  calculating: 0 % of 2,000 objects",
    ]
    assert cli.main([*order, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == row
    waits = {"phase": "wait", "done": 0, "total": 3, "percent": 0}
    collector.answer("plants/mini/months/2026-09", row | {"progress": waits})
    assert cli.main(order) == 0
    told = capsys.readouterr().out.splitlines()[-1]
    assert told == "  waiting until other plants' months are closed: 3 before it"


@pytest.mark.parametrize("missing", ["ready.json", "api.token"])
def test_without_a_running_collector_it_says_how_to_start_one(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    (tmp_path / "state" / missing).unlink()
    assert close(config) == 2
    assert f"start it with: stackproof cloud run {config}" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["[]", '["http"]', "7", "{", '"http"', "null"])
def test_a_ready_file_of_another_form_is_as_none(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / "state" / "ready.json").write_text(text)
    assert close(config) == 2
    assert f"start it with: stackproof cloud run {config}" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["nonsense", "http://", "http://[", "http://a b/"])
def test_an_address_that_is_none_does_not_answer(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    (tmp_path / "state" / "ready.json").write_text(json.dumps({"http": address}))
    assert close(config) == 2
    assert f"the collector at {address} does not answer" in capsys.readouterr().err


@pytest.mark.parametrize("answer", [b"", b"<html>", b"\xff\xfe\x00", b"[" * 100_000])
def test_an_answer_that_is_no_json_is_of_no_collector(
    config: str, collector: FakeCollector, capsys: pytest.CaptureFixture[str], answer: bytes
) -> None:
    collector.answer("months/mini/2026-09/close", answer)
    assert close(config) == 2
    said = capsys.readouterr().err
    assert said.startswith("stackproof cloud: what answers at http://127.0.0.1:")
    assert said.endswith("see what has its port, and start the collector again\n")


def test_a_collector_that_is_gone_is_told(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state" / "ready.json").write_text('{"http": "http://127.0.0.1:9"}')
    assert close(config) == 2
    assert "the collector at http://127.0.0.1:9 does not answer" in capsys.readouterr().err


def test_a_proxy_from_the_environment_is_not_used(
    config: str, collector: FakeCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    collector.answer("months", [])
    assert cli.main(["month", "list", config]) == 0


@pytest.mark.parametrize("order", [[], ["month"], ["month", "close", "x"], ["frobnicate"]])
def test_usage_errors_end_with_2(order: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(order)
    assert caught.value.code == 2
    assert "usage: stackproof cloud" in capsys.readouterr().err


@pytest.mark.parametrize(
    "order", [["--help"], ["run", "--help"], ["check", "--help"], ["month", "close", "--help"]]
)
def test_every_subcommand_has_help(order: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(order)
    assert caught.value.code == 0
    assert "usage: stackproof cloud" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["run", "check"])
def test_the_file_is_that_of_the_folder_unless_another_is_named(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main([command]) == 2
    assert "CLOUD.toml: cannot be read: No such file" in capsys.readouterr().err


def test_check_warns_of_a_collector_whose_certificate_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_plant(tmp_path)
    ends = load_certificate(tmp_path / "mini/collector.crt").not_valid_after_utc
    config = tmp_path / "CLOUD.toml"
    config.write_text(CLOUD_HEAD + CLOUD_PLANT)
    for days, warned in ((31, False), (30, True)):
        now_ns = int((ends - dt.timedelta(days=days)).timestamp()) * 10**9
        monkeypatch.setattr(SystemClock, "wall_ns", lambda _, now_ns=now_ns: now_ns)
        assert cli.main(["check", str(config)]) == 0
        said = capsys.readouterr().out
        told = f"WARNING: the collector's certificate for mini ends {ends:%Y-%m-%d}"
        assert (told in said) == warned


def test_check_warns_of_what_others_can_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_plant(tmp_path)
    config, secrets = tmp_path / "CLOUD.toml", [tmp_path / name for name in ("hook", "of", "mail")]
    alarms = """[alarms]
webhook = "file:hook"
webhook_secret = "file:of"
smtp = "localhost:25"
mail_from = "a@b.example"
mail_to = ["c@d.example"]
smtp_authority = "file:mini/root.crt"
smtp_user = "a"
smtp_password = "file:mail"
"""
    broker = '[broker]\nmode = "external"\nurl = "mqtt://{}:1883"\n'
    config.write_text(CLOUD_HEAD + broker.format("10.0.0.9") + alarms + CLOUD_PLANT)
    for file in secrets:
        file.write_text("https://hook.example/s3cret\n")
        file.chmod(0o644)
    assert cli.main(["check", str(config)]) == 0
    said = capsys.readouterr().out
    assert "s3cret" not in said
    assert "WARNING: mqtt://10.0.0.9:1883 is reached without TLS" in said
    config.write_text(CLOUD_HEAD + broker.format("127.0.0.1") + alarms + CLOUD_PLANT)
    for file in secrets:
        told = f"WARNING: {file} is a secret that is open to others (mode 0644); run: chmod o= "
        assert told + str(file) in said
        file.chmod(0o640)
    assert cli.main(["check", str(config)]) == 0
    assert "WARNING" not in capsys.readouterr().out


@pytest.mark.parametrize("part", cli._PARTS, ids=lambda part: part.names[0])
def test_a_command_is_found_by_its_name_alone(part: Any) -> None:
    """And the help text of all has it."""
    (found,) = (one.choices for one in cli._parser(part.names[0])._actions if one.choices)
    assert tuple(found) == part.names
    (every,) = (one.choices for one in cli._parser()._actions if one.choices)
    assert set(part.names) <= set(every)


def test_who_asks_for_the_status_waits_for_no_database_and_no_web_server() -> None:
    """Their import is a second of a small machine's processor."""
    asked = (
        "import contextlib, sys; from cloud import cli\n"
        "with contextlib.suppress(SystemExit): cli.main(['status', '--help'])\n"
        "print({'sqlalchemy', 'fastapi', 'pydantic'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("set()\n")
