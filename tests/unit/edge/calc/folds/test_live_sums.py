"""This hour, this day, this month: as the month counts it, hour by hour, by hand."""

from decimal import Decimal
from typing import Any

import pytest

from edge.calc.blocks import Block
from edge.calc.errors import PlantError
from edge.calc.folds.live_sums import LiveSums
from edge.calc.folds.month import MonthFold
from edge.calc.statements.statement import compute
from tests.unit.edge.calc.conftest import NOON, SECOND, block, smelter
from tests.unit.edge.calc.small_works import (
    KILN,
    STEELWORKS,
    Config,
    kiln,
    steelworks,
    with_clinker,
)

HOUR = 3600 * SECOND
BAD = 140


def sums(config: Config) -> LiveSums:
    return LiveSums(config, NOON, is_start=True)


def shown_of(config: Config) -> dict[str, tuple[float, float]]:
    """Two readings of every point: the works' own, of the smelter's anything that rises."""
    known = {**KILN, **STEELWORKS}
    return {p["id"]: known.get(p["id"], (100, 110)) for p in config["points"]}


@pytest.mark.parametrize("config", [kiln(), with_clinker(kiln()), steelworks(), smelter()])
def test_the_month_so_far_is_that_of_the_month(config: Config) -> None:
    """`MonthFold` is another fold of the same readings; lines and total are its statement's."""
    blocks = [block(config, 0, [NOON, NOON + SECOND], shown_of(config))]
    blocks += [block(config, 1, [NOON], {}) for _ in config["schedules"][1:]]
    fold, live = MonthFold(), sums(config)
    fold.configure(config)
    fold.feed(blocks)
    live.feed(blocks)
    due = compute(fold.result(NOON, NOON + 2 * SECOND, "interim"))
    found = live.as_map()["month"]
    assert found["total_t"] == due["totals"]["total_t"]
    shown = [{k: v for k, v in row.items() if k not in {"sign", "zh"}} for row in found["lines"]]
    assert shown == [{key: line[key] for key in shown[n]} for n, line in enumerate(due["lines"])]
    counted = sum(row["sign"] * Decimal(row["emission_t"]) for row in found["lines"])
    assert counted == Decimal(found["total_t"])
    assert found == {**live.as_map()["hour"], "from_ns": live.from_ns, "to_ns": live.to_ns}
    assert found["completeness"]["percent"] == "100.00"


def hours(config: Config, coal: list[float | None]) -> LiveSums:
    """One reading an hour from noon on; None is a bad one."""
    live = sums(config)
    for n, value in enumerate(coal):
        bad = {"coal.total": [BAD]} if value is None else None
        shown = {p["id"]: (0,) for p in config["points"]} | {"coal.total": (value or 0,)}
        live.feed([block(config, 0, [NOON + n * HOUR], shown, bad)])
    return live


def test_hours_take_what_rose_since_the_hour_before() -> None:
    """100 t of coal are 219.30 t CO2 (`test_works_month`): 50 t 109.65, 150 t 328.95."""
    live = hours(kiln(), [1000, 1050, 1200])
    found = live.as_map()
    assert [found[name]["total_t"] for name in ("hour", "day", "month")] == [
        "328.95", "438.60", "438.60"
    ]  # fmt: skip
    assert (found["hour"]["from_ns"], found["hour"]["to_ns"]) == (NOON + 2 * HOUR, NOON + 3 * HOUR)
    assert found["day"]["from_ns"] == NOON - 12 * HOUR
    assert {"category": "clinker", "reason": "no-meter"} in found["hour"]["missing"]


def test_what_goes_back_is_counted_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each 832 bytes of 360 hours of 500 meters took 2.7 s, however often they came again.

    By hand: 150 t in the newest hour, then 100 t of an old clock: 250 t of coal are 548.25 t CO2.
    """
    live, pieces = hours(kiln(), [1000, 1050, 1200]), list[int]()
    count = LiveSums._count

    def counted(self: LiveSums, blocks: list[Block]) -> None:
        pieces.append(len(blocks[0].ticks_ns))
        count(self, blocks)

    monkeypatch.setattr(LiveSums, "_count", counted)
    back = [NOON + n * HOUR for n in range(-9, 3)]
    shown = {p["id"]: (0,) * 12 for p in kiln()["points"]} | {"coal.total": (1300,) * 12}
    live.feed([block(kiln(), 0, [*back], shown)])
    found = live.as_map()
    assert pieces == [12]
    assert [found[name]["total_t"] for name in ("hour", "month")] == ["548.25", "657.90"]
    assert found["hour"]["from_ns"] == NOON + 2 * HOUR


def fed(feed: list[float | None]) -> LiveSums:
    """A reading a second of the kiln feed, t/h; None is a bad one."""
    live = sums(kiln())
    for n, value in enumerate(feed):
        bad = {"meal.feed": [BAD]} if value is None else None
        shown = {p["id"]: (0,) for p in kiln()["points"]} | {"meal.feed": (value or 0,)}
        live.feed([block(kiln(), 0, [NOON + n * SECOND], shown, bad)])
    return live


def test_the_clinker_of_the_kiln_feed_stands_beside_the_figures() -> None:
    """By hand: 20 intervals of 1 s at 5580 t/h are 31 t of meal, ÷ 1.55 = 20 t, × 0.535 = 10.70 t.

    The total without it is 0 (no coal burnt), and with it 10.70; a line of it is still missing.
    """
    found = fed([5580] * 21).as_map()
    for name in ("hour", "month"):
        assert found[name]["total_t"] == "0.00"
        assert found[name]["indicator"] == {
            "kind": "portland", "zh": "硅酸盐水泥熟料", "clinker_t": "20.00",
            "emission_t": "10.70", "covered_percent": "100.00", "total_t": "10.70",
        }  # fmt: skip
    assert {"category": "clinker", "reason": "no-meter"} in found["month"]["missing"]
    # where a meter counts clinker there is no second total, only the indicator beside it
    metered = sums(with_clinker(kiln()))
    metered.feed([block(kiln(), 0, [NOON, NOON + SECOND], KILN)])
    assert "total_t" not in metered.as_map()["month"]["indicator"]
    assert "indicator" not in sums(steelworks()).as_map()["month"]


def test_silence_of_the_feed_makes_no_clinker() -> None:
    """21 s: 10 good readings, 6 bad ones, 5 good; the gap of 7 s is longer than two intervals.

    9 s and 4 s are covered of 20 s and the newest tick: 65 %; 13 s are 13 t.
    """
    found = fed([5580] * 10 + [None] * 6 + [5580] * 5).as_map()["month"]["indicator"]
    assert (found["clinker_t"], found["covered_percent"]) == ("13.00", "65.00")


def test_another_raw_meal_ratio_begins_a_piece() -> None:
    """10 s at 5580 t/h: 10 t by 1.55; then 10 s by 3.1: 5 t. The hour's mark came before both."""
    other = kiln()
    other["statement"]["kiln_feed"]["meal_per_clinker"] = "3.1"
    live, known = sums(kiln()), {p["id"]: (0,) for p in kiln()["points"]}
    for n in range(22):
        if n == 11:
            live.configure(other)
        live.feed([block(kiln(), 0, [NOON + n * SECOND], known | {"meal.feed": (5580,)})])
    assert live.as_map()["hour"]["indicator"]["clinker_t"] == "15.00"


