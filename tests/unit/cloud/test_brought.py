"""Archives that people bring: the verifier itself reads them, and only who brought one is told."""

import asyncio
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cloud.accounts.roles import EVERY_PLANT, Principal, Right
from cloud.brought import desk as desk_module
from cloud.brought.desk import KEPT_NS, OF_ONE_MAX, Brought, BroughtArchives, BroughtError
from cloud.spared import killed_first
from evidence.month_state import issue_of, state_of
from tests.attacks.corpus import KINDS, archive
from tests.unit.cloud.app_examples import BASE, make_accounts, make_app, make_client
from tests.unit.cloud.live_examples import ManualClock

SEALED = Path(__file__).parents[2] / "vectors/sealed-2026-11-27.tar.xz"


async def pieces(data: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


async def ended(desk: BroughtArchives, brought: Brought) -> Brought:
    running = asyncio.create_task(desk.run())
    while (found := desk.of(brought.id, brought.account)) and found[0].is_waiting:
        assert not running.done()
        await asyncio.sleep(0.01)  # the desk tells nobody when it ends
    running.cancel()
    assert found is not None
    return found[0]


async def test_a_sealed_month_and_one_that_was_bent_are_told_apart(tmp_path: Path) -> None:
    with tarfile.open(SEALED) as packed:
        sealed = packed.extractfile("aluminium.tar").read()  # type: ignore[union-attr]  # a file
    at = sealed.index(b'"total_t"')
    bent = sealed[:at] + b'"total_T"' + sealed[at + 9 :]
    desk = BroughtArchives(tmp_path, ManualClock(), {})
    whole = await ended(desk, await desk.take(pieces(sealed), "rui", "month.tar"))
    altered = await ended(desk, await desk.take(pieces(bent), "rui", "month.tar"))
    assert whole.report is not None
    assert whole.report["verdict"] == "passed"
    assert altered.report is not None
    assert altered.report["verdict"] == "failed"
    assert whole.size == altered.size == len(sealed)
    assert list((tmp_path / "brought").iterdir()) == []  # no file stays
    assert [b.id for b in desk.all_of("rui")] == [altered.id, whole.id]


async def test_what_one_brought_nobody_else_reads_and_it_is_gone_after_a_day(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    desk = BroughtArchives(tmp_path, clock, {})
    brought = await ended(desk, await desk.take(pieces(b"no archive"), "rui", "a.tar"))
    assert brought.report is not None
    assert [one["code"] for one in brought.report["findings"]] == ["E-CONTAINER"]
    assert desk.of(brought.id, "mallory") is None
    assert desk.all_of("mallory") == []
    clock.now_ns += KEPT_NS + 1
    assert desk.of(brought.id, "rui") is None


async def test_files_are_bounded_in_number_size_and_by_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = BroughtArchives(tmp_path, ManualClock(), {})
    for _ in range(OF_ONE_MAX):
        await desk.take(pieces(b"x"), "rui", "")
    with pytest.raises(BroughtError, match="ask again"):
        await desk.take(pieces(b"x"), "rui", "")
    monkeypatch.setattr(desk_module, "SIZE_MAX", 10)
    with pytest.raises(BroughtError, match="at most 10 bytes"):
        await desk.take(pieces(b"12345678901", 5), "wei", "")
    full = shutil.disk_usage(tmp_path)._replace(free=desk_module.ROOM_BYTES)
    monkeypatch.setattr(desk_module.shutil, "disk_usage", lambda _: full)
    with pytest.raises(BroughtError, match="no room"):
        await desk.take(pieces(b"x"), "wei", "")
    assert len(list((tmp_path / "brought").iterdir())) == OF_ONE_MAX


@pytest.mark.parametrize(
    ("program", "said"), [("/bin/false", "status 1"), ("/no/such/program", "cannot be started")]
)
async def test_a_verifier_that_dies_is_said_and_never_a_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, said: str
) -> None:
    monkeypatch.setattr(desk_module.sys, "executable", program)
    desk = BroughtArchives(tmp_path, ManualClock(), {})
    brought = await ended(desk, await desk.take(pieces(b"x"), "", ""))
    assert brought.report is None
    assert brought.state == "failed"
    assert said in brought.failed


async def test_a_verifier_that_cannot_be_started_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = BroughtArchives(tmp_path, ManualClock(), {})
    monkeypatch.setattr(desk_module.sys, "executable", "/nowhere")
    brought = await ended(desk, await desk.take(pieces(b"x"), "", ""))
    assert (brought.state, brought.report) == ("failed", None)
    assert "cannot be started" in brought.failed


async def test_what_nobody_thought_of_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def report_of(_: Path) -> tuple[dict[str, Any], int]:
        raise RecursionError("maximum recursion depth exceeded")

    monkeypatch.setattr(desk_module, "report_of", report_of)
    desk = BroughtArchives(tmp_path, ManualClock(), {})
    brought = await ended(desk, await desk.take(pieces(b"x"), "", ""))
    assert (brought.state, "recursion" in brought.failed) == ("failed", True)
    assert [bool(record.exc_info) for record in caplog.records] == [True]
    assert not list((tmp_path / "brought").iterdir())


async def test_reports_are_bounded_together_the_newest_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = iter("abc")

    async def report_of(_: Path) -> tuple[dict[str, Any], int]:
        return {"verdict": next(reports)}, 40

    monkeypatch.setattr(desk_module, "report_of", report_of)
    monkeypatch.setattr(desk_module, "KEPT_BYTES_MAX", 100)
    desk = BroughtArchives(tmp_path, ManualClock(), {})
    for _ in range(3):
        await ended(desk, await desk.take(pieces(b"x"), "rui", ""))
    assert [b.report for b in desk.all_of("rui")] == [{"verdict": "c"}, {"verdict": "b"}]


@pytest.mark.parametrize(
    ("roots", "said"),
    [({"works": "ab"}, "is the one"), ({"works": "cd"}, "is NOT the one"), ({}, "does not know")],
)
def test_the_page_says_whose_root_it_is_and_shows_hostile_words_as_text(
    tmp_path: Path, roots: dict[str, str], said: str
) -> None:
    report: dict[str, Any] = {
        "program": "stackproof 1", "archive": "works-2026-06", "verdict": "failed",
        "month": {"plant": "<em>", "month": "2026-06", "closing": "final", "total_t": "12.30"},
        "root_sha256": "ab", "identity": "<b>shown</b>", "timestamp": "none", "trusted": None,
        "findings": [{"code": "E-CONTAINER", "where": "<i>", "sentence": "<script>x</script>"}],
        "values": {"usable": 24, "due": 1100, "percent": "2.18", "point": "<q>", "least": "0.00"},
        "completeness": {}, "not_checked": [], "counts": {"files": 3}, "headline": "FAILED",
        "state": state_of([issue_of("silent:<s>")], verdict="failed").as_map(),
    }  # fmt: skip
    desk = BroughtArchives(tmp_path, ManualClock(), roots)
    desk._held["k"] = Brought("k", "", "<u>.tar", 1, "00" * 32, ManualClock().wall_ns(), report)
    reader = Principal("", frozenset({Right.SEE, Right.RECORDS}), (EVERY_PLANT,))
    client = make_client(make_app(brought=desk, accounts=make_accounts(unsigned=reader)), BASE)
    for language, word in (("en", "FAILED"), ("zh", "不通过")):
        html = client.get(f"/{language}/verify/k").text
        assert word in html
        assert (said in html) == (language == "en")
        assert "&lt;script&gt;" in html
        assert re.search("2026-06.{1,24}12.30 tCO2e", html)
        assert re.search(r"1,100.{1,24}2\.18 %.{1,20}&lt;q&gt;", html)
        assert not [
            tag
            for tag in ("<script>x", "<u>", "<i>", "<em>", "<q>", "<b>shown", "<s>")
            if tag in html
        ]
    assert client.get("/en/verify/other").status_code == 404
    assert client.get("/api/v1/verify/k").json()["report"]["verdict"] == "failed"


async def test_an_archive_that_eats_memory_is_told_and_ends_its_process_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = list[str]()

    def noted(pid: int) -> None:
        killed_first(pid)
        scores.append(Path(f"/proc/{pid}/oom_score_adj").read_text().strip())

    monkeypatch.setattr(desk_module, "killed_first", noted)
    (bomb,) = [kind for kind in KINDS if kind.name == "bomb: a manifest of 100,000 files"]
    data = archive(bomb).read_bytes()
    desk = BroughtArchives(tmp_path, ManualClock(), {})
    named = await ended(desk, await desk.take(pieces(data), "", ""))
    assert named.report is not None
    assert named.report["verdict"] == bomb.verdict.value
    monkeypatch.setattr(desk_module, "MEMORY_BYTES", 160 << 20)  # libraries alone take most of it
    eaten = await ended(desk, await desk.take(pieces(data), "", ""))
    assert (eaten.state, eaten.report) == ("failed", None)
    assert "needs more than 160 MiB" in eaten.failed
    assert scores == ["1000", "1000"], "where memory ends, it goes before the collector"
    killed_first(2**22 + 1)  # nobody's


def test_the_verifying_process_has_little_to_take(tmp_path: Path) -> None:
    tried = f"""
import os, resource
from cloud.brought.child import DESCRIPTORS, confine
confine(1 << 30, 7)
try:
    bytearray(2 << 30)
except MemoryError:
    print("memory")
try:
    with open({str(tmp_path / "file")!r}, "wb") as file:
        file.write(b"x")
except OSError:
    print("file")
try:
    held = [os.dup(0) for _ in range(DESCRIPTORS)]
except OSError:
    print("descriptors")
os.closerange(3, DESCRIPTORS)
print(resource.getrlimit(resource.RLIMIT_CPU), resource.getrlimit(resource.RLIMIT_NPROC))
print([line for line in open("/proc/self/status") if "NoNewPrivs" in line])
"""
    said = subprocess.run([sys.executable, "-c", tried], stdout=subprocess.PIPE, check=True)
    assert said.stdout.decode().splitlines() == [
        "memory", "file", "descriptors", "(7, 7) (0, 0)", r"['NoNewPrivs:\t1\n']",
    ]  # fmt: skip
