"""The engine over real evidence: what is owed, closing by itself, by decision, and after a kill."""

import asyncio
import json
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import Mock

import pytest

from cloud.api.services import MonthRefusedError
from cloud.errors import StoreError
from cloud.month.expected import Expected
from evidence.archive.paths import STATEMENT
from evidence.findings import Verdict
from evidence.recompute import month_bounds
from tests.unit.cloud.month.engine_examples import (
    DAY_NS,
    FROM_NS,
    STEPS,
    TO_NS,
    Works,
    ending,
    heartbeat,
)
from tests.unit.cloud.month_examples import ARCHIVE, Desk, judged
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp
from tests.unit.evidence.small_plant import MONTH, PLANT


def owed(row: Any) -> list[tuple[str, bool]]:
    return [(one["what"], one["blocks"]) for one in row["owed"]]


async def test_a_month_opens_waits_is_ready_and_closes_itself_after_it_has_settled(
    works: Works,
) -> None:
    works.clock.now_ns = sm.START_NS + 120 * sm.SECOND
    engine = works.engine(closing="when-complete", settle_ns=DAY_NS)
    await engine.look()
    (row,) = engine.rows(PLANT)
    assert (row["month"], row["state"], owed(row)) == (MONTH, "open", [])
    works.clock.now_ns = TO_NS + 1
    await engine.look()
    july, june = engine.rows(PLANT)
    assert (july["state"], owed(july)) == ("open", [("no-readings", False)])
    assert (june["state"], june["level"], owed(june)) == ("waiting", "warning", [("silent", True)])
    heartbeat(works.desk, TO_NS)
    works.clock.now_ns = TO_NS + DAY_NS - 1
    await engine.look()
    await engine.idle()
    assert (engine.rows(PLANT)[1]["state"], works.made()) == ("ready", {})
    works.clock.now_ns = TO_NS + DAY_NS
    engine = works.engine(closing="when-complete", settle_ns=DAY_NS)
    await engine.look()
    await engine.idle()
    row = engine.rows(PLANT)[1]
    assert (row["state"], row["days_left"]) == ("sealed", 38)
    (archive,) = row["archives"]
    assert (archive["name"], archive["newest"]) == (ARCHIVE, True)
    assert archive["sha256"] == sm.sha256(works.made()[ARCHIVE]).hex()
    assert judged(works.archives / ARCHIVE).verdict is Verdict.PASSED
    assert works.facts.ordered() == []
    before = works.made()
    await engine.look()
    await engine.idle()
    assert works.made() == before
    # as one of a log that is lost, of the same statement
    (works.archives / ARCHIVE.replace(".tar", ".replaced-0123456789ab.tar")).write_bytes(
        before[ARCHIVE]
    )
    await engine.look()
    stand = [(one["replaced"], one["newest"]) for one in engine.rows(PLANT)[1]["archives"]]
    assert sorted(stand) == [(False, True), (True, False)]


async def test_figures_are_those_of_a_statement_that_the_log_closed(works: Works) -> None:
    heartbeat(works.desk, TO_NS)
    engine = works.engine()
    await engine.look()
    open_row = engine.month(PLANT, MONTH)
    await engine.close(PLANT, MONTH, closing="final")
    row = engine.month(PLANT, MONTH)
    assert open_row is not None
    assert row is not None
    statement = json.loads(sm.unpack(works.made()[ARCHIVE])[STATEMENT])
    assert (open_row["figures"], row["figures"]["closing"]) == (None, "final")
    assert row["figures"]["made"]["totals"] == statement["output"]["totals"]
    forged = sm.honest()  # another statement of the month, which this log never closed
    (works.archives / ARCHIVE).write_bytes(forged)
    await engine.look()
    row = engine.month(PLANT, MONTH)
    assert row is not None
    assert row["figures"] is None


async def test_by_hand_is_the_default_and_the_deadline_only_rings(works: Works) -> None:
    heartbeat(works.desk, TO_NS)
    works.clock.now_ns = TO_NS + 41 * DAY_NS  # June 2026 is due on August 9
    engine = works.engine(settle_ns=0)
    await engine.look()
    await engine.idle()
    row = next(row for row in engine.rows(PLANT) if row["month"] == MONTH)
    assert (row["state"], row["level"], row["deadline"]) == ("late", "alarm", "2026-08-09")
    assert works.made() == {}
    assert ("month-late", f"not closed in time: {MONTH}") in works.sources.told
    await engine.close(PLANT, MONTH, closing="final")
    await engine.look()
    assert works.sources.told[-1] == ("month-late", "")