def test_what_documents_tell_is_missing_until_the_month_is_closed() -> None:
    config = kiln()
    config["statement"]["fuels"].append(
        {"kind": "anthracite", "rule": "records", "source": "coal-2"}
    )
    found = hours(config, [1000, 1050]).as_map()["month"]
    assert found["total_t"] == "109.65"
    row = {"category": "fuel", "kind": "anthracite", "zh": "无烟煤", "reason": "no-meter"}
    assert row in found["missing"]


def test_an_hour_without_a_usable_reading_is_missing_and_never_zero() -> None:
    found = hours(kiln(), [1000, 1050, None]).as_map()
    coal = {"category": "fuel", "kind": "bituminous", "zh": "烟煤"}
    no_coal = {**coal, "reason": "no-reading", "point": "coal.total"}
    assert no_coal in found["hour"]["missing"]
    assert [line["category"] for line in found["hour"]["lines"]] == ["substitute"]
    assert found["hour"]["completeness"] == {"point": "coal.total", "percent": "0.00"}
    assert (found["day"]["lines"][0]["emission_t"], no_coal in found["day"]["missing"]) == (
        "109.65", False
    )  # fmt: skip
    # what rose meanwhile stands in the hour in which the meter is read again
    again = hours(kiln(), [1000, 1050, None, 1200]).as_map()
    assert again["hour"]["lines"][0]["emission_t"] == "328.95"


def test_readings_that_never_came_are_due() -> None:
    """One of 3601 seconds in the hour before, one of one in this: the day has 2 of 3601."""
    found = hours(kiln(), [1000, 1050]).as_map()
    assert (found["hour"]["completeness"] or {})["percent"] == "100.00"
    assert (found["day"]["completeness"] or {})["percent"] == "0.06"


def test_a_day_and_a_month_begin_anew_and_a_month_is_left_to_another() -> None:
    live = hours(kiln(), [1000, *[1050] * 11, 1100])
    found = live.as_map()
    assert (found["day"]["total_t"], found["month"]["total_t"]) == ("109.65", "219.30")
    before = found["month"]
    after = [live.to_ns, live.to_ns + SECOND]
    live.feed([block(kiln(), 0, after, KILN)])
    assert live.as_map()["month"] == before


def test_a_configuration_that_changes_goes_on_with_what_is_the_same() -> None:
    config, live = steelworks(), sums(steelworks())
    live.feed([block(config, 0, [NOON, NOON + SECOND], STEELWORKS)])
    changed: Config = {**config, "statement": {**config["statement"]}}
    rods = [{**config["statement"]["process"][0], "unit": "eaf-1"}]
    changed["statement"]["process"] = rods
    live.configure(changed)
    live.feed([block(changed, 0, [NOON + 2 * SECOND, NOON + 3 * SECOND], STEELWORKS)])
    lines = live.as_map()["month"]["lines"]
    electrodes = [row for row in lines if row["category"] == "process"]
    assert [(row.get("unit"), row["quantity"]) for row in electrodes] == [
        (None, "10"), ("eaf-1", "10")
    ]  # fmt: skip
    other = {**config, "plant": {**config["plant"], "time_zone": "UTC"}}
    with pytest.raises(PlantError, match="time_zone changed within the month"):
        live.configure(other)


@pytest.mark.parametrize("config", [kiln(), steelworks(), smelter()])
def test_restored_in_the_middle_it_ends_as_if_nothing_was(config: Config) -> None:
    ticks: list[Any] = [
        block(config, 0, [NOON + n * HOUR // 2, NOON + n * HOUR // 2 + SECOND], shown_of(config))
        for n in range(5)
    ]
    whole, first = sums(config), sums(config)
    for tick in ticks:
        whole.feed([tick])
    for tick in ticks[:3]:
        first.feed([tick])
    second = LiveSums(config, NOON, is_start=False)
    second.restore(first.snapshot())
    for tick in ticks[3:]:
        second.feed([tick])
    assert (second.as_map(), second.snapshot()) == (whole.as_map(), whole.snapshot())
