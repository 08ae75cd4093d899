"""What the table of months says of an archive: its verdict, and the share of substituted values."""

import asyncio
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cloud.api.month_view import MonthCell
from cloud.brought.desk import BroughtError
from cloud.closing.archive import ArchiveFolder
from cloud.month import archive_checks
from cloud.month.archive_checks import ArchiveChecks, Stands
from cloud.month.archives import StandingArchives
from cloud.month.facts import Archive, Facts
from cloud.month.opening import standing_archives
from cloud.month.sealed import seal_of, sealed_row
from cloud.month.substituted import substituted_percent
from evidence.keys import certificate_to_pem
from tests.unit.cloud.evidence_examples import ManualClock
from tests.unit.cloud.kept import kept_in
from tests.unit.cloud.month.month_facts import found
from tests.unit.evidence import sealed_month as sm

GIVEN = {
    "rule_set": "cets-ag-02.01-v01-2024",
    "fuel": [{"kind": "烟煤", "missing": ["ncv"]}, {"kind": "diesel"}],
}


def line(category: str, kind: str, emission_t: str, basis: str) -> dict[str, object]:
    return {"category": category, "kind": kind, "emission_t": emission_t,
            "parameters": {"ncv": {"basis": basis}}}  # fmt: skip


ROOT = certificate_to_pem(sm.keys().certificates["root"])
COAL = ("fuel", "bituminous")


@pytest.mark.parametrize(
    ("lines", "share"),  # by hand
    [
        ([line(*COAL, "30.00", "default"), line("clinker", "clinker", "70.00", "default")],
         "30.00"),
        # one coal was analysed; diesel's default was chosen, nothing of it is missing
        ([line(*COAL, "1.00", "default"), line(*COAL, "1.00", "measured"),
          line("fuel", "diesel", "1.00", "default")], "33.33"),
        # what is subtracted counts by its size
        ([line(*COAL, "60.00", "default"), line("substitute", "slag", "40.00", "measured")],
         "60.00"),
        ([], None),
    ],
)  # fmt: skip
def test_the_share_of_the_emission_that_stands_on_substituted_values(
    lines: list[dict[str, object]], share: str | None
) -> None:
    assert substituted_percent(GIVEN, {"lines": lines}) == share


async def test_each_archive_is_verified_once_and_its_verdict_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = tmp_path / "good.tar", tmp_path / "bad.tar"
    good.write_bytes(sm.honest())
    bad.write_bytes(sm.honest()[:-5_000])
    aa, bb = (hashlib.sha256(path.read_bytes()).hexdigest() for path in (good, bad))
    asked, empty, done = [], asyncio.Event(), asyncio.Event()
    changed, stand, told = asyncio.Event(), list[Stands](), list[str]()
    report_of = archive_checks.report_of

    async def counted(path: Path, trust: bytes) -> object:
        asked.append(path.name)
        if len(asked) == 2:
            return {"verdict": "passed", "findings": [], "state": {}, "not_checked": []}, 0
        return await report_of(path, trust)

    def archives() -> list[Stands]:
        if not stand or len(asked) == 3:
            loop.call_soon_threadsafe(done.set if stand else empty.set)
        return stand

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(archive_checks, "report_of", counted)
    monkeypatch.setattr(archive_checks, "LOOK_S", 3_600.0)  # nobody waits for that
    checks = ArchiveChecks(kept_in(tmp_path), ManualClock(sm.START_NS), {})
    running = asyncio.create_task(checks.run(archives, changed, told.append, lambda _: None))
    async with asyncio.timeout(60):
        await empty.wait()
        stand += [
            Stands("p", good, aa),
            Stands("p", bad, "cc"),
            Stands("q", bad, bb),
        ]  # the second was replaced meanwhile
        changed.set()
        await done.wait()
    running.cancel()
    verdicts = checks.of(aa), checks.of(bb)
    assert checks.of("cc") is None
    assert asked == ["good.tar", "bad.tar", "bad.tar"]
    assert told == ["p", "p", "q"]
    assert [one and one["verdict"] for one in verdicts] == ["passed", "failed"]
    assert [one and one["at_ns"] for one in verdicts] == [sm.START_NS] * 2
    assert verdicts[0] is not None
    assert (verdicts[0]["code"], verdicts[0]["substituted_percent"]) == ("", "0.00")
    assert verdicts[1] is not None
    assert verdicts[1]["code"].startswith("E-")
    kept = ArchiveChecks(kept_in(tmp_path), ManualClock(sm.START_NS), {})
    assert kept.of(aa) == verdicts[0]


