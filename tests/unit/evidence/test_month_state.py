"""State of a month: what stands beside its total, by hand from FIGURES.md section 8."""

from typing import Any

import pytest

from edge.calc.flags import INCOMPLETE, QUESTION, WEIGHTS, Flag, flag_rows
from evidence.findings import CODES
from evidence.month_state import MonthState, finding_issue, issue_of, issues_of, state_of
from evidence.plan.declared import declared_but_absent

CEMENT: dict[str, Any] = {
    "rule_set": "cets-ag-02.01-v01-2024",
    "output": {"clinker_t": "9.0"},
    "totalisers": [{"point": "coal-1.total"}],
    "completeness": {
        "coal-1.total": {"usable": 90, "expected": 100},
        "stack.co2": {"usable": 0, "expected": 100},
        "stack.flow": {"usable": 89, "expected": 100},
    },
}
OUTPUT: dict[str, Any] = {
    "flags": ["unconfirmed:fuel.bituminous.ncv"],
    "lines": [{"category": "fuel", "kind": "bituminous"}],
}
PLAN = """
[[parameter]]
table = "fuel"
kind = "bituminous"
figure = "quantity"
source = "meter"
points = ["coal-1.total", "coal-2.total"]
[[parameter]]
table = "clinker"
kind = "portland"
figure = "quantity"
source = "record"
[[parameter]]
table = "other"
source = "meter"
points = ["boiler.total"]
"""


def test_a_cement_month_says_what_it_lacks_and_which_points_are_silent() -> None:
    issues = issues_of(CEMENT, OUTPUT)

    assert [(issue.flag, issue.code, issue.weight) for issue in issues] == [
        ("unconfirmed:fuel.bituminous.ncv", "W-UNCONFIRMED", "note"),
        ("no-clinker", "W-INCOMPLETE", "incomplete"),
        ("silent:stack.co2", "W-INCOMPLETE", "question"),
        ("sparse:stack.flow", "W-INCOMPLETE", "question"),
    ]


def test_a_point_at_the_limit_of_90_percent_is_enough() -> None:
    assert "sparse:coal-1.total" not in {issue.flag for issue in issues_of(CEMENT, OUTPUT)}


def test_what_the_plan_declares_and_the_statement_lacks_is_named_once() -> None:
    assert declared_but_absent(PLAN.encode(), CEMENT, OUTPUT) == [
        "no-plan-line:coal-2.total",
        "no-plan-line:clinker.portland",
    ]


@pytest.mark.parametrize(
    "plan", [b"", b"\xff", b"parameter = 1", b"[[parameter]]\ntable = 1", b"a" * 100]
)
def test_a_plan_of_another_shape_raises_no_flag(plan: bytes) -> None:
    assert declared_but_absent(plan, CEMENT, OUTPUT) == []


def _passed(*flags: str, identified: bool = True, recomputed: bool = True) -> MonthState:
    return state_of(
        map(issue_of, flags), verdict="passed", identified=identified, recomputed=recomputed
    )


def test_the_first_line_says_verdict_and_completeness_together() -> None:
    bare, lacking = _passed("typed:anode.gross_t"), _passed("no-clinker")

    assert (bare.headline("en"), bare.exit_status) == ("PASSED", 0)
    assert lacking.headline("en") == "PASSED, INCOMPLETE: clinker is missing (mandatory)"
    assert lacking.headline("zh") == "通过，不完整：缺少熟料（必报项）"
    assert lacking.beside_total("en") == " — clinker is missing (mandatory)"
    assert lacking.exit_status == 3


def test_what_was_not_looked_at_is_no_plain_pass() -> None:
    strange, unread = _passed(identified=False), _passed(recomputed=False)

    assert (strange.headline("en"), strange.exit_status) == (
        "PASSED, NOT IDENTIFIED: no --trust",
        3,
    )
    assert (unread.headline("en"), unread.exit_status) == ("PASSED, NOT RECOMPUTED", 3)


@pytest.mark.parametrize(("verdict", "status"), [("failed", 1), ("cannot-decide", 2)])
def test_what_failed_is_failed_whatever_else_is_missing(verdict: str, status: int) -> None:
    state = state_of([issue_of("no-fuel")], verdict=verdict)

    assert state.exit_status == status
    assert "fossil fuels are missing (mandatory)" in state.headline("en")


def test_many_issues_are_named_by_three_and_counted() -> None:
    state = _passed(*(f"silent:p-{n}" for n in range(250)))

    assert state.headline("en") == (
        "PASSED, WITH QUESTIONS: p-0 gave no value all month, p-1 gave no value all month, "
        "p-2 gave no value all month and 247 more"
    )


def test_a_warning_of_the_verifier_itself_is_a_question_and_a_gap_is_not() -> None:
    assert finding_issue("W-CLOCK").weight == QUESTION
    assert finding_issue("W-GAP").weight == "note"


def test_a_state_travels_as_plain_values() -> None:
    state = state_of([issue_of("no-fuel"), finding_issue("W-CLOCK")], verdict="passed")

    assert MonthState.from_map(state.as_map()) == state


@pytest.mark.parametrize("kind", flag_rows())
def test_every_flag_of_the_table_has_code_weight_and_words(kind: str) -> None:
    row = flag_rows()[kind]

    assert row.code in CODES
    assert row.weight in WEIGHTS
    for words in (row.short, row.sentence):
        assert set(words) == {"en", "zh"}
        assert all(words.values())
        assert len({"{what}" in text for text in words.values()}) == 1


def test_hostile_statements_raise_nothing() -> None:
    given = {"rule_set": ["x"], "completeness": {"a": {"usable": True, "expected": "9"}, "b": 1}}

    assert [issue.flag for issue in issues_of(given, {"flags": [1, None], "lines": [1]})] == [
        "1",
        "None",
    ]
    assert Flag("never-heard-of:x").weight == QUESTION
    assert Flag("not-usable:coal.amount").weight == INCOMPLETE
    assert Flag("not-usable:coal.ncv").weight == QUESTION
