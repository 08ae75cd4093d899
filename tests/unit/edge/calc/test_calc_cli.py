"""`stackproof calc` as a person runs it."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from edge.calc.cli import main
from edge.calc.registry import methods
from tests.unit.edge.calc import smelter_month

STATEMENT = """
rule_set = "cets-ag-04.01-v01-2024"
month = "2026-06"

[[fuel]]
kind = "natural-gas"
quantity = "12.50"

[anode]
gross_t = 469.00        # a bare TOML number keeps its decimals

[pfc]
metal_t = "1000.00"
[pfc.indicator]
technology = "PFPB-M"
edition = "ipcc-2019"
gwp = "ar5"
aem_min_per_cell_day = "0.1"

[output]
aluminium_t = "1000.00"
"""


@pytest.fixture
def statement_file(tmp_path: Path) -> Path:
    path = tmp_path / "month.toml"
    path.write_text(STATEMENT, encoding="utf-8")
    return path


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(list(argv))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_methods_lists_every_method(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "methods")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [
        *methods(),
    ]  # fmt: skip


def test_methods_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "methods", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["pfc.slope"]["inputs"]["metal_t"] == {
        "unit": "t", "low": "0", "high": "", "optional": False,
    }  # fmt: skip


def test_show_prints_formula_source_and_inputs(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "show", "pfc.slope")
    assert code == 0
    for words in (
        "CF4 [kg] = slope",
        "Eq. 4.26",
        "aem_min_per_cell_day [AE-min/cell-day] 0 to 1440",
        "  stackproof calc eval pfc.slope metal_t=… aem_min_per_cell_day=… technology=… "
        "edition=… gwp=…\n",
    ):
        assert words in out


def test_show_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "show", "combustion.fuel", "--json")
    assert code == 0
    assert json.loads(out)["text"].startswith("CO2 from burning one fuel.")


def test_show_of_an_unknown_method(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "show", "pfc.guess")
    assert (code, out) == (2, "")
    assert err.startswith("pfc.guess: unknown method")


SLOPE = [
    "pfc.slope", "metal_t=1000", "aem_min_per_cell_day=10", "technology=VSS",
    "edition=ipcc-2006", "gwp=sar",
]  # fmt: skip


def test_eval_json_has_the_outputs_at_the_top(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "eval", *SLOPE, "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["cf4_kg"], found["c2f6_kg"], found["co2e_t"]) == ("920", "48.76", "6428.592")


def test_eval_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "eval", *SLOPE)
    assert code == 0
    assert out.splitlines()[0] == "cf4_kg = 920"
    assert "slope = 0.092 (kg CF4/t)/(AE-min/cell-day) (default, confirmed)" in out


def test_eval_names_each_bad_key(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "eval", "pfc.slope", "metal_t=x", "colour=red", "--json")
    assert (code, out) == (2, "")
    keys = [line.partition(":")[0] for line in err.splitlines()]
    assert keys == [
        "colour", "metal_t", "aem_min_per_cell_day", "technology", "edition", "gwp",
    ]  # fmt: skip


@pytest.mark.parametrize("arguments", [["metal_t"], ["metal_t=1", "metal_t=2"]])
def test_eval_refuses_arguments_that_are_not_one_key_each(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    code, _, err = run(capsys, "eval", "pfc.slope", *arguments)
    assert code == 2
    assert "metal_t: " in err


def test_eval_splits_at_the_first_equals_sign(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = run(capsys, "eval", "pfc.slope", "metal_t=1=2")
    assert "metal_t: '1=2' is not a decimal number" in err


def test_statement_json(capsys: pytest.CaptureFixture[str], statement_file: Path) -> None:
    code, out, _ = run(capsys, "statement", str(statement_file), "--json")
    found: dict[str, Any] = json.loads(out)
    assert code == 0
    assert found["totals"]["total_t"] == "1839.05"
    assert found["lines"][1]["parameters"]["gross_t"]["value"] == "469.00"
    assert found["pfc"]["indicator"]["cf4_kg"] == "10.4"


def test_statement_as_text_keeps_pfc_apart(
    capsys: pytest.CaptureFixture[str], statement_file: Path
) -> None:
    code, out, _ = run(capsys, "statement", str(statement_file))
    assert code == 0
    assert "PFC figure of record: 144.81 tCO2e" in out
    assert "PFC indicator from anode effects, not added: 75.53208 tCO2e" in out
    assert out.count("PFC not covered:") == 2
    assert "flag unconfirmed:pfc.cf4_kg_t" in out


def test_statement_of_a_json_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "month.json"
    path.write_text(
        '{"rule_set": "cets-ag-04.01-v01-2024", "month": "2026-06", "pfc": {"metal_t": 0.1000}}',
        encoding="utf-8",
    )
    code, out, _ = run(capsys, "statement", str(path), "--json")
    assert code == 0
    assert json.loads(out)["lines"][0]["quantity"] == "0.1000"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.toml", 'rule_set = "cets-ag-04.01-v01-2024"\nmonth = "June"', "month: "),
        ("a.toml", "= broken", "a.toml: "),
        ("a.json", "[1]", "must be a table"),
        ("a.json", "{", "a.json: "),
        ("a.json", '{"rule_set": "nothing", "month": "2026-06"}', "'nothing' is not in this"),
        ("a.json", '{"rule_set": "cets-ag-04.01-v01-2024", "month": "2026-06", '
                   '"pfc": {"metal_t": NaN}}', "pfc.metal_t: "),
    ],
)  # fmt: skip
def test_a_bad_statement_file_exits_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, content: str, said: str
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    code, out, err = run(capsys, "statement", str(path), "--json")
    assert (code, out) == (2, "")
    assert said in err


def test_a_binary_file_exits_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xff\xfe\x00")
    assert run(capsys, "statement", str(path))[0] == 2


def test_deep_nesting_exits_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[" * 100_000, encoding="utf-8")
    assert run(capsys, "statement", str(path))[0] == 2


def test_a_missing_file_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "statement", "/nowhere/month.toml")
    assert code == 2
    assert "/nowhere/month.toml" in err


STEEL = """
rule_set = "cets-ag-03.01-v01-2024"
month = "2026-{n:02}"
[[fuel]]
kind = "anthracite"
quantity = "3000"
recorded = "3100"
recorded_by = "invoice 17"
[fuel.recorded_period]
from = 2026-{n:02}-02T00:00:00      # TOML's own local time will do
to = "2026-{n:02}-20T00:00"
start_metered = "100"
end_metered = "800"
meter = "belt 2"
[output]
crude_steel_t = "1000"
"""


@pytest.fixture
def steel_files(tmp_path: Path) -> list[str]:
    paths = [tmp_path / f"{n}.toml" for n in (1, 3)]
    for path in paths:
        path.write_text(STEEL.format(n=int(path.stem)), encoding="utf-8")
    return [str(path) for path in paths]


def test_a_bridge_and_a_check_are_printed(
    capsys: pytest.CaptureFixture[str], steel_files: list[str]
) -> None:
    code, out, _ = run(capsys, "statement", steel_files[0], "--allowance", "7000")
    assert code == 0
    for words in (
        "recorded_start_bridge = 100 t (calculated, given; added: belt 2 from 2026-01-01T00:00 to "
        "2026-01-02T00:00)",
        # 3100 + 100 + 800 = 4000 against 3000
        "check outside: Anthracite: invoice 17 4000 t against 3000 t of the statement: 33.333 %",
        "flag check:second-source:fuel.anthracite",
        # 3000 × 22.867 × 0.02749 × 44/12 = 6914.75
        "  Emitted: 6914.75 t against an allowance of 7000.00 t, 85.25 t left over.",
    ):
        assert words in out


def test_year_as_text_and_json(capsys: pytest.CaptureFixture[str], steel_files: list[str]) -> None:
    code, out, _ = run(capsys, "year", *steel_files, "--benchmark", "6.5", "--json")
    found = json.loads(out)
    assert (code, found["totals"]["total_t"]) == (0, "13829.50")
    assert "month-missing:2026-02" in found["flags"]
    # 62 of 365 days: 13829.50 × 365 ÷ 62 = 81415.604…; 2000 × 365 ÷ 62 × 6.5 = 76532.258…
    assert found["projection"] == {
        "emission_t": "81415.60", "allowance_t": "76532.26", "balance_t": "-4883.35",
        "output_t": "11774.19",
        "sentence": "Going on as until now: 81415.60 t against an allowance of 76532.26 t, 4883.35 "
                    "t short.",
    }  # fmt: skip
    code, out, _ = run(capsys, "year", *steel_files)
    assert code == 0
    assert "2026-03  cets-ag-03.01-v01-2024" in out
    assert "ncv = 22.867 GJ/t (default)" in out
    assert "intensity, t per t" in out


def test_what_if_as_text_and_json(
    capsys: pytest.CaptureFixture[str], steel_files: list[str]
) -> None:
    arguments = ("what-if", steel_files[0], "fuel[0].quantity=1500")
    code, out, _ = run(capsys, *arguments)
    assert (code, out.splitlines()[0]) == (0, "fuel[0].quantity: 3000 -> 1500")
    assert "The total would be 3457.38 t, 3457.37 t less than 6914.75 t." in out
    assert json.loads(run(capsys, *arguments, "--json")[1])["lines"][0]["after"] == "3457.38"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--allowance", "much"], "--allowance: 'much' is not a decimal number"),
        (["--benchmark", "1.5e3"], "--benchmark: '1.5e3' is not a decimal number"),
    ],
)
def test_an_allowance_that_is_no_number(
    capsys: pytest.CaptureFixture[str], steel_files: list[str], arguments: list[str], said: str
) -> None:
    for command in ("statement", "year"):
        code, out, err = run(capsys, command, steel_files[0], *arguments)
        assert (code, out) == (2, "")
        assert err.startswith(said)


def test_a_sealed_months_statement_json_is_taken_by_its_input(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, statement_file: Path
) -> None:
    fields = {"rule_set": "cets-ag-04.01-v01-2024", "month": "2026-06", "pfc": {"metal_t": "1000"}}
    path = tmp_path / "statement.json"
    path.write_text(json.dumps({"format": 1, "input": fields, "output": {}}), encoding="utf-8")
    code, out, _ = run(capsys, "year", str(path), "--json")
    assert (code, json.loads(out)["totals"]["total_t"]) == (0, "144.81")
    assert run(capsys, "year", str(path), str(statement_file))[0] == 2  # June twice


def test_no_command_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2


# -- a month's anode effects --------------------------------------------------------------------

HEAD_ROW = "pot,start,duration_s,v_max_v"
ROWS = (
    "01,2026-06-01T00:16:43+08:00,398,25", "02,2026-06-01T01:23:23+08:00,207,35",
    "01,2026-06-02T01:00:03+08:00,199,",
)  # fmt: skip


@pytest.fixture
def sealed(tmp_path: Path) -> str:
    path = tmp_path / "statement.json"
    path.write_text(json.dumps(smelter_month.statement()), encoding="utf-8")
    return str(path)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "effects.csv"
    path.write_text("\n".join((HEAD_ROW, *ROWS)), encoding="utf-8-sig")
    return path


def test_pots_share_out_the_indicator(capsys: pytest.CaptureFixture[str], sealed: str) -> None:
    code, out, _ = run(capsys, "pots", sealed)
    assert code == 0
    assert "figure of record: 144.81 tCO2e" in out
    assert re.search(r"^line-1 01 +26\.000000 kg CF4 .* 2 effects, 0\.333333 min", out, re.M)
    found = json.loads(run(capsys, "pots", sealed, "--json")[1])
    parts = [Decimal(pot["cf4_kg"]) for pot in found["pots"]]
    assert sum(parts) == Decimal(found["indicator"]["cf4_kg"])


def test_effects_that_agree_and_one_that_does_not(
    capsys: pytest.CaptureFixture[str], sealed: str, table: Path
) -> None:
    how = ("--time-s", "10", "--volts", "2")
    code, out, _ = run(capsys, "effects", sealed, str(table), *how)
    assert (code, out.split()[:2]) == (0, ["matched", "3"])
    assert re.search(r"^controller ahead, s +3$", out, re.M)
    table.write_text("\n".join((HEAD_ROW, *ROWS[:2])), encoding="utf-8")
    code, out, _ = run(capsys, "effects", sealed, str(table), *how)
    assert code == 1
    assert "2026-06-01T17:00:00Z  pot 01  effect-only-voltage: " in out
    found = json.loads(run(capsys, "effects", sealed, str(table), *how, "--json")[1])
    assert (found["matched"], found["only_voltage"]) == (2, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"pot,start\n01,2026-06-01T00:00:00Z\n", "row 1.duration_s: missing"),
        (b"pot,start,duration_s\n01,2026-06-01T00:00:00Z,1,2,3\n", "more fields than the first"),
        (b"\xff\xfe", "is not UTF-8"), (b'pot\n"x', "effects.csv"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_read(
    capsys: pytest.CaptureFixture[str], sealed: str, table: Path, text: bytes, said: str
) -> None:
    table.write_bytes(text)
    code, _, err = run(capsys, "effects", sealed, str(table), "--time-s", "1", "--volts", "1")
    assert (code, said in err) == (2, True)


def test_starts_by_a_clock_need_its_time_zone(
    capsys: pytest.CaptureFixture[str], sealed: str, table: Path
) -> None:
    table.write_text("\n".join((HEAD_ROW, *ROWS)).replace("+08:00", ""), encoding="utf-8")
    how = ("effects", sealed, str(table), "--time-s", "10", "--volts", "2")
    assert run(capsys, *how)[0] == 2
    assert run(capsys, *how, "--time-zone", "Asia/Shanghai")[0] == 0
    code, _, err = run(capsys, *how, "--time-zone", "Asia/shanghai")
    assert (code, "--time-zone: " in err, "write Asia/Shanghai" in err) == (2, True, True)
