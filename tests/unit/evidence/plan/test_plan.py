"""Reading a plan: every mistake is named with its key, and nothing else is taken."""

from collections.abc import Callable
from typing import Any

import pytest

from evidence.documents.kinds import KINDS
from evidence.plan.plan import OWED, plan_of
from evidence.plan.table import PlanError
from tests.unit.evidence.plan.examples import meter, parameter, table, told

Bend = Callable[[dict[str, Any]], Any]


def test_a_whole_plan() -> None:
    plan = plan_of(table())
    assert [one.id for one in plan.parameters] == ["gas", "ncv", "metal"]
    assert plan.parameters[1].about == "natural-gas"
    assert plan.about["boundary"].said("en") == "test"
    assert plan.about["boundary"].said("zh") == "测试"


def to(key: str, value: Any) -> Bend:
    return lambda given: given.__setitem__(key, value)


def rows(*found: Any) -> Bend:
    return to("parameter", list(found))


@pytest.mark.parametrize(
    ("bend", "key", "reason"),
    [
        (to("format", 2), "format", "whole number, 1 to 1"),
        (to("year", "2026"), "year", "whole number"),
        (to("revison", 1), "revison", "unknown key; did you mean revision"),
        (lambda given: given.pop("meter"), "meter", "is missing"),
        (to("parameter", []), "parameter", "1 to 1000 tables"),
        (rows(parameter(), 5), "parameter[2]", "must be a table"),
        (rows(parameter(number="?")), "parameter[1].number", "unknown key"),
        (rows(parameter(responsible="?")), "parameter[1].responsible", "still to be filled in"),
        (rows(parameter(name={"en": "gas"})), "parameter[1].name", 'must be { zh = "…"'),
        (rows(parameter(name={"zh": "?"})), "parameter[1].name", "zh is still to be filled in"),
        (rows(parameter(source="guess")), "parameter[1].source", "must be one of meter"),
        (rows(parameter(), parameter()), "parameter", "gas stands twice"),
        (rows(parameter(points=None)), "parameter[1].points", "is due with meter"),
        (rows(parameter(meters=None)), "parameter[1].meters", "is due with meter"),
        (rows(parameter(meters=["gas-2"])), "parameter[1].meters", "gas-2 is no [[meter]]"),
        (rows(parameter(points=["coal.total"])), "parameter[1].points", "none of its meters"),
        (rows(parameter(interval_s=None)), "parameter[1].interval_s", "is due with frequency"),
        (rows(parameter(interval_s="0")), "parameter[1].interval_s", "must be seconds as text"),
        (rows(told(interval_s="5")), "parameter[1].interval_s", "has a meaning with"),
        (rows(told(documents=["person"])), "parameter[1].documents", "person is none of invoice"),
        (rows(told(documents=None)), "parameter[1].documents", "is due with laboratory"),
        (rows(told(kind=None, table="other")), "parameter[1].about", "is due"),
        (rows(parameter(source="default")), "parameter[1].points", "has no meaning with default"),
        (to("meter", [meter(), meter()]), "meter", "gas-1 stands twice"),
        (to("meter", [meter(limit_percent="-1")]), "meter[1].limit_percent", "not be below zero"),
        (to("revision", 2), "revisions", "must be numbered 1 to 2"),
        (to("revisions", [{"number": 1, "day": "2025-02-30", "reason": {"zh": "a"}}]),
         "revisions[1].day", "must be a date"),
    ],
)  # fmt: skip
def test_mistakes(bend: Bend, key: str, reason: str) -> None:
    given = table()
    bend(given)
    with pytest.raises(PlanError) as caught:
        plan_of(given)
    assert any(p.key == key and reason in p.reason for p in caught.value.problems), caught.value


def test_all_mistakes_are_told_at_once() -> None:
    given = table()
    given["year"], given["meter"][0]["check"], given["plant"] = 1, "seal", "a b"
    with pytest.raises(PlanError) as caught:
        plan_of(given)
    assert {p.key for p in caught.value.problems} == {"year", "meter[1].check", "plant"}


def test_every_kind_of_document_that_may_be_owed_is_one() -> None:
    assert set(OWED) <= KINDS.keys()
