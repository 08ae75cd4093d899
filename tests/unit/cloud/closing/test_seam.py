"""Neighbouring months end and begin at each other, however long a gateway was silent between.

The small plant's heartbeat stands at its newest tick, in June; what follows is of a later month.
"""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cloud.api.services import MonthRefusedError
from cloud.closing.months import Months
from evidence.findings import Verdict
from evidence.frame import TYP_FRAME, Body, encode_body
from evidence.log import Kind
from tests.unit.cloud.month_examples import Desk, judged, months, spans
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import MONTH

CONFIG = sm.configuration()


def begins(month: int) -> int:
    """The first instant of a month of 2026 in Shanghai."""
    first = dt.datetime(2026, month, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
    return int(first.timestamp()) * sm.SECOND


@pytest.fixture
def made(desk: Desk, tmp_path: Path) -> Months:
    return months(desk, tmp_path / "archives", begins(10))


def deliver(desk: Desk, bodies: list[Body]) -> None:
    for body in bodies:
        desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)


def check(archive: object) -> None:
    report = judged(Path(str(archive)))
    assert report.verdict is Verdict.PASSED, report.findings


@pytest.mark.parametrize("following", [7, 8])
async def test_what_a_silent_gateway_sends_after_the_close_begins_the_next_month(
    following: int, desk: Desk, made: Months
) -> None:
    """Seqs 0 to 5 are June's; 6 is its close, 7 and 8 are heartbeats, then come readings."""
    desk.deliver()
    june = await made.close(sm.PLANT, MONTH, closing="final")
    beat = sm.bodies(CONFIG)[4]
    deliver(desk, [beat, beat, *sm.bodies(CONFIG, begins(following))])
    month = f"2026-{following:02}"
    for empty in range(7, following):
        says = rf"no readings in 2026-{empty:02} \(Asia/Shanghai\).* close the next one that has"
        with pytest.raises(MonthRefusedError, match=says):
            await made.close(sm.PLANT, f"2026-{empty:02}", closing="final")
    later = await made.close(sm.PLANT, month, closing="final")
    assert spans(desk) == {MONTH: (0, 5), month: (6, 13)}
    assert "late" not in later
    check(june["archive"])
    check(later["archive"])

    again = await made.close(sm.PLANT, MONTH, closing="final", amend=True, reason="to see")
    assert spans(desk)[MONTH] == (0, 5)
    check(again["archive"])


async def test_readings_that_came_after_the_close_are_told_with_what_to_do(
    desk: Desk, made: Months
) -> None:
    """Seqs 0 to 2 are June's, 3 is its close; 4 to 6 hold readings and a heartbeat of June."""
    desk.deliver(frames=2)
    await made.close(sm.PLANT, MONTH, closing="final")
    desk.deliver_more(2)
    deliver(desk, sm.bodies(CONFIG, begins(7)))
    july = await made.close(sm.PLANT, "2026-07", closing="final")
    assert july["late"] == (
        "readings of 2026-06 came after it was closed (edge-1, from object 4 on) and are in no "
        "archive yet: stackproof cloud month close CLOUD.toml --plant test-smelter --month 2026-06 "
        "--amend --reason TEXT"
    )
    assert spans(desk) == {MONTH: (0, 2), "2026-07": (7, 11)}
    june = await made.close(sm.PLANT, MONTH, closing="final", amend=True, reason="late frames")
    assert spans(desk) == {MONTH: (0, 6), "2026-07": (7, 11)}
    assert "late" not in june
    check(june["archive"])
    check(july["archive"])


async def test_readings_of_a_month_that_is_not_closed_yet_are_not_late(
    desk: Desk, made: Months
) -> None:
    desk.deliver()
    await made.close(sm.PLANT, MONTH, closing="final")
    for month in (7, 8):
        deliver(desk, sm.bodies(CONFIG, begins(month)))
    august = await made.close(sm.PLANT, "2026-08", closing="final")
    assert "late" not in august
    july = await made.close(sm.PLANT, "2026-07", closing="final")
    assert spans(desk) == {MONTH: (0, 5), "2026-07": (6, 11), "2026-08": (12, 16)}
    check(july["archive"])
    check(august["archive"])


async def test_heartbeats_before_the_first_readings_belong_to_their_month(
    desk: Desk, made: Months
) -> None:
    """A gateway that is set up in May and measures from June on."""
    desk.deliver(frames=0)
    deliver(desk, [replace(sm.bodies(CONFIG)[4], t0_ns=begins(5)), *sm.bodies(CONFIG)])
    june = await made.close(sm.PLANT, MONTH, closing="final")
    assert spans(desk) == {MONTH: (0, 6)}
    check(june["archive"])
