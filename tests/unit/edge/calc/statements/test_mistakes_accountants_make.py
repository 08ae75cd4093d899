"""What people type into a month's file, and the sentence they get: exit 2, each key by its name."""

from pathlib import Path

import pytest

from edge.calc.cli import main
from edge.calc.factors import find_kind, near_kinds, rule_set, statement_rule_sets
from edge.calc.statements.fuel_line import CARBON_MAX

STEEL = 'rule_set = "cets-ag-03.01-v01-2024"\nmonth = "2026-06"\n'
DIGITS = (
    ": write digits and, for decimals, a point; no separators, spaces, exponent or unit: 1234.5"
)


def run(path: Path, content: str | bytes, capsys: pytest.CaptureFixture[str]) -> str:
    """What is said of a file that is refused."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    assert main(["statement", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err.replace(str(path), "FILE").rstrip("\n")


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("1,234.5", DIGITS), ("1 234.5", DIGITS), ("1.234,56", DIGITS), ("12,5", DIGITS),
        ("1e3", DIGITS), ("12 t", DIGITS), ("100%", DIGITS), ("１２３", DIGITS), ("5.", DIGITS),
        ("−5", DIGITS), ("NaN", ""), ("", ""), ("五", ""), ("-", ""),
        ("1" * 31, ": at most 30 digits before the point and 15 behind it"),
        ("0.1234567890123456", ": at most 30 digits before the point and 15 behind it"),
    ],
)  # fmt: skip
def test_what_is_no_number(
    typed: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f'{STEEL}[[fuel]]\nkind = "coke"\nquantity = "{typed}"\n'
    said = run(tmp_path / "m.toml", text, capsys)
    assert said == f"fuel[0].quantity: {typed[:40]!r} is not a decimal number{why}"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[[fuel]]\nkind = "coke"\nquantity = "-5"', "fuel[0].quantity: -5 must not be below zero"),
        ('[[fuel]]\nkind = "coke"\nquantity = nan',
         "fuel[0].quantity: 'NaN' is not a decimal number"),
        ('[[fuel]]\nkind = "Coke"\nquantity = "5"',
         "fuel[0].kind: cets-ag-03.01-v01-2024 has no 'Coke'; did you mean coke (焦炭)?"),
        ('[[fuel]]\nkind = "无烟媒"\nquantity = "5"',
         "fuel[0].kind: cets-ag-03.01-v01-2024 has no '无烟媒'; did you mean anthracite (无烟煤)?"),
        ('[[fuel]]\nkind = "natural gas"\nquantity = "5"',
         "fuel[0].kind: cets-ag-03.01-v01-2024 has no 'natural gas'; "
         "did you mean natural-gas (天然气)?"),
        ('[[fuel]]\nkind = "coke"\nquantiy = "5"',
         "fuel[0].quantity: missing (or opening, purchased, closing, output)\n"
         "fuel[0].quantiy: unknown key"),
        ('[fuel]\nkind = "coke"', "fuel: must be a list of tables: write [[fuel]]"),
        ('[[fule]]\nkind = "coke"', "fule: unknown key"),
        ('[[fuel]]\nkind = "coke"\nquantity = "5"\nncv = "28435"\ncarbon_content = "0.0295"',
         "fuel[0].ncv: 28435 GJ/t × 0.0295 tC/GJ makes 838.83 tC in a t of coke, more than fits: "
         "check the unit (heating values in GJ; carbon in t, not in percent)"),
        ('[[fuel]]\nkind = "coke"\nquantity = "5"\ncarbon_ar = "85.12"',
         "fuel[0].carbon_ar: 85.12 tC/t makes 85.12 tC in a t of coke, more than fits: "
         "check the unit (heating values in GJ; carbon in t, not in percent)"),
        # 38931 GJ × 0.01532 tC/GJ, the rule set's own, = 596.42 tC
        ('[[fuel]]\nkind = "natural-gas"\nquantity = "5"\nncv = "38931"',
         "fuel[0].ncv: 38931 GJ/10^4 Nm3 makes 596.42 tC in a 10^4 Nm3 of natural-gas, more than "
         "fits: check the unit (heating values in GJ; carbon in t, not in percent)"),
        ("flags = 5\nclosing = 'maybe'",
         "closing: must be interim or final\nflags: must be a list of strings"),
    ],
)  # fmt: skip
def test_tables(table: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "m.toml", f"{STEEL}{table}\n", capsys) == said


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m.toml", b"", 'month: must be like "2026-06"\nrule_set: missing'),
        ("m.json", b"", "FILE: Expecting value: line 1 column 1 (char 0)"),
        ("m.json", b"[]", "FILE: must be a table at the top"),
        ("m.JSON", b'{"month": "2026-06", "month": "2026-07"}',
         "FILE: month: stands twice in one object"),
        ("m.json", b'{"fuel": [{"quantity": "5", "kind": "coke", "quantity": "6"}]}',
         "FILE: quantity: stands twice in one object"),
        ("m.toml", b'month = "2026-06"\nmonth = "2026-07"\n',
         "FILE: Cannot overwrite a value (at line 2, column 18)"),
        ("m.toml", 'rule_set = "钢铁"'.encode("gb18030"), "FILE: is not UTF-8; save it as UTF-8"),
        ("m.toml", "month".encode("utf-16"), "FILE: is not UTF-8; save it as UTF-8"),
    ],
)  # fmt: skip
def test_files(
    name: str, content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / name, content, capsys) == said


def test_files_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["statement", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"{tmp_path}: Is a directory\n"
    assert main(["statement", str(tmp_path / "none.toml")]) == 2
    assert capsys.readouterr().err == f"{tmp_path / 'none.toml'}: No such file or directory\n"


def test_no_default_holds_more_carbon_than_fits() -> None:
    for name in statement_rule_sets():
        rules = rule_set(name)
        for kind in rules.fuels.values():
            ncv = rules.rows[f"fuel.{kind.id}.ncv"].value
            content = rules.rows[f"fuel.{kind.id}.carbon_content"].value
            assert ncv * content < CARBON_MAX[kind.unit], (name, kind.id)


def test_pure_carbon_is_a_fuel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.toml"
    path.write_text(f'{STEEL}[[fuel]]\nkind = "coke"\nquantity = "3"\ncarbon_ar = "1"\n')
    assert main(["statement", str(path)]) == 0
    assert "11.00 t" in capsys.readouterr().out  # 3 × 44/12


def test_a_name_far_from_all_is_no_hint() -> None:
    fuels = rule_set("cets-ag-03.01-v01-2024").fuels
    assert near_kinds(fuels, "uranium") == ""
    assert find_kind(fuels, "Coke") is None
