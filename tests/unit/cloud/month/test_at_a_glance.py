"""What the table of months says of an archive: its verdict, and the share of substituted values."""

import asyncio
import hashlib
import json
from pathlib import Path

import pytest

from cloud.api.month_view import MonthCell
from cloud.brought.desk import BroughtError
from cloud.month import archive_checks
from cloud.month.archive_checks import ArchiveChecks, Stands
from cloud.month.facts import Archive, Facts
from cloud.month.opening import standing_archives
from cloud.month.substituted import substituted_percent
from tests.unit.cloud.evidence_examples import ManualClock
from tests.unit.evidence import sealed_month as sm

GIVEN = {
    "rule_set": "cets-ag-02.01-v01-2024",
    "fuel": [{"kind": "烟煤", "missing": ["ncv"]}, {"kind": "diesel"}],
}


def line(category: str, kind: str, emission_t: str, basis: str) -> dict[str, object]:
    return {"category": category, "kind": kind, "emission_t": emission_t,
            "parameters": {"ncv": {"basis": basis}}}  # fmt: skip


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

    async def counted(path: Path) -> object:
        asked.append(path.name)
        if len(asked) == 2:
            return {"verdict": "passed", "findings": []}, 0
        return await report_of(path)

    def archives() -> list[Stands]:
        if not stand or len(asked) == 3:
            loop.call_soon_threadsafe(done.set if stand else empty.set)
        return stand

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(archive_checks, "report_of", counted)
    monkeypatch.setattr(archive_checks, "LOOK_S", 3_600.0)  # nobody waits for that
    checks = ArchiveChecks(tmp_path, ManualClock(sm.START_NS))
    running = asyncio.create_task(checks.run(archives, changed, told.append))
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
    found = checks.of(aa), checks.of(bb)
    assert checks.of("cc") is None
    checks.close()
    assert asked == ["good.tar", "bad.tar", "bad.tar"]
    assert told == ["p", "p", "q"]
    assert [one and one["verdict"] for one in found] == ["passed", "failed"]
    assert [one and one["at_ns"] for one in found] == [sm.START_NS] * 2
    assert found[0] is not None
    assert (found[0]["code"], found[0]["substituted_percent"]) == ("", "0.00")
    assert found[1] is not None
    assert found[1]["code"].startswith("E-")
    kept = ArchiveChecks(tmp_path, ManualClock(sm.START_NS))
    assert kept.of(aa) == found[0]
    kept.close()


async def test_archives_that_take_too_long_keep_no_other_plants_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three of half an hour each, tried again each hour, were all that was ever verified."""
    clock, tried, done = ManualClock(sm.START_NS), list[str](), asyncio.Event()

    async def late(path: Path) -> object:
        clock.now_ns += 1_800 * sm.SECOND
        tried.append(path.name)
        if len(tried) == 7:
            done.set()
        if path.name == "b":
            raise RecursionError("what nobody thought of")
        raise BroughtError("not verified within 1800 s")

    monkeypatch.setattr(archive_checks, "report_of", late)
    checks = ArchiveChecks(tmp_path, clock)
    stand = [Stands("p", tmp_path / name, name) for name in "abcdef"]
    running = asyncio.create_task(checks.run(lambda: stand, asyncio.Event(), lambda _: None))
    waiting = asyncio.create_task(done.wait())
    await asyncio.wait((running, waiting), timeout=60, return_when=asyncio.FIRST_COMPLETED)
    assert not running.done()
    running.cancel()
    checks.close()
    assert tried[:7] == [*"abcdef", "a"]


def test_the_newest_month_is_verified_first_and_what_was_replaced_never(tmp_path: Path) -> None:
    facts = Facts(tmp_path)
    rows = [("a", "2026-01", False), ("b", "2026-03", False), ("c", "2026-02", True)]
    facts.put_archives("p", [Archive(f"{n}.tar", m, old, 1, 1, n, b"") for n, m, old in rows])
    found = standing_archives(facts, ["p"], tmp_path)
    facts.close()
    assert list(found) == [("p", tmp_path / f"{name}.tar", name) for name in "ba"]


@pytest.mark.parametrize(
    ("verified", "look", "word"),
    [
        (None, "unknown", "not yet"),
        ({"verdict": "passed", "code": ""}, "passed", "verification: PASSED · 1970-01-01 08:00"),
        ({"verdict": "failed", "code": "E-SEAL"}, "failed", "FAILED (E-SEAL)"),
        ({"verdict": "cannot-decide", "code": "C-RULES"}, "cannot-decide", "(C-RULES)"),
    ],
)
def test_a_cell_tells_completeness_marks_substitution_and_verdict(
    verified: dict[str, object] | None, look: str, word: str
) -> None:
    more = {"version": "1", "at_ns": 0, "substituted_percent": "1.50"}
    held = verified and {**verified, **more}
    row = {
        "zone": "Asia/Shanghai", "readings": {"count": 900, "reserved": 9, "bad": 90, "due": 1000},
        "archives": [{"newest": True, "verified": held}],
    }  # fmt: skip
    cell = MonthCell(json.loads(json.dumps(row)), "en")
    # 900 - 90 of 1000 due have a value; 9 and 90 of the 900 that came
    assert cell.readings() == ["complete 81.00 %", "marked 1.00 %, no value 10.00 %"]
    assert cell.substituted() == ("substituted 1.50 % of the emission" if held else "")
    told = cell.verdict()
    assert told is not None
    assert told[0] == look
    assert word in told[1]


@pytest.mark.parametrize(
    ("verdict", "is_replaced", "look"),
    [("failed", False, "failed"), ("failed", True, None), ("passed", False, None)],
)
def test_an_archive_whose_statement_was_altered_is_told_as_failed(
    verdict: str, look: str | None, *, is_replaced: bool
) -> None:
    """Its close does not know it any more; an earlier archive is not known to it either."""
    verified = {"verdict": verdict, "code": "E-CLOSE", "version": "1", "at_ns": 0}
    archive = {"newest": False, "replaced": is_replaced, "verified": verified}
    told = MonthCell({"zone": "Asia/Shanghai", "archives": [archive]}, "en").verdict()
    assert (told and told[0]) == look
