"""Months as the collector closes them, one after another: `compare` says that they are one."""

from pathlib import Path

import pytest

import stackproof
from tests.unit.cloud.closing.test_zone import moves_to, reads, utc_ns
from tests.unit.cloud.month_examples import Desk, months
from tests.unit.evidence import sealed_month as sm


async def test_june_and_july_of_a_collector_are_one_history(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = Desk(tmp_path / "evidence").deliver()
    moves_to(desk, "UTC")
    reads(desk, "2026-07-01T00:00:00Z")
    made = months(desk, tmp_path / "archives", utc_ns("2026-10-01T00:00:00Z"))
    files = [
        str((await made.close(sm.PLANT, f"2026-{n:02}", closing="final"))["archive"])
        for n in (6, 7)
    ]
    desk.shut()
    assert stackproof.main(["compare", *files[::-1]]) == 0, capsys.readouterr().out
    assert capsys.readouterr().out.startswith("ONE HISTORY  2 archives of ")
