"""docs/statements.md: its files are computed as they stand there, by arithmetic of another kind."""

import json
import re
import tomllib
from decimal import ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path

import pytest

from edge.calc.cli import main

TEXT = (Path(__file__).resolve().parents[2] / "docs/statements.md").read_text(encoding="utf-8")
STEEL, CEMENT, ALUMINIUM, MEASURED, KILN_H, STOCK = re.findall(
    r"```toml\n(.*?)```", TEXT, re.DOTALL
)

#: emission of each line before it is rounded, times 12 ÷ 44 where carbon burns; factors as the
#: pages of the rule sets have them
CARBON = {
    "steel": ["34780.79 25.123 0.02749", "1234.5678 33.000 0.07080"],
    "cement": ["12345.67 22.345 0.02618 0.99"],
    "aluminium": ["12.3456 389.310 0.01532 0.99", "1234.5 0.985 0.975"],
}
PLAIN = {
    "steel": ["12.345 3.663", "98765.432 0.037"],
    "cement": ["123456.78 0.535", "345.67 0.480"],
    "aluminium": ["2.98765 144.81", "12.34 0.985 0.4149"],  # 144.81 = 0.02 × 6630 + 0.0011 × 11100
}
SUBTRACTED = {"product", "substitute"}


def product(factors: str) -> Decimal:
    result = Decimal(1)
    for factor in factors.split():
        result *= Decimal(factor)
    return result


def rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


@pytest.mark.parametrize(
    ("sector", "text"), [("steel", STEEL), ("cement", CEMENT), ("aluminium", ALUMINIUM)]
)
def test_each_file(
    sector: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"{sector}.toml"
    path.write_text(text, encoding="utf-8")
    assert main(["statement", str(path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    with localcontext() as context:
        context.prec = 60
        carbon = [rounded(product(factors) * 44 / 12) for factors in CARBON[sector]]
        wanted = carbon + [rounded(product(factors)) for factors in PLAIN[sector]]
    assert [Decimal(line["emission_t"]) for line in said["lines"]] == wanted
    signs = [-1 if line["category"] in SUBTRACTED else 1 for line in said["lines"]]
    total = sum(sign * value for sign, value in zip(signs, wanted, strict=True))
    assert Decimal(said["totals"]["total_t"]) == total


def test_the_kiln_in_short_tons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """(0.651 - 0.009) × 0.785 + (0.015 - 0.002) × 1.092 and so on, as 98.83 writes it."""
    path = tmp_path / "kiln.toml"
    path.write_text(KILN_H, encoding="utf-8")
    assert main(["statement", str(path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    with localcontext() as context:
        context.prec = 60
        ton = Decimal(2000) / Decimal(2205)
        wanted = [
            Decimal("1") * Decimal("24.93") * Decimal("93.28"),
            10000
            * ton
            * (Decimal("0.642") * Decimal("0.785") + Decimal("0.013") * Decimal("1.092")),
            200 * ton * (Decimal("0.42") * Decimal("0.785") + Decimal("0.02") * Decimal("1.092")),
            16000 * ton * Decimal("0.002") * 44 / 12,
        ]
        due = [rounded(value) for value in wanted]
    assert [Decimal(line["emission_t"]) for line in said["lines"]] == due
    assert Decimal(said["totals"]["total_t"]) == sum(due)


@pytest.mark.parametrize("text", [STEEL, CEMENT, ALUMINIUM], ids=["steel", "cement", "aluminium"])
def test_json_of_the_same_shape_is_the_same(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toml, plain = tmp_path / "month.toml", tmp_path / "month.JSON"
    toml.write_text("\ufeff" + text.replace("\n", "\r\n"), encoding="utf-8")  # as Windows writes it
    plain.write_text(json.dumps(tomllib.loads(text)), encoding="utf-8")
    outputs = []
    for path in (toml, plain):
        assert main(["statement", str(path), "--json"]) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]


def test_the_month_by_measured_effects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "measured.toml"
    path.write_text(MEASURED, encoding="utf-8")
    assert main(["statement", str(path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    # CF4 14.3 kg, and 1.16 × 5 ÷ 95 × 1000 kg; × (6.63 + 0.121 × 11.1)
    gwp = Decimal("6.63") + product("0.121 11.1")
    slope, over = (rounded(kg * gwp) for kg in (Decimal("14.3"), product("1.16 5 1000") / 95))
    anode = rounded(product("840 0.976 44") / 12)
    assert [Decimal(line["emission_t"]) for line in said["lines"]] == [anode, slope, over]
    assert Decimal(said["totals"]["total_t"]) == anode + slope + over


def test_the_month_by_stock_taking(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "stock.toml"
    path.write_text(STOCK, encoding="utf-8")
    assert main(["statement", str(path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    # 5200 + 17100 - 4100 - 790.5 + 200.25; 60000 + 65000 + 40500 - 42000
    assert [line["quantity"] for line in said["lines"]] == ["17609.75", "123500"]
    coal = rounded(product("17609.75 22.345 0.02618 0.99") * 44 / 12)
    assert Decimal(said["totals"]["total_t"]) == coal + rounded(product("123500 0.535"))
    # 18300 ÷ 17609.75; 188955 ÷ 123500; 17609.75 × 22.345 ÷ 123500; 240 ÷ 60000
    found = [(check["check"], check["statistic"]) for check in said["cross_checks"]]
    assert found == [
        ("second-source", "3.920"), ("raw-meal", "1.530"), ("clinker-heat", "3.186"),
        ("second-source", "0.400"),
    ]  # fmt: skip
    assert {check["result"] for check in said["cross_checks"]} == {"within"}
