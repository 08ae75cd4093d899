"""Second meters, stacks and heat beside a kiln's month: by hand, and in no figure."""

from typing import Any

import pytest

from edge.calc.errors import PlantError
from edge.calc.folds.live_sums import LiveSums
from edge.calc.statements.statement import compute
from evidence.points import Dtype, Point, Quantity, Role
from evidence.recompute import check_statement_input
from tests.unit.edge.calc.conftest import NOON, SECOND, block
from tests.unit.edge.calc.small_works import KILN, Config, kiln, month, total, with_clinker

HEAT = Point("heat.used", Quantity("energy", "MWh"), Dtype.F64, 1, Role.TOTALISER)
POINTS = [total("coal.second"), total("stack.a"), total("stack.b"), HEAT]
SECOND_METER = {"check": "second-meter", "of": "coal.total", "point": "coal.second"}


def beside(*checks: dict[str, str], config: Config | None = None) -> Config:
    """The kiln with more meters, held against its figures."""
    made = config or kiln()
    made["points"] += [point.as_map() for point in POINTS]
    made["groups"][0]["points"] = list(range(len(made["points"])))
    made["statement"]["beside"] = [{**check, "rule": "totaliser"} for check in checks]
    return made


def stack(name: str, **more: str) -> dict[str, str]:
    return {"check": "stack-co2", "point": f"stack.{name}", **more}


def checks(config: Config, **shown: float) -> list[dict[str, Any]]:
    """What they find of 100 t of coal (219.30 t CO2, 2,307.6 GJ) and 24 t subtracted."""
    names = {name.replace("_", "."): (0, amount) for name, amount in shown.items()}
    given = month(config, {**KILN, **{point.id: (0, 0) for point in POINTS}, **names})
    check_statement_input(given)
    output = compute(given)
    assert output["totals"]["total_t"] == "195.30"  # no figure is moved
    found: list[dict[str, Any]] = output["cross_checks"]
    flags = {flag for flag in output["flags"] if flag.startswith("check:") and "flow" not in flag}
    outside = [one for one in found if one["result"] == "outside"]
    assert flags == {
        f"check:{one['check']}" + (f":{one['what']}" if one["what"] else "") for one in outside
    }
    return found


@pytest.mark.parametrize(
    ("second", "percent", "result"),
    [(95, "-5.000", "within"), (94.99, "-5.010", "outside"), (106, "6.000", "outside")],
)
def test_a_second_meter_of_the_coal(second: float, percent: str, result: str) -> None:
    (found,) = checks(beside(SECOND_METER), coal_second=second)
    assert (found["check"], found["what"], found["statistic"]) == (
        "second-source", "coal.total", percent
    )  # fmt: skip
    assert found["result"] == result


def test_stacks_of_the_works_are_summed_and_those_of_a_unit_stand_apart() -> None:
    """195.30 t of the lines: 100 + 100 t are 2.407 % more. Of kiln-1 there is coal alone."""
    (found,) = checks(beside(stack("a"), stack("b")), stack_a=100, stack_b=100)
    assert (found["statistic"], found["result"]) == ("2.407", "within")
    assert found["sentence"].startswith("CO2 measured at stack.a stack.b 200 t against 195.3 t")
    (found,) = checks(beside(stack("a", unit="kiln-1")), stack_a=300)
    # (300 - 219.30) ÷ 219.30
    assert (found["what"], found["statistic"], found["result"]) == ("kiln-1", "36.799", "outside")


def test_heat_that_was_used_against_that_of_the_fuels() -> None:
    """641 MWh are 2,307.6 GJ."""
    (found,) = checks(beside({"check": "heat-used", "point": "heat.used"}), heat_used=641)
    assert (found["statistic"], found["result"]) == ("0.000", "within")


def test_a_meter_that_counts_and_divides_counts_once() -> None:
    second = {**SECOND_METER, "of": "clinker.total", "point": "coal.second"}
    given = month(beside(second, config=with_clinker(kiln())),
                  {**KILN, **{point.id: (0, 1000) for point in POINTS}})  # fmt: skip
    assert [(row["first"], row["second"]) for row in given["cross_check"]] == [("1000", "1000")]


def test_a_meter_without_a_reading_is_no_check() -> None:
    config = beside(SECOND_METER)
    shown = {**KILN, **{point.id: (0, 0) for point in POINTS}}
    given = month(config, shown, {"coal.second": [140, 140]})
    assert "cross_check" not in given
    assert "no-reading:coal.second" in given["flags"]


@pytest.mark.parametrize(
    "wrong", [{**SECOND_METER, "of": "meal.feed"}, {**SECOND_METER, "point": "heat.used"}]
)
def test_what_is_held_against_nothing_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(PlantError):
        month(beside(wrong), {**KILN, **{point.id: (0, 0) for point in POINTS}})


def test_the_month_so_far_says_so_and_counts_none_of_them() -> None:
    config = beside(SECOND_METER, stack("a"))
    live = LiveSums(config, NOON, is_start=True)
    shown = {**KILN, **{point.id: (0, 0) for point in POINTS}, "coal.second": (0, 90),
             "stack.a": (0, 195.3)}  # fmt: skip
    live.feed([block(config, 0, [NOON, NOON + SECOND], shown)])
    found = live.as_map()
    assert found["month"]["total_t"] == "195.30"
    assert "check:second-source:coal.total" in found["month"]["checks"]
    assert "check:carbon" not in found["month"]["checks"]
    assert "checks" not in found["hour"]
