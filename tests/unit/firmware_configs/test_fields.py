"""The reader of TOML tables: what it gives, what it notes, what stands in for what is wrong."""

from collections.abc import Callable
from typing import Any

import pytest

from firmware_configs.fields import Fields, Problem


def read(table: dict[str, Any], read_one: Callable[[Fields], object]) -> tuple[object, list[str]]:
    """What a getter gives for a table, and "key: reason" of what it notes."""
    problems: list[Problem] = []
    value = read_one(Fields(table, file="f.toml", prefix="", problems=problems))
    return value, [f"{p.key}: {p.reason}" for p in problems]


@pytest.mark.parametrize(
    ("given", "value", "noted"),
    [
        ({"x": 2}, 2.0, []),
        ({"x": 2.5}, 2.5, []),
        ({"x": 1}, 1.0, []),
        ({"x": 9}, 9.0, []),
        ({"x": 9.1}, 1.0, ["x: 9.1 is not in 1..9"]),
        ({"x": float("nan")}, 1.0, ["x: nan is not in 1..9"]),
        ({"x": True}, 1.0, ["x: True is not a number in 1..9"]),
        ({"x": "2"}, 1.0, ["x: '2' is not a number in 1..9"]),
        ({}, 1.0, ["x: is missing: a number in 1..9"]),
    ],
)
def test_number(given: dict[str, Any], value: float, noted: list[str]) -> None:
    assert read(given, lambda f: f.number("x", 1, 9)) == (value, noted)


@pytest.mark.parametrize(
    ("given", "value", "noted"),
    [
        ({"x": "2.50"}, "2.50", []),
        ({"x": "-1e3"}, "-1e3", []),
        ({}, "7", []),
        ({"x": ""}, "7", ["x: is empty"]),
        ({"x": "1/2"}, "7", ["x: '1/2' is a ratio; write a decimal number"]),
        ({"x": "inf"}, "7", ["x: 'inf' is not a decimal number or a ratio like 800/5"]),
        ({"x": "nan"}, "7", ["x: 'nan' is not a decimal number or a ratio like 800/5"]),
    ],
)
def test_decimal(given: dict[str, Any], value: str, noted: list[str]) -> None:
    assert read(given, lambda f: f.decimal("x", default="7")) == (value, noted)


def test_required_decimal() -> None:
    assert read({}, lambda f: f.decimal("x", why="a length")) == ("1", ["x: is missing: a length"])


def test_optional_text() -> None:
    assert read({"x": "a"}, lambda f: f.optional_text("x")) == ("a", [])
    assert read({}, lambda f: f.optional_text("x")) == (None, [])
    assert read({"x": ""}, lambda f: f.optional_text("x")) == (None, ["x: is empty"])


def test_child_table_names_its_keys_in_full() -> None:
    value, noted = read(
        {"line": {"current_ka": "many"}}, lambda f: f.child("line").number("current_ka", 1, 9)
    )
    assert (value, noted) == (1.0, ["line.current_ka: 'many' is not a number in 1..9"])


@pytest.mark.parametrize(
    ("given", "noted"),
    [({}, ["line: is missing"]), ({"line": 3}, ["line: must be a table: [line]"])],
)
def test_no_child_table(given: dict[str, Any], noted: list[str]) -> None:
    assert read(given, lambda f: f.child("line").has("x")) == (False, noted)


def test_children_are_counted_from_zero() -> None:
    problems: list[Problem] = []
    fields = Fields({"row": [{"a": 1}, {"a": "b"}]}, file="f", prefix="", problems=problems)
    rows = fields.children("row")
    assert [row.integer("a", 0, 5) for row in rows] == [1, 0]
    assert [(p.key, p.reason) for p in problems] == [
        ("row[1].a", "'b' is not a whole number in 0..5")
    ]
    assert [row.flawed for row in rows] == [False, True]
    assert not fields.flawed


def test_unknown_keys_are_noted_once_all_known_ones_were_asked_for() -> None:
    problems: list[Problem] = []
    fields = Fields({"a": 1, "b": 2, "c": 3}, file="f", prefix="t", problems=problems)
    fields.raw("a")
    fields.finish()
    assert [str(p) for p in problems] == [
        "f: t.b: unknown key; known here: a",
        "f: t.c: unknown key; known here: a",
    ]


def test_a_problem_of_the_whole_file_has_no_key() -> None:
    assert str(Problem("f.toml", "", "is not valid TOML")) == "f.toml: is not valid TOML"
