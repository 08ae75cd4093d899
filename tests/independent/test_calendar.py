"""Days and months begin at the same instants for both: ICU's rules there, tzdata's here."""

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.calc.local_time import PlantDays
from evidence.time_zones import zone_names
from tests.independent.other import FOLDER, run_node
from tests.unit.edge.calc.test_local_time import ODD_MONTHS

SECOND = 10**9
#: ICU of the oldest Node supported is of 2025: what governments decided later it cannot know
SINCE, UNTIL = 0, int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
EACH = 8

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("npm")]


def test_both_know_the_same_names() -> None:
    assert set((FOLDER / "zones.txt").read_text().split()) == zone_names()


def test_days_and_months_begin_at_the_same_instants(tmp_path: Path) -> None:
    rng, asked = random.Random(1), list[tuple[str, int]]()
    for zone in sorted(zone_names()):
        days = PlantDays(zone)
        for _ in range(EACH):
            at = rng.randrange(SINCE, UNTIL) * SECOND
            first, _ = days.month_bounds(days.day(at).month)
            asked += [(zone, at), (zone, first), (zone, first - 1)]
    for zone, month, _ in ODD_MONTHS:
        first, after = PlantDays(zone).month_bounds(month)
        around = range(-4, 5)
        asked += [(zone, at + n * 1800 * SECOND) for at in (first, after) for n in around]
    file = tmp_path / "instants"
    file.write_text("".join(f"{zone} {at}\n" for zone, at in asked if at >= 0))
    asked = [(zone, at) for zone, at in asked if at >= 0]
    different = []
    for (zone, at), told in zip(asked, run_node("days.mjs", file), strict=True):
        day = PlantDays(zone).day(at)
        month = PlantDays(zone).month_bounds(day.month)
        if told != [[str(day.start_ns), str(day.end_ns)], [str(n) for n in month]]:
            different.append((zone, at, told))
    assert different == []
