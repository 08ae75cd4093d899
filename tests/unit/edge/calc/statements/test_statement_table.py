"""Reading tables: every problem named with its place, none stopping the others."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from edge.calc.factors import rule_set
from edge.calc.statements.statement_table import Table, tables

FUELS = rule_set("cets-ag-04.01-v01-2024").fuels


def table(fields: Any) -> tuple[Table, list[str]]:
    problems: list[str] = []
    return Table("fuel[0]", fields, problems), problems


def test_a_number_keeps_its_text() -> None:
    made, problems = table({"quantity": "100.00"})
    found = made.number("quantity", "t")
    assert found is not None
    assert (found.value, found.text, found.unit) == (Fraction(100), "100.00", "t")
    assert problems == []


@pytest.mark.parametrize(
    ("raw", "text"), [(5, "5"), (Decimal("1.50"), "1.50"), (Decimal("1E+2"), "100")]
)
def test_numbers_of_a_file_are_plain_text_afterwards(raw: object, text: str) -> None:
    found = table({"quantity": raw})[0].number("quantity", "t")
    assert found is not None
    assert found.text == text


def test_an_absent_number_is_none_and_no_problem() -> None:
    made, problems = table({})
    assert made.number("quantity", "t") is None
    assert problems == []


@pytest.mark.parametrize(
    ("raw", "options", "said"),
    [
        ("x", {}, "fuel[0].q: 'x' is not a decimal number"),
        ("-0.01", {}, "fuel[0].q: -0.01 must not be below zero"),
        ("0", {"above_zero": True}, "fuel[0].q: 0 must be above zero"),
        ("101", {"high": 100}, "fuel[0].q: 101 is above 100 %"),
        (0.5, {}, "fuel[0].q: '0.5' is not a decimal number"),
    ],
)
def test_a_wrong_number_is_a_problem(raw: object, options: dict[str, Any], said: str) -> None:
    made, problems = table({"q": raw})
    assert made.number("q", "%", **options) is None
    assert problems == [said]


@pytest.mark.parametrize("raw", ["100", "0"])
def test_limits_are_included(raw: str) -> None:
    made, problems = table({"q": raw})
    assert made.number("q", "%", high=100) is not None
    assert problems == []


def test_names() -> None:
    made, problems = table({"a": "ar5", "b": "", "c": 5, "d": "x" * 65, "e": "ar9"})
    assert made.text("a", ("ar4", "ar5")) == "ar5"
    assert [made.text(k) for k in "bcd"] == [None] * 3
    assert made.text("e", ("ar4", "ar5")) is None
    assert made.text("f") is None
    assert [p.partition(":")[0] for p in problems] == [f"fuel[0].{k}" for k in "bcde"]
    assert problems[-1].endswith("'ar9' unknown; known: ar4 ar5")


def test_kinds() -> None:
    made, problems = table({"kind": "烟煤"})
    kind = made.kind(FUELS, "rules")
    assert kind is not None
    assert kind.id == "bituminous"
    assert problems == []
    for fields, said in (({}, "missing"), ({"kind": "peat"}, "rules has no 'peat'")):
        made, problems = table(fields)
        assert made.kind(FUELS, "rules") is None
        assert said in problems[0]


def test_unknown_keys_are_named_at_the_end() -> None:
    made, problems = table({"kind": "coke", "qty": "1", "provenance": {}})
    made.text("kind")
    made.end()
    assert problems == ["fuel[0].qty: unknown key"]


@pytest.mark.parametrize("fields", [None, 5, "x", []])
def test_what_is_no_table_is_a_problem_and_reads_as_empty(fields: object) -> None:
    made, problems = table(fields)
    assert problems == ["fuel[0]: must be a table"]
    assert not made.has("kind")
    made.end()


def test_provenance_belongs_to_its_key() -> None:
    frames = {"frames": {"point": "p", "rule": "totaliser"}}
    made, problems = table({"a": "1", "b": "2", "provenance": {"a": frames}})
    first, second = made.number("a", "t"), made.number("b", "t")
    assert first is not None
    assert second is not None
    assert (first.provenance, second.provenance) == (frames, None)
    assert problems == []


def test_subtables_have_their_own_place() -> None:
    problems: list[str] = []
    outer = Table("pfc", {"indicator": {"x": "1"}}, problems)
    inner = outer.subtable("indicator")
    assert inner is not None
    inner.end()
    outer.end()
    assert problems == ["pfc.indicator.x: unknown key"]
    assert outer.subtable("other") is None


def test_lists_of_tables() -> None:
    problems: list[str] = []
    found = tables({"fuel": [{}, 5]}, "fuel", problems)
    assert [t.where for t in found] == ["fuel[0]", "fuel[1]"]
    assert problems == ["fuel[1]: must be a table"]
    assert tables({}, "fuel", problems) == []


@pytest.mark.parametrize("wrong", [{}, "abc", b"abc", 5, None])
def test_a_list_that_is_none_is_a_problem(wrong: object) -> None:
    problems: list[str] = []
    assert tables({"fuel": wrong}, "fuel", problems) == []
    assert problems == ["fuel: must be a list of tables: write [[fuel]]"]