async def test_what_is_owed_keeps_it_open_until_somebody_decides(works: Works) -> None:
    works.sources.missed = {sm.STREAM: 3}
    engine = works.engine(closing="when-complete")
    await engine.look()
    await engine.idle()
    assert works.made() == {}
    with pytest.raises(MonthRefusedError, match=r"not complete: missing \(operator\), silent"):
        await engine.close(PLANT, MONTH, closing="final")
    with pytest.raises(MonthRefusedError, match="not complete"):
        await engine.begin(PLANT, MONTH, amend=False, reason="", by="ann")
    await engine.close(PLANT, MONTH, closing="interim")
    await engine.look()
    row = engine.month(PLANT, MONTH)
    assert row is not None
    assert (row["state"], [one["closing"] for one in row["closes"]]) == ("waiting", ["interim"])
    await engine.begin(PLANT, MONTH, amend=False, reason="the gateway burnt", by="ann")
    await engine.idle()
    row = engine.month(PLANT, MONTH)
    assert row is not None
    assert (row["state"], row["owed"], row["refused"]) == ("sealed", [], "")
    (decided,) = row["decisions"]
    assert (decided["reason"], decided["by"]) == ("the gateway burnt", "ann")
    assert [one["by"] for one in decided["owed"]] == ["operator", "operator"]
    report = judged(works.archives / ARCHIVE)
    assert (report.verdict, report.counts["documents"]) == (Verdict.PASSED, 1)
    works.desk.deliver_more(3)
    await engine.look()
    row = engine.month(PLANT, MONTH)
    assert row is not None
    assert (row["level"], list(row["late"])) == ("notice", [sm.STREAM])
    await engine.begin(PLANT, MONTH, amend=False, reason="again", by="ann")
    await engine.idle()
    row = engine.month(PLANT, MONTH)
    assert row is not None
    assert "is closed for good" in row["refused"]
    await engine.close(PLANT, MONTH, closing="final", amend=True, reason="late readings")
    row = engine.month(PLANT, MONTH)
    assert row is not None
    assert (row["state"], row["level"], row["late"]) == ("amended", "none", {})
    assert sorted(a["replaced"] for a in row["archives"]) == [False, True]


async def test_days_and_meters_of_the_checklist(works: Works) -> None:
    engine = works.engine()
    await engine.look()
    row = engine.month(PLANT, MONTH)
    assert row is not None
    assert len(row["days"]) == 30
    assert {of["gateway"] for of in row["streams"]} == {sm.STREAM}
    ticks = sum(
        section.ticks * group.rows
        for body in sm.bodies(sm.configuration())
        for section in body.sections
        for group in section.groups
        if not sm.configuration()["groups"][group.group]["computed"]
    )
    assert sum(of["readings"] for of in row["devices"]) == ticks
    assert all(set(of["days"]) >= {"2026-06-15", "2026-06-30"} for of in row["devices"])
    days = {day: cells[0] for of in row["devices"] for day, cells in of["days"].items() if cells[0]}
    assert list(days) == ["2026-06-15"]
    due = sum(cells[1] for of in row["devices"] for cells in of["days"].values())
    assert due == sum(of["due"] for of in row["devices"]) > ticks
    assert engine.month(PLANT, "2026-05") is None


CERTIFICATE = {
    "scope": "verification", "issuer": "JJG", "number": "17", "day": "2025-06-16",
    "due": "2026-06-15", "fit": True,
}  # fmt: skip
EVENT = {
    "event": "replacement", "reason": "drift", "from_ns": FROM_NS, "to_ns": TO_NS + 2 * DAY_NS,
}  # fmt: skip
COUNT = {"value": "7", "unit": "t", "from_ns": FROM_NS, "to_ns": TO_NS}


