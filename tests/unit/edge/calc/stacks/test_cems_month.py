"""A month of a CEMS from its hours: what counts, what stands for the rest, what it sums to."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.cli import main
from edge.calc.errors import InputError, StatementError
from edge.calc.registry import evaluate
from edge.calc.stacks.cems import RULES, Cems
from edge.calc.stacks.hour_rows import Tests, read_calibrations, read_hours
from edge.calc.stacks.month import CemsMonth
from edge.calc.statements.statement import compute

N60, D60, F60 = "N" * 60, "D" * 60, "F" * 60
#: 12 % of it is 14.5403 t/h (test_cems: by a pocket calculator)
GAS = {"flow_m3_h": "100000", "temperature_c": "120", "pressure_pa": "100000",
       "moisture_percent": "10"}  # fmt: skip
FIRST = datetime(2026, 6, 1)  # noqa: DTZ001 - the plant's clock


def cems(rules: str, **changes: Any) -> Cems:
    declared = {"stacks": "main stack", "basis": "dry", "flow_basis": "wet", "gas_of": "process"}
    return Cems(rules=rules, **{**declared, **changes})


def row(number: int, co2: str = "12", minutes: str = N60, **changes: str) -> dict[str, str]:
    at = FIRST + timedelta(hours=number)
    return {"hour": f"{at:%Y-%m-%dT%H:%M}", "minutes": minutes, "co2_percent": co2, **GAS,
            **changes}  # fmt: skip


def closed(
    rules: str,
    rows: Sequence[dict[str, str]],
    tests: Tests | None = None,
    *,
    share: str | None = None,
    is_interim: bool = True,
    **changes: Any,
) -> dict[str, Any]:
    fold = CemsMonth(cems(rules, **changes), "2026-06", tests)
    fold.feed(read_hours(rows))
    percent = Fraction(share) if share else None
    return fold.close(percent, Fraction(25), is_interim=is_interim)


def rate(co2: str) -> str:
    """t/h by the registered method, as an hour is told."""
    inputs = {**GAS, "co2_percent": co2, "basis": "dry", "flow_basis": "wet", "reference_c": "0"}
    return str(round(Decimal(evaluate("cems.co2_mass", inputs)["emission_t_h"]), 4))


@pytest.mark.parametrize("rules", RULES)
def test_a_whole_month(rules: str) -> None:
    """720 h × 14.5403 t by every rule set; HJ 76 has 30 valid days."""
    found = closed(rules, [row(number) for number in range(720)], is_interim=False)
    total = found["total"]
    assert (total["emission_t"], total["measured_t"]) == ("10469.02", "10469.02")
    assert (total["measured_h"], total["completeness_percent"]) == ("720", "100.00")
    assert total.get("valid") == ("yes" if rules.startswith("hj") else None)
    assert found["cross_check"] == {
        "check": "carbon", "measured_co2_t": "10469.02", "stacks": "main stack",
    }  # fmt: skip


GAP = [row(0, "10"), row(1, "12"), row(2, "-", D60), row(3, "14")]


@pytest.mark.parametrize(
    ("rules", "share", "co2", "code"),
    [
        # 10, 12, -, 14: by hand as in cems.substitute's example
        ("hj-t-75-2007", None, "13", "hj75-mean"),
        ("hj-75-2017", "90", "12", "hj75-max-180"),
        ("hj-75-2017", "89.9", "12", "hj75-max-2160"),
        ("hj-75-2017", "74.9", None, "missing"),
        ("eu-mrr-2018", None, "16", "mrr-45"),
        ("us-part-75", "95", "13", "modc-06"),
        ("us-part-75", "85", "12", "modc-10"),
        ("us-part-75", "79", "25", "modc-12"),
    ],
)
def test_what_stands_for_an_hour_says_which_rule_made_it(
    rules: str, share: str | None, co2: str | None, code: str
) -> None:
    """The analyser fails, its flow is there: `flow_minutes` are valid."""
    found = closed(rules, [GAP[0], GAP[1], {**GAP[2], "flow_minutes": N60}, GAP[3]], share=share)
    hour, total = found["hours"][2], found["total"]
    assert hour["code"] == code
    assert hour.get("emission_t") == (rate(co2) if co2 else None)
    assert hour["why"] == ["gas-too-few-minutes", "no-co2_percent"]
    wholly = [rate("10"), rate("12"), rate("14")]
    assert total["measured_t"] == cents(sum(map(Decimal, wholly)))
    assert total["measured_h"] == "3"
    assert total["substituted_h" if co2 else "missing_h"] == "1"
    assert f"{'substituted' if co2 else 'missing'}-hours:1" in found["flags"]


@pytest.mark.parametrize(
    ("rules", "code"),
    [("hj-75-2017", "hj75-max-180"), ("hj-t-75-2007", "hj75-mean"),
     ("eu-mrr-2018", "missing"), ("us-part-75", "missing")],
)  # fmt: skip
def test_an_hour_without_flow_has_mass_by_hj_only(rules: str, code: str) -> None:
    """(EU) 2018/2066 asks for a balance, 40 CFR 75.33(c) for load ranges: neither is here."""
    rows = [row(0), row(1), row(2, flow_m3_h="-"), row(3)]
    hour = closed(rules, rows, share="95")["hours"][2]
    assert (hour["code"], hour["why"]) == (code, ["no-flow_m3_h"])


def test_hours_in_which_the_unit_stood_still_are_in_no_count() -> None:
    """Half an hour of running is half an hour's mass; a gap's neighbours are hours that ran."""
    half = "N" * 45 + "F" * 15
    rows = [row(0, "10"), row(1, "-", F60), row(2, "-", D60), row(3, "-", F60), row(4, "14", half)]
    found = closed("hj-t-75-2007", rows)
    codes = [hour["code"] for hour in found["hours"]]
    assert codes == ["measured", "stopped", "hj75-mean", "stopped", "measured"]
    assert found["hours"][2]["emission_t"] == rate("12")
    quarter_off = round(Decimal(rate("14")) * 3 / 4, 3)
    assert round(Decimal(found["hours"][4]["emission_t"]), 3) == quarter_off
    assert found["total"]["completeness_percent"] == "66.67"  # 2 of 3 operating hours


@pytest.mark.parametrize(
    ("rules", "minutes", "code"),
    [
        ("hj-75-2017", "N" * 45 + "D" * 15, "measured"),
        ("hj-75-2017", "N" * 44 + "D" * 16, "hj75-max-180"),
        ("eu-mrr-2018", "N" * 48 + "D" * 12, "measured"),
        ("eu-mrr-2018", "N" * 47 + "D" * 13, "missing"),
        ("us-part-75", ("N" + "D" * 14) * 4, "measured"),
        ("us-part-75", "N" * 45 + "D" * 15, "missing"),
        ("us-part-75", "N" + "C" * 29 + "N" * 30, "measured"),
    ],
)
def test_an_hour_counts_by_the_minutes_of_its_rule_set(rules: str, minutes: str, code: str) -> None:
    hours = [row(0), row(1, minutes=minutes), row(2)]
    assert closed(rules, hours, share="95")["hours"][1]["code"] == code


def test_a_day_and_a_month_of_hj_76() -> None:
    """19 valid hours make no day; 24 valid days no month of June."""
    hours = [row(n, minutes=D60 if n // 24 < 6 and n % 24 < 5 else N60) for n in range(720)]
    found = closed("hj-75-2017", hours, is_interim=False)
    assert [day["valid"] for day in found["days"][:8]] == ["no"] * 6 + ["yes"] * 2
    assert (found["total"]["valid_days"], found["total"]["valid"]) == ("24", "no")


CALIBRATIONS = [
    {"hour": "2026-06-01T00:10", "component": c, "reference": r, "measured": m, "span": s}
    for c, r, m, s in (("co2", "12", "12.4", ""), ("flow", "50", "52", "100"))
]


def failed(hour: str, measured: str) -> dict[str, str]:
    return {"hour": hour, "component": "co2", "reference": "12", "measured": measured, "span": ""}


def test_hours_after_a_failed_calibration_are_not_measured_until_one_passes() -> None:
    """Limits of 40 CFR 75 App. B: 13.1 against 12 fails at 1.1 %, 13.0 passes."""
    more = [failed("2026-06-01T02:00", "13.1"), failed("2026-06-01T02:30", "12.0"),
            failed("2026-06-01T04:00", "13.0")]  # fmt: skip
    tests = read_calibrations([*CALIBRATIONS, *more], by_part_75=True)
    found = closed("us-part-75", [row(n) for n in range(6)], tests, share="95")
    codes = [hour["code"] for hour in found["hours"]]
    assert codes == ["measured"] * 2 + ["modc-06"] * 2 + ["measured"] * 2
    assert found["hours"][2]["why"] == ["co2-out-failed"]


def test_a_calibration_covers_26_hours_under_40_cfr_75_only() -> None:
    hours = [row(n) for n in range(27)]
    tests = read_calibrations(CALIBRATIONS, by_part_75=True)
    last = closed("us-part-75", hours, tests, share="95")["hours"][25:]
    assert [hour["code"] for hour in last] == ["measured", "missing"]
    assert last[1]["why"] == ["co2-out-expired", "flow-out-expired"]
    told = [{"hour": "2026-06-01T00:10", "component": "co2", "result": "passed"}]
    by_hj = closed("hj-75-2017", hours, read_calibrations(told, by_part_75=False))
    assert by_hj["total"]["measured_h"] == "27"
    told[0]["result"] = "failed"
    by_mrr = closed("eu-mrr-2018", hours, read_calibrations(told, by_part_75=False))
    assert by_mrr["total"]["measured_h"] == "0"


def test_without_calibrations_40_cfr_75_says_so() -> None:
    assert "calibrations-not-given" in closed("us-part-75", [row(0)])["flags"]
    assert "calibrations-not-given" not in closed("eu-mrr-2018", [row(0)])["flags"]


def test_co2_from_oxygen_is_one_fuels_only() -> None:
    """F-14A, natural gas at 3 % oxygen: 10.2264… % (part75.co2_by_oxygen's example)."""
    factors = {"fc": Fraction(1040), "fd": Fraction(8710)}
    rows = [row(0, o2_percent="3")]
    del rows[0]["co2_percent"]
    found = closed("us-part-75", rows, share="95", gas_of="fuel", **factors)
    assert found["hours"][0]["co2_percent"] == "10.2264"
    share = evaluate("part75.co2_by_oxygen", {"equation": "F-14A", "gas_of": "fuel", "fc": "1040",
                                              "o2_percent": "3", "fd": "8710"})  # fmt: skip
    assert found["hours"][0]["emission_t"] == rate(share["co2_percent"])
    for gas, words in (("process", "CO2 of a process"), ("by-product", "has no F-factor")):
        with pytest.raises(InputError, match=words):
            cems("us-part-75", gas_of=gas, **factors)


@pytest.mark.parametrize("reference", [0, 15, 20, 25])
def test_the_mass_does_not_move_with_the_reference_state(reference: int) -> None:
    hour = closed("eu-mrr-2018", [row(0)], reference_c=reference)["hours"][0]
    assert hour["emission_t"] == "14.5403"
    zero = Fraction("273.15")
    flow = 90_000 * (zero + reference) / (zero + 120) * 100_000 / 101_325
    assert abs(Fraction(hour["flow_nm3_h"]) - flow) <= Fraction(1, 20_000)


def cents(value: Decimal | int) -> str:
    return str(Decimal(value).quantize(Decimal("0.01"), ROUND_HALF_UP))


marks = st.sampled_from([N60, D60, F60, "N" * 45 + "D" * 15, "N" * 48 + "C" * 12])
hours_ = st.lists(st.tuples(marks, st.sampled_from(["-", "0", "9.75", "21"])), min_size=1,
                  max_size=40)  # fmt: skip


@given(hours_, st.sampled_from(RULES), st.integers(0, 40))
def test_fed_at_once_or_in_pieces_and_its_totals_are_its_hours(
    hours: list[tuple[str, str]], rules: str, cut: int
) -> None:
    rows = [row(n, co2, minutes) for n, (minutes, co2) in enumerate(hours)]
    whole, pieces = (CemsMonth(cems(rules), "2026-06") for _ in range(2))
    readings = read_hours(rows)
    whole.feed(readings)
    for part in (readings[:cut], readings[cut:]):
        pieces.feed(part)
    found = whole.close(Fraction(90), Fraction(25), is_interim=True)
    assert found == pieces.close(Fraction(90), Fraction(25), is_interim=True)
    told = {"measured": Decimal(0), "substituted": Decimal(0)}
    for hour, (minutes, co2) in zip(found["hours"], hours, strict=True):
        is_measured = hour["code"] == "measured"
        assert not is_measured or (co2 != "-" and minutes not in {D60, F60})
        told["measured" if is_measured else "substituted"] += Decimal(hour.get("emission_t", "0"))
    total = found["total"]
    assert cents(told["measured"]) == total["measured_t"]
    assert cents(sum(told.values())) == total["emission_t"]
    states = ("measured_h", "substituted_h", "missing_h", "stopped_h")
    assert sum(int(total[state]) for state in states) == len(hours)


def test_hours_without_a_row_are_missing() -> None:
    found = closed("eu-mrr-2018", [row(0), row(2)])
    assert found["hours"][1] == {"hour": "2026-06-01T01:00", "code": "missing", "why": ["no-row"]}
    whole = closed("eu-mrr-2018", [row(0), row(2)], is_interim=False)
    assert whole["total"]["missing_h"] == "718"


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([row(1), row(0)], "hour 2026-06-01T00:00: comes twice, or out of order"),
        ([row(0), row(0)], "comes twice"),
        ([row(720)], "hour 2026-07-01T00:00: is not of 2026-06"),
        ([row(0, "101")], r"row 1.co2_percent: 101 is not between 0 and 100"),
        ([row(0, "x")], "row 1.co2_percent: 'x' is not a decimal number"),
        ([row(0, minutes="N" * 59)], "row 1.minutes: must be 60 letters"),
        ([{**row(0), "hour": "2026-06-01T00:30"}], "row 1.hour: .* no beginning of an hour"),
        ([{**row(0), "colour": "red"}], "column 'colour' unknown"),
        ([{**row(0), "valid_minutes": "50"}], "give minutes, or valid_minutes"),
        ([{**row(0), "minutes": "", "valid_minutes": "61"}], "61 is not 0 to 60"),
        ([row(0, flow_minutes="X" * 60)], "row 1.flow_minutes: must be"),
    ],
)
def test_wrong_hours_are_named(rows: list[dict[str, str]], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        closed("hj-75-2017", rows)


def test_more_co2_than_dry_gas_is_another_basis() -> None:
    with pytest.raises(InputError, match="more CO2 than dry gas"):
        closed("hj-75-2017", [row(0, "95")], basis="wet")


def test_counts_of_minutes_do_where_no_quarter_is_asked_for() -> None:
    counted = [{**row(0), "minutes": "", "valid_minutes": "45", "stopped_minutes": "15"}]
    found = closed("hj-75-2017", counted)["hours"][0]
    assert found["code"] == "measured"
    with pytest.raises(InputError, match="40 CFR 75 asks which minutes"):
        read_hours(counted, by_part_75=True)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"component": "so2"}, "component: 'so2' unknown"),
        ({"hour": "yesterday"}, "is no local time"),
        ({"reference": ""}, "reference: missing, as there is no result"),
        ({"component": "flow", "span": ""}, "span: missing, flow needs it"),
        ({"result": "perhaps"}, "result: 'perhaps' unknown"),
    ],
)
def test_wrong_calibrations_are_named(changes: dict[str, str], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read_calibrations([{**CALIBRATIONS[0], **changes}], by_part_75=True)
    with pytest.raises(InputError, match="result: missing"):
        read_calibrations(CALIBRATIONS, by_part_75=False)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rules": "hj-99"}, "rules: 'hj-99' unknown"),
        ({"stacks": " "}, "stacks: missing"),
        ({"gas_of": "steam"}, "gas_of: 'steam' unknown"),
        ({"fc": Fraction(1040), "gas_of": "fuel"}, "fc: give fc and fd"),
        ({"reference_c": 18}, "reference_c: one of"),
    ],
)
def test_a_cems_is_declared_whole(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        cems(changes.pop("rules", "hj-75-2017"), **changes)


def written(path: Path, rows: Sequence[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    return str(path)


DECLARED = ["--stacks", "kiln 1", "--gas-of", "process", "--basis", "dry", "--flow-basis", "wet"]
KILN = """
rule_set = "cets-ag-02.01-v01-2024"
month = "2026-06"
[[fuel]]
kind = "bituminous"
quantity = "1600"
use = "kiln"
[clinker]
kind = "portland"
quantity = "13000"
"""


def test_at_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A kiln: 13000 × 0.535 + 1600 t of coal's 3508.77… are 10463.77 t; 0.050 % below the CEMS."""
    hours = written(tmp_path / "hours.csv", [row(number) for number in range(720)])
    month = tmp_path / "kiln.toml"
    month.write_text(KILN, encoding="utf-8")
    arguments = ["cems", hours, "--rule-set", "hj-75-2017", *DECLARED, "--against", str(month)]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "CO2               10469.02 t" in said
    assert "check within: CO2 measured at kiln 1 10469.02 t against 10463." in said
    month.write_text(KILN.replace("13000", "10000"), encoding="utf-8")
    assert main([*arguments, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["against"]["result"] == "outside"


@pytest.mark.parametrize("sector", ["02.01", "03.01", "04.01"])
def test_it_makes_no_line_under_the_chinese_rule_sets(sector: str) -> None:
    given_ = {"rule_set": f"cets-ag-{sector}-v01-2024", "month": "2026-06", "cems": {"co2_t": "1"}}
    with pytest.raises(StatementError, match="cems: unknown key"):
        compute(given_)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (["--fc", "1040", "--fd", "8710"], "gas_of: CO2 of a process"),
        (["--share-percent", "101"], "--share-percent: 101 is not 0 to 100"),
        (["--maximum-potential", "x"], "--maximum-potential: 'x' is not"),
        (["--calibrations", "HOURS"], "hours.csv: column 'co2_percent' unknown"),
    ],
)
def test_errors_name_file_and_column(
    more: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hours = written(tmp_path / "hours.csv", [row(0)])
    more = [hours if word == "HOURS" else word for word in more]
    assert main(["cems", hours, "--rule-set", "us-part-75", *DECLARED, *more]) == 2
    assert reason in capsys.readouterr().err


def test_part_75_needs_a_maximum(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hours = written(tmp_path / "hours.csv", [row(0)])
    assert main(["cems", hours, "--rule-set", "us-part-75", *DECLARED]) == 2
    assert "maximum_potential: missing, us-part-75 needs it" in capsys.readouterr().err
