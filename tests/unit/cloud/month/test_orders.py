"""Orders to close: one at a time of a month, and remembered until they are done."""

import asyncio
from pathlib import Path
from unittest.mock import Mock

import pytest

from cloud.api.month_texts import owed
from cloud.api.services import MonthRefusedError
from cloud.database.reader import PlantReader
from cloud.errors import StoreError
from cloud.front.shapes import MONTHS
from cloud.month import engine as months
from cloud.month.book import MONTHS_MAX
from cloud.month.facts import Ordered, Position, Segment, StreamDay
from cloud.month.tally import DayTally, Layout
from evidence import cbor
from evidence.blocks import compress
from evidence.frame import TYP_CONFIG, TYP_FRAME, encode_body
from evidence.log import Kind
from tests.unit.cloud.month.engine_examples import FROM_NS, TO_NS, Works, heartbeat
from tests.unit.cloud.month_examples import ARCHIVE, Desk
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import MONTH, PLANT

#: of the small plant's configuration: gas and energy
GAS_GROUP = 3


async def test_a_closing_that_a_kill_interrupted_waits_for_a_disk_that_answers(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeat(works.desk, TO_NS)
    engine = works.engine()
    await engine.look()
    works.facts.order(Ordered(PLANT, MONTH, False, "", "ann", TO_NS))
    engine = works.engine()
    with monkeypatch.context() as patch:
        patch.setattr(works.sources, "evidence", Mock(side_effect=StoreError("no descriptor")))
        await engine.look()
    await engine.look()
    await engine.idle()
    assert (list(works.made()), works.facts.ordered()) == ([ARCHIVE], [])


async def test_a_month_that_is_being_closed_takes_no_second_order(works: Works) -> None:
    """Pressed twice it is amended once."""
    heartbeat(works.desk, TO_NS)
    engine = works.engine(closing="when-complete")
    await engine.begin(PLANT, MONTH, amend=False, reason="", by="ann")
    await engine.look()
    await engine.idle()
    await engine.begin(PLANT, MONTH, amend=True, reason="late readings", by="ann")
    with pytest.raises(MonthRefusedError, match="is being closed already"):
        await engine.begin(PLANT, MONTH, amend=True, reason="late readings", by="ann")
    with pytest.raises(MonthRefusedError, match="is being closed already"):
        await engine.close(PLANT, MONTH, closing="final", amend=True, reason="late readings")
    await engine.idle()
    assert [one.replaces is None for one in works.facts.closes(PLANT)] == [True, False]
    assert works.sources.told == []


async def test_a_decision_says_what_was_owed_when_it_was_made(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same words again, of something else that is owed, are another decision."""
    heartbeat(works.desk, TO_NS)
    engine, counts = works.engine(), list[int]()
    await engine.look()
    monkeypatch.setattr(works.desk, "look_for_keys", Mock(side_effect=StoreError("no descriptor")))
    for missed in (1, 1, 2):
        works.sources.missed = {sm.STREAM: missed}
        with pytest.raises(MonthRefusedError, match="no descriptor"):
            await engine.close(PLANT, MONTH, closing="final", reason="as agreed")
        row = engine.month(PLANT, MONTH)
        counts.append(0 if row is None else len(row["decisions"]))
    assert counts == [1, 1, 2]


async def test_a_plant_of_which_nobody_thought_does_not_hold_up_the_others(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, real = works.engine(), works.sources.evidence
    monkeypatch.setattr(works.sources, "plants", lambda: ["a-plant", PLANT])
    monkeypatch.setattr(works.sources, "evidence", lambda of: real(of) if of == PLANT else 1 // 0)
    await engine.look()
    assert engine.rows(PLANT)[0]["month"] == "2026-07"


async def test_a_gateway_that_signs_faster_than_is_counted_holds_up_no_other_plant(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, real, others = works.engine(), works.sources.evidence, list[str]()
    monkeypatch.setattr(months, "PIECE", 1)
    monkeypatch.setattr(months, "TURN_S", 0.1)
    asked, other = [0], "z-plant"

    async def sign() -> None:
        for _ in range(2):
            asked[0] += 1
            heartbeat(works.desk, TO_NS + asked[0])

    def evidence(of: str) -> PlantReader:
        if of == other:
            others.append(of)
            raise LookupError(of)
        return real(of)

    monkeypatch.setattr(works.sources, "turn", sign)
    monkeypatch.setattr(works.sources, "plants", lambda: [PLANT, other])
    monkeypatch.setattr(works.sources, "evidence", evidence)
    await asyncio.wait_for(engine.look(), 30)
    assert others == [other]
    assert works.sources.told == []  # of what is not counted nobody says that it is late
    monkeypatch.setattr(works.sources, "turn", nobody)
    monkeypatch.setattr(months, "TURN_S", 60.0)
    await engine.look()
    assert (
        works.facts.position(PLANT, sm.STREAM).next_seq
        == works.desk.reader.head(sm.STREAM).next_seq
    )


async def nobody() -> None:
    """Has anything to do first."""


async def test_readings_of_a_forgotten_clock_make_no_years_of_months(works: Works) -> None:
    engine = works.engine()
    await engine.look()
    day = StreamDay("1970-01-01", sm.STREAM, DayTally(last_seq=0, log_index=0), 1)
    works.facts.add(PLANT, sm.STREAM, works.facts.position(PLANT, sm.STREAM), [], [day])
    works.clock.now_ns += 60 * 10**9  # rows are a minute old at most
    assert len(engine.rows(PLANT)) == MONTHS_MAX


async def test_readings_of_a_clock_that_is_ahead_hide_no_month(works: Works) -> None:
    """As the first ones of a plant: its present month left the list, other plants' the pages."""
    engine = works.engine()
    works.clock.now_ns = sm.START_NS + 120 * sm.SECOND
    day = StreamDay("2150-01-01", sm.STREAM, DayTally(last_seq=0, log_index=0), 1)
    works.facts.add(PLANT, sm.STREAM, works.facts.position(PLANT, sm.STREAM), [], [day])
    assert works.facts.first_month(PLANT) == "2150-01"
    rows = engine.rows(PLANT)
    assert [row["month"] for row in rows] == ["2026-06"]
    MONTHS.validate_python(rows)


async def test_readings_of_each_nanosecond_hide_no_month(works: Works) -> None:
    """A front has 64 bits for a number: one configuration had it refuse all plants' months."""
    engine = works.engine()
    works.clock.now_ns = TO_NS
    layout = Layout("Asia/Shanghai", ("meter",), (((1, 20_000),),), ((0,),))
    day = StreamDay("2026-06-01", sm.STREAM, DayTally(last_seq=0, log_index=0), 1)
    works.facts.add(PLANT, sm.STREAM, Position(1), [Segment(FROM_NS, b"", layout)], [day])
    rows = engine.rows(PLANT)
    assert rows[-1]["readings"]["due"] == 2**63 - 1  # of 20,000 × 30 days: 5 × 10^19
    MONTHS.validate_python(rows)


def leapt(works: Works) -> None:
    """The gas meter gains 1,000,000 Nm3 between the third and the fourth frame, and keeps them."""
    config = sm.configuration()
    gas = next(one for one in config["points"] if one["id"] == "gas.volume")
    gas["rules"] = {"rate_per_s": "10"}
    works.desk.take(Kind.CONFIG, TYP_CONFIG, compress(cbor.encode(config)))
    for number, body in enumerate(sm.bodies(config)):
        for section in body.sections:
            for group in section.groups:
                if number >= 3 and group.group == GAS_GROUP:
                    group.raw[0] += 1_000_000
        works.desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)


async def test_a_leap_that_nobody_explained_closes_a_month_by_decision_alone(
    folder: Path, desk: Desk
) -> None:
    """Also where the checklist does not know of it yet, as after a restart."""
    works = Works(folder, desk)
    leapt(works)
    heartbeat(desk, TO_NS)
    engine = works.engine()
    await engine.look()
    with pytest.raises(MonthRefusedError, match=r"explains why the counter gas.volume leapt"):
        await engine.close(PLANT, MONTH, closing="final")
    assert not works.facts.closes(PLANT)
    await engine.close(PLANT, MONTH, closing="final", reason="the old meter is at the maker's")
    row = engine.month(PLANT, MONTH)
    assert row is not None
    (decided,) = row["decisions"]
    assert [one["by"] for one in decided["owed"]] == ["engineer"]
    assert "gas.volume leapt" in decided["owed"][0]["what"]


async def test_what_the_checklist_knows_of_a_leap_is_owed_by_the_engineer(works: Works) -> None:
    heartbeat(works.desk, TO_NS)
    works.sources.flagged = ["leap-unexplained:gas.volume", "check:flow-totaliser:gas.volume"]
    engine = works.engine()
    await engine.look()
    row = engine.month(PLANT, MONTH)
    assert row is not None
    told = [(one["what"], one["by"], one["blocks"]) for one in row["owed"]]
    assert told == [("flag", "engineer", True), ("flag", "engineer", False)]
    said = [owed("zh", one, "Asia/Shanghai") for one in row["owed"]]
    assert said[0].startswith("没有经批准的文件说明累计量 gas.volume 跳升的原因")
    with pytest.raises(MonthRefusedError, match=r"is not complete: leap-unexplained:gas\.volume"):
        await engine.close(PLANT, MONTH, closing="final")