async def test_documents_that_wait_end_and_come_late(works: Works) -> None:
    """Chen's count waits for the accountant, a replacement is not over, a certificate ended."""
    heartbeat(works.desk, TO_NS)
    for person in pp.persons():
        works.desk.paper(person)
    count = works.desk.paper(pp.paper("chen", "count", "clinker", COUNT))
    works.desk.paper(pp.paper("zhao", "meter-event", "scale", EVENT))
    works.desk.paper(pp.paper("zhao", "meter-certificate", "scale", CERTIFICATE))
    works.plan.rows = [Expected("clinker", "count", "clinker", "month", "production")]
    engine = works.engine()
    await engine.look()
    row = engine.month(PLANT, MONTH)
    assert row is not None
    assert [(one["what"], one["by"], one["blocks"]) for one in row["owed"]] == [
        ("approval", "accountant", True), ("approval", "engineer", True),
        ("approval", "engineer", True), ("certificate", "engineer", False),
        ("event", "engineer", True),
    ]  # fmt: skip
    (given,) = row["documents"]
    assert (len(given["documents"]), given["unapproved"], given["is_missing"]) == (1, 1, False)
    assert [one["due"] for one in row["certificates"]] == ["2026-06-15"]
    seen = works.desk.paper(pp.paper("li", "approve", "clinker", {}, sm.sha256(count)))
    works.desk.paper(pp.paper("li", "withdraw", "clinker", {"reason": "unread"}, sm.sha256(seen)))
    await engine.look()
    row = engine.month(PLANT, MONTH)
    assert row is not None
    assert [one["what"] for one in row["owed"]].count("approval") == 3  # as the figures have it
    works.desk.paper(pp.paper("li", "approve", "clinker", {"note": "read"}, sm.sha256(count)))
    works.clock.now_ns = TO_NS + 3 * DAY_NS
    await engine.look()
    row = engine.month(PLANT, MONTH)
    assert row is not None
    assert [one["what"] for one in row["owed"]] == ["approval", "approval", "certificate"]
    await engine.close(PLANT, MONTH, closing="final", reason="the event is clear")
    works.desk.paper(pp.paper("chen", "count", "clinker", COUNT | {"value": "8"}, sm.sha256(count)))
    await engine.look()
    row = engine.month(PLANT, MONTH)
    assert row is not None
    assert [one["person"] for one in row["after"]] == ["chen"]
    assert (row["state"], row["level"], row["owed"]) == ("sealed", "notice", [])


async def test_rows_of_a_plan_say_who_owes_what(works: Works) -> None:
    heartbeat(works.desk, TO_NS)
    works.plan.rows = [
        Expected("coal burnt", "invoice", "coal", "month", "purchasing"),
        Expected("moisture", "sample-result", "s-1", "day", "laboratory"),
    ]
    engine = works.engine(closing="when-complete")
    await engine.look()
    await engine.idle()
    row = engine.month(PLANT, MONTH)
    assert row is not None
    assert row["has_plan"]
    assert [(one["what"], one["by"]) for one in row["owed"]] == [
        ("document", "purchasing"), ("daily", "laboratory"),
    ]  # fmt: skip
    assert row["owed"][1]["values"]["count"] == 30
    assert (row["state"], works.made()) == ("waiting", {})


async def test_a_sample_is_of_what_it_was_taken_of(works: Works) -> None:
    """Its documents are about the sample; a plan asks for samples of coal."""
    heartbeat(works.desk, TO_NS)
    for person in pp.persons():
        works.desk.paper(person)
    taken = {
        "source": "coal", "place": "belt", "taken_ns": FROM_NS + DAY_NS, "mass_kg": "5",
        "seal": "1", "from_ns": FROM_NS, "to_ns": TO_NS,
    }  # fmt: skip
    works.desk.paper(pp.paper("chen", "sample-taken", "s-1", taken))
    works.plan.rows = [
        Expected("ncv", "sample-taken", source, "month", "laboratory") for source in ("coal", "gas")
    ]
    engine = works.engine()
    await engine.look()
    row = engine.month(PLANT, MONTH)
    assert row is not None
    assert [len(one["documents"]) for one in row["documents"]] == [1, 0]
    assert owed(row) == [("document", True), ("approval", True)]  # no figure is made of it before
    works.plan.expected = Mock(side_effect=StoreError("the plan is gone"))  # type: ignore[method-assign] # the disk fails
    assert [owed(row) for row in engine._book.rows(PLANT, TO_NS + 2 * DAY_NS)][1] == [
        ("papers", True)
    ]


