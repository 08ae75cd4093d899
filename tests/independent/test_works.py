"""Months of cement works and steelworks, counted twice: by the program, and by Node."""

import contextlib
import json
import random
from pathlib import Path
from typing import Any

import pytest

from edge.calc.folds.live_points import computed_points
from tests.independent.other import agreed, verify_there
from tests.independent.random_months import bent
from tests.independent.random_works import works, works_month
from tests.unit.evidence import sealed_month as sm

SEEDS = range(40)
TABLES = ("fuel", "process", "product", "clinker", "substitute", "output", "auxiliary",
          "cross_check")  # fmt: skip
WORDS = ("kiln", "other", "car", "bf-1", "Bf 1", "12.50", "12.5", "-1", "0", "钢渣", "steel-slag")

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("npm")]


@pytest.fixture(scope="module")
def months() -> list[bytes]:
    return [works_month(seed) for seed in SEEDS]


def test_both_make_the_same_figures_of_random_works(months: list[bytes], tmp_path: Path) -> None:
    assert {found.verdicts for found in agreed(months, tmp_path)} == {("passed", "passed")}


def test_random_works_meet_every_rule_of_theirs(months: list[bytes]) -> None:
    statements = [json.loads(sm.unpack(data)["data/statement.json"]) for data in months]
    outputs: list[Any] = [statement["output"] for statement in statements]
    assert {line["category"] for output in outputs for line in output["lines"]} == {
        "fuel", "process", "product", "clinker", "substitute",
    }  # fmt: skip
    assert {flag.partition(":")[0] for output in outputs for flag in output["flags"]} >= {
        "no-clinker", "no-fuel", "net-output", "stock-incomplete", "total-below-zero", "typed",
        "unconfirmed", "configuration-changed", "totaliser-drop",
    }  # fmt: skip
    assert {unit for output in outputs for unit in output["units"]} >= {"bf-1", "kiln-1"}
    assert any("intensity" in output for output in outputs)
    checked = {
        (check["check"], check["result"])
        for output in outputs for check in output.get("cross_checks", ())
    }  # fmt: skip
    assert checked >= {
        ("second-source", "outside"), ("carbon", "outside"), ("energy", "outside"),
        ("energy", "not-checked"),
    }  # fmt: skip
    uses = [fuel.get("use") for statement in statements for fuel in statement["input"]["fuel"]]
    assert len(set(uses)) >= 4
    points = {
        point.id.split(".")[1].partition("-")[0]
        for seed in SEEDS
        for point in computed_points(works(random.Random(seed)))
    }
    assert points >= {
        "fuel", "process", "product", "clinker", "substitute", "burnt", "fuel_co2_t_h",
        "clinker_indicator_t_h", "clinker_indicator_co2_t_h", "co2_indicator_t_h", "co2e_t_h",
        "now_co2_t_h", "month_co2_t_h", "reconciliation_co2_t_h", "energy_day_kwh",
    }  # fmt: skip


def bent_months(count: int) -> list[bytes]:
    """Statements of which a row, or a word or number of one, is another."""
    made = []
    for seed in range(count):
        rng, files = random.Random(seed), sm.unpack(works_month(seed % 10))
        statement = json.loads(files["data/statement.json"])
        table = rng.choice([key for key in TABLES if statement["input"].get(key)] or ["output"])
        rows = statement["input"].setdefault(table, [{}])
        if rng.random() < 0.5:
            statement["input"][table] = bent(rows, rng)
        else:
            row = rng.choice(rows) if isinstance(rows, list) else rows
            key = rng.choice([*row, "use", "unit", "purchased", "output", "quantity", "opening"])
            row[key] = rng.choice(WORDS)
        with contextlib.suppress(TypeError):  # what is bent may be no JSON
            files["data/statement.json"] = sm.statement_bytes(statement)
            made.append(sm.repack(files, by=sm.keys().collector))
    return made


def test_both_say_the_same_of_a_row_that_says_something_else(tmp_path: Path, times: int) -> None:
    months = bent_months(45 * times)
    codes = {code for found in agreed(months, tmp_path) for code, _ in found.ours}
    assert {"E-STATEMENT", "E-INPUT", "E-TOTAL"} <= codes
    assert len(months) > 35 * times


def test_a_figure_that_is_moved_is_found_there_too(months: list[bytes], tmp_path: Path) -> None:
    """The comparison is no empty one: a part of a quantity, a factor, a rate, moved alone."""
    moved = []
    for data in months:
        files = sm.unpack(data)
        statement = json.loads(files["data/statement.json"])
        for table in ("fuel", "process", "substitute"):
            for index, row in enumerate(statement["input"].get(table, ())):
                if "purchased" in row:
                    row["purchased"] = f"1{row['purchased']}"
                    files["data/statement.json"] = sm.statement_bytes(statement)
                    moved.append((f"input.{table}[{index}].purchased", sm.repack(files)))
                    break
    assert len(moved) >= 5
    paths = [tmp_path / f"{index}.tar" for index in range(len(moved))]
    for path, (_, data) in zip(paths, moved, strict=True):
        path.write_bytes(data)
    for (where, data), answer in zip(moved, verify_there(paths), strict=True):
        here = {(found.code, found.where) for found in sm.check(data).findings}
        there = {(found["code"], found["where"]) for found in answer["findings"]}
        assert ("E-INPUT", where) in here & there
        assert any(code == "E-TOTAL" for code, _ in here & there)