async def test_archives_that_take_too_long_keep_no_other_plants_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three of half an hour each, tried again each hour, were all that was ever verified."""
    clock, tried, done = ManualClock(sm.START_NS), list[str](), asyncio.Event()

    async def late(path: Path, _: bytes) -> object:
        clock.now_ns += 1_800 * sm.SECOND
        tried.append(path.name)
        if len(tried) == 7:
            done.set()
        if path.name == "b":
            raise RecursionError("what nobody thought of")
        raise BroughtError("not verified within 1800 s")

    monkeypatch.setattr(archive_checks, "report_of", late)
    checks = ArchiveChecks(kept_in(tmp_path), clock, {})
    stand = [Stands("p", tmp_path / name, name) for name in "abcdef"]
    running = asyncio.create_task(
        checks.run(lambda: stand, asyncio.Event(), lambda _: None, lambda _: None)
    )
    waiting = asyncio.create_task(done.wait())
    await asyncio.wait((running, waiting), timeout=60, return_when=asyncio.FIRST_COMPLETED)
    assert not running.done()
    running.cancel()
    assert tried[:7] == [*"abcdef", "a"]


def test_the_newest_month_is_verified_first_and_what_was_replaced_never(tmp_path: Path) -> None:
    facts = Facts(kept_in(tmp_path))
    rows = [("a", "2026-01", False), ("b", "2026-03", False), ("c", "2026-02", True)]
    facts.put_archives("p", [Archive(f"{n}.tar", m, old, 1, 1, n, b"") for n, m, old in rows])
    found = standing_archives(facts, ["p"], tmp_path)
    assert list(found) == [("p", tmp_path / f"{name}.tar", name) for name in "ba"]


def cell_of(verified: Mapping[str, Any] | None, **archive: object) -> MonthCell:
    one = {"newest": True, "replaced": False, "sha256": "ab", "verified": verified, **archive}
    row = {
        "zone": "Asia/Shanghai", "readings": {"count": 900, "reserved": 9, "bad": 90, "due": 1000},
        "archives": [one], "sealed": sealed_row(seal_of([one])),
    }  # fmt: skip
    return MonthCell(json.loads(json.dumps(row)), "en")


@pytest.mark.parametrize(
    ("verified", "look", "word"),
    [
        (None, "unknown", "not yet"),
        (found(), "passed", "verification: PASSED · 1970-01-01 08:00"),
        (found(code="E-SEAL"), "failed", "FAILED (E-SEAL)"),
        (found("no-clinker"), "open", "PASSED, INCOMPLETE: clinker is missing (mandatory) · 1970"),
    ],
)
def test_a_cell_tells_completeness_marks_substitution_and_verdict(
    verified: dict[str, object] | None, look: str, word: str
) -> None:
    cell = cell_of(verified)
    # 900 - 90 of 1000 due have a value; 9 and 90 of the 900 that came
    assert cell.readings() == ["complete 81.00 %", "marked 1.00 %, no value 10.00 %"]
    assert cell.substituted() == ("substituted 1.50 % of the emission" if verified else "")
    told = cell.verdict()
    assert told is not None
    assert told[0] == look
    assert word in told[1]


@pytest.mark.parametrize(
    ("code", "is_replaced", "look"),
    [("E-CLOSE", False, "failed"), ("E-CLOSE", True, None), ("", False, None)],
)
def test_an_archive_whose_statement_was_altered_is_told_as_failed(
    code: str, look: str | None, *, is_replaced: bool
) -> None:
    """Its close does not know it any more; an earlier archive is not known to it either."""
    told = cell_of(found(code=code), newest=False, replaced=is_replaced).verdict()
    assert (told and told[0]) == look


async def test_a_bit_that_flips_in_a_sealed_archive_is_noticed_within_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Size and time of the file stay as they were, as on a disk that rots."""
    monkeypatch.setattr(archive_checks, "LOOK_S", 0.01)
    path, clock = tmp_path / "mini-2026-09.tar", ManualClock(sm.START_NS)
    path.write_bytes(sm.honest())
    stat, sha256 = path.stat(), hashlib.sha256(sm.honest()).hexdigest()
    checks = ArchiveChecks(kept_in(tmp_path), clock, {"mini": ROOT})
    told, altered = asyncio.Event(), list[Stands]()
    noticed, one = asyncio.Event(), Stands("mini", path, sha256)

    def note(of: Stands) -> None:
        altered.append(of)
        noticed.set()

    running = asyncio.create_task(
        checks.run(lambda: [one], asyncio.Event(), lambda _: told.set(), note)
    )
    async with asyncio.timeout(60):
        await told.wait()
        rotten = bytearray(path.read_bytes())
        rotten[len(rotten) // 2] ^= 1
        path.write_bytes(rotten)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        await asyncio.sleep(0.1)
        assert altered == []  # a file is not read again and again
        clock.now_ns += 21 * 3_600 * sm.SECOND
        await noticed.wait()
    running.cancel()
    found_there = checks.of(sha256)
    assert altered == [one]
    assert found_there is not None
    assert json.loads(found_there["state"])["identified"] is True


def test_an_altered_archive_is_noted_again_although_its_stamp_is_the_same(tmp_path: Path) -> None:
    facts, folder = Facts(kept_in(tmp_path)), ArchiveFolder(tmp_path / "archives")
    folder.folder.mkdir(exist_ok=True)
    path = folder.folder / "mini-2026-09.tar"
    path.write_bytes(b"sound")
    stat, standing = path.stat(), StandingArchives(facts, folder)
    asyncio.run(standing.catch_up("mini"))
    path.write_bytes(b"sounD")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    standing.look()
    assert not standing.has_news("mini")
    standing.altered("mini", path.name)
    assert standing.has_news("mini")
    asyncio.run(standing.catch_up("mini"))
    (noted,) = facts.archives("mini")
    assert noted.sha256 == hashlib.sha256(b"sounD").hexdigest()