@pytest.mark.parametrize("broken", ["more", "other"])
async def test_facts_of_another_log_are_made_again(
    works: Works, tmp_path: Path, broken: str
) -> None:
    engine = works.engine()
    await engine.look()
    wanted = engine.month(PLANT, MONTH)
    other = Desk(tmp_path / "other")
    if broken == "other":
        other.deliver(frames=2)
    engine = Works(works.folder, other).engine()
    await engine.look()
    found = engine.month(PLANT, MONTH)
    assert (found is None) == (broken == "more")
    engine = works.engine()
    await engine.look()
    assert engine.month(PLANT, MONTH) == wanted
    other.shut()


async def test_pieces_add_up_to_the_whole(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = works.engine()
    await engine.look()
    wanted = engine.month(PLANT, MONTH)
    monkeypatch.setattr("cloud.month.engine.PIECE", 1)
    monkeypatch.setattr("cloud.month.reader.ENTRIES_AN_OBJECT", 1)
    works.facts.forget(PLANT)
    for _ in range(2):
        engine = works.engine()
        await engine.look()
    assert engine.month(PLANT, MONTH) == wanted


class Killed(BaseException):
    """The process is gone."""


def be_gone() -> NoReturn:
    raise Killed


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize(("owner", "name", "after"), STEPS)
async def test_killed_at_any_step_it_ends_with_the_same_bytes(  # noqa: PLR0917 - pytest's own
    works: Works, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: str, name: str,
    after: bool, by_hand: bool,
) -> None:  # fmt: skip
    heartbeat(works.desk, TO_NS)
    closing: Any = "by-hand" if by_hand else "when-complete"
    engine = works.engine(closing=closing)
    with monkeypatch.context() as patch:
        patch.setattr(*ending(works, (owner, name, after), be_gone))
        await engine.look()
        if by_hand:
            await engine.begin(PLANT, MONTH, amend=False, reason="", by="ann")
        with pytest.raises(Killed):
            await engine.idle()
    engine = works.engine(closing=closing)
    await engine.look()
    await engine.idle()
    left = works.made()
    assert list(left) == [ARCHIVE]
    assert judged(works.archives / ARCHIVE).verdict is Verdict.PASSED
    assert works.facts.ordered() == []
    row = next(row for row in engine.rows(PLANT) if row["month"] == MONTH)
    assert row["state"] == "sealed"
    aside = Works(tmp_path / "aside", works.desk)
    await aside.engine().seal(PLANT, MONTH)
    assert aside.made() == left, "the log and the keys decide the bytes, not who made them when"


async def test_an_archive_that_was_taken_away_is_not_made_again(works: Works) -> None:
    heartbeat(works.desk, TO_NS)
    await works.engine(closing="when-complete").close(PLANT, MONTH, closing="final")
    (works.archives / ARCHIVE).unlink()
    engine = works.engine(closing="when-complete")
    await engine.look()
    await engine.idle()
    row = next(row for row in engine.rows(PLANT) if row["month"] == MONTH)
    assert (row["state"], works.made()) == ("closed", {})


async def test_a_plant_that_cannot_be_read_is_said_and_looked_at_again(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud.month.engine.LOOK_S", 0.001)
    engine, looks, again = works.engine(), 0, asyncio.Event()
    real = works.sources.evidence

    def failing(plant: str) -> Any:
        nonlocal looks
        looks += 1
        if looks < 3:
            raise (StoreError("no descriptor is free"), ZeroDivisionError())[looks - 1]
        if looks == 4:
            again.set()
        return real(plant)

    monkeypatch.setattr(works.sources, "evidence", failing)
    engine.start()
    await again.wait()
    await engine.stop()
    found = engine.month(PLANT, MONTH)
    assert found is not None
    assert (bool(found["devices"]), found["counting"]) == (True, "")


def test_bounds_are_those_of_the_plant() -> None:
    assert month_bounds("Asia/Shanghai", MONTH) == (FROM_NS, TO_NS)
