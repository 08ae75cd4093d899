"""Shifts: where they are cut, what they emitted, which pots to watch, how they are handed over."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cloud.alarms.facts import Effect
from cloud.shift.cut import shift_at
from cloud.shift.desk import ShiftDesk, watched
from cloud.shift.emission import emitted
from cloud.shift.store import CountedTo, ShiftStore
from tests.unit.cloud.app_examples import Months, alarm_parts, make_hub
from tests.unit.cloud.kept import kept_in
from tests.unit.cloud.live_examples import PLANT, T0, ManualClock

NS = 1_000_000_000
HOUR_NS = 3_600 * NS
THREE = ("00:00", "08:00", "16:00")


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NS


@pytest.mark.parametrize(
    ("begins", "zone", "at", "from_", "to"),
    [
        (THREE, "Asia/Shanghai", "2026-09-21T14:13:20", "2026-09-21T08:00", "2026-09-21T16:00"),
        (THREE, "Asia/Shanghai", "2026-09-21T16:00:00", "2026-09-21T16:00", "2026-09-22T00:00"),
        (("07:30", "19:30"), "Asia/Shanghai", "2026-12-31T23:00", "2026-12-31T11:30",
         "2026-12-31T23:30"),
        (("07:30", "19:30"), "Asia/Shanghai", "2026-12-31T23:29:59", "2026-12-31T11:30",
         "2026-12-31T23:30"),
        # the clock is set back at 03:00 on 2026-10-25: the night is nine hours long
        (("22:00", "06:00")[::-1], "Europe/Berlin", "2026-10-25T01:30", "2026-10-24T20:00",
         "2026-10-25T05:00"),
    ],
)  # fmt: skip
def test_shifts_are_cut_by_the_plants_clock(
    begins: tuple[str, ...], zone: str, at: str, from_: str, to: str
) -> None:
    found = shift_at(begins, ZoneInfo(zone), utc(at))
    assert (found.from_ns, found.to_ns) == (utc(from_), utc(to))


def counted(hour: int, total: str, month: str = "2026-09") -> CountedTo:
    return CountedTo(hour * HOUR_NS, month, "tCO2e", total)


@pytest.mark.parametrize(
    ("counts", "total"),
    [
        ([], None), ([counted(0, "5.00")], None),
        ([counted(0, "100.10"), counted(4, "130.15"), counted(8, "161.00")], "60.90"),
        # 161.00 - 100.10 until the month ended, then 7.25 of the next one
        ([counted(0, "100.10"), counted(4, "161.00"), counted(5, "7.25", "2026-10")], "68.15"),
    ],
)  # fmt: skip
def test_a_shift_emitted_what_its_months_grew_by(counts: list[CountedTo], total: str) -> None:
    found = emitted(counts)
    assert (None if found is None else found.total_t) == total


def effect(pot: str, lasted_s: int | None) -> Effect:
    end_ns = None if lasted_s is None else T0 + lasted_s * NS
    return Effect("edge-1", "line-1", pot, T0, end_ns, False, (lasted_s or 30) * NS, "30", None)


def test_pots_to_watch_are_running_then_unknown_then_again_then_too_long() -> None:
    """An effect that was quenched in time, and did not come again, is nothing to watch."""
    unknown = replace(effect("04", None), unknown_ns=5 * NS)
    told = [effect("01", 60), effect("01", 40), effect("02", 300), effect("03", None), unknown]
    found = watched([*told, effect("05", 180), effect("06", 12)], 180 * NS)
    assert [(one.pot, one.effects) for one in found] == [("03", 1), ("04", 1), ("01", 2), ("02", 1)]
    assert (found[1].is_running, found[1].unknown_ns) == (False, 5 * NS)
    assert found[2].longest_ns == 60 * NS


class SoFar:
    total_t = "10.00"

    def of(self, plant: str) -> dict[str, Any]:
        month = {"total_t": self.total_t}
        return {"through_ns": T0, "month": "2026-09", "unit": "tCO2e", "is_behind": False,
                "periods": {"month": month}}  # fmt: skip


@pytest.fixture
def desk() -> ShiftDesk:
    return alarm_parts(make_hub(), ManualClock(), Months(), None, SoFar())[1]


def test_a_shift_is_handed_over_by_two_people(desk: ShiftDesk) -> None:
    """T0 is 22:13:20 at the plant: the shift began at 16:00."""
    shift = desk.shift(PLANT)
    assert (shift.name, shift.from_ns) == ("16:00", utc("2026-09-21T08:00"))
    with pytest.raises(ValueError, match="somebody else"):
        desk.take(PLANT, shift.from_ns, "wang")
    desk.leave(PLANT, shift.from_ns, "li", " pot 04 \n")
    with pytest.raises(ValueError, match="somebody else"):
        desk.take(PLANT, shift.from_ns, "li")
    desk.take(PLANT, shift.from_ns, "wang")
    notes = desk.sheet(PLANT).notes
    assert [(one.what, one.by, one.text) for one in notes] == [
        ("left", "li", "pot 04"), ("taken", "wang", ""),
    ]  # fmt: skip
    for from_ns, text in ((shift.from_ns + 1, "x"), (shift.to_ns, "x"), (shift.from_ns, " "),
                          (shift.from_ns, "x" * 2_001)):  # fmt: skip
        with pytest.raises(ValueError, match=r"shift|note"):
            desk.leave(PLANT, from_ns, "li", text)


def test_a_sheet_says_what_is_owed_and_when_too_little_was_counted(desk: ShiftDesk) -> None:
    desk.count([PLANT])
    sheet = desk.sheet(PLANT)
    assert sheet.emission is None
    assert sheet.after_ns is None
    assert {month for month, _ in sheet.owed} <= {"2026-09"}
    before = desk.sheet(PLANT, sheet.before_ns)
    assert (before.shift.name, before.after_ns, before.standing) == (
        "08:00", sheet.shift.from_ns, None,
    )  # fmt: skip
    with pytest.raises(LookupError):
        desk.sheet("nowhere")


def test_notes_and_counts_are_kept(tmp_path: Path) -> None:
    store = ShiftStore(kept_in(tmp_path))
    for hour in (1, 2, 3):
        store.count({PLANT: counted(hour, f"{hour}.00")})
    store = ShiftStore(kept_in(tmp_path))
    found = store.counts(PLANT, 2 * HOUR_NS, 3 * HOUR_NS)
    assert [one.total_t for one in found] == ["2.00", "3.00"]
