"""Where practice departs from the plan: each departure by one change of a month that has none."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from string import Formatter
from typing import Any

import pytest

from evidence.plan.certificates import Certificate
from evidence.plan.checks import Check
from evidence.plan.departures import Departure, Rules, departures
from evidence.plan.plan import plan_of
from evidence.plan.sentences import SENTENCES, said
from tests.unit.evidence.plan import examples as x

MONTH = "2026-06"
LINE = {
    "category": "fuel", "kind": "natural-gas", "quantity": "2", "emission_t": "1.00",
    "parameters": {"ncv": {"basis": "default", "value": "389.310", "unit": "GJ/10^4 Nm3"}},
}  # fmt: skip
STATEMENT = {"input": {}, "output": {"lines": [LINE]}}


REVIEWED = Check("review", "gas-1", 0, "Li", passed=True)


class Month:
    """A month that is as planned, to be changed."""

    def __init__(self) -> None:
        self.table, self.config, self.certificates = x.table(), x.configuration(), x.certificates()
        self.more: dict[str, Any] = {}

    def found(self) -> list[Departure]:
        plan = plan_of(self.table)
        return departures(plan, [self.config], self.certificates, MONTH, **self.more)

    def device(self, **other: Any) -> None:
        self.config["devices"][0] |= other

    def gas(self, *found: Certificate) -> None:
        self.certificates[:1] = found


def test_a_month_as_planned_has_none() -> None:
    assert Month().found() == []


def _fuel(**other: Any) -> Callable[[Month], object]:
    return lambda m: m.config["statement"]["fuels"][0].update(other)


def _statement(**other: Any) -> Callable[[Month], object]:
    return lambda m: m.config["statement"].update(other)


CASES: list[tuple[Callable[[Month], object], str, str]] = [
    (lambda m: m.table.update(year=2027), "other-year", ""),
    (lambda m: m.config["plant"].update(id="maxi"), "other-plant", ""),
    (lambda m: m.config["plant"].update(rule_set="ipcc"), "other-rules", ""),
    (_statement(auxiliary=[{"kind": "electricity", "point": "ac.e"}]), "unplanned",
     "auxiliary.electricity"),
    (_statement(metal={"point": "gas-1.volume"}), "other-source", "metal"),
    (_fuel(point="gas-1.raw"), "other-source", "gas"),
    (_statement(fuels=[]), "other-source", "gas"),
    (lambda m: m.table["parameter"].__setitem__(0, x.told(id="gas", figure="quantity",
     source="settlement", documents=["invoice"])), "other-source", "gas"),
    (lambda m: m.config["schedules"][0].update(interval_ns=2 * 10**9), "coarse", "gas"),
    (lambda m: m.more.update(statement=STATEMENT), "default-used", "ncv"),
    (lambda m: m.more.update(rules=Rules(missing={"ncv": "mean"})), "other-missing-rule", "ncv"),
    (lambda m: m.table["meter"][0].update(device="gas-9") or m.table["parameter"][0].update(
        points=["gas-9.volume"]), "no-device", "gas-1"),
    (lambda m: m.device(profile="a/other"), "other-model", "gas-1"),
    (lambda m: m.device(meter={"n": {"means": "serial", "stated": [["17", "a"], ["18", "b"]]}}),
     "other-number", "gas-1"),
    (lambda m: m.gas(), "no-certificate", "gas-1"),
    # a certificate of a day to come is none yet
    (lambda m: m.gas(x.certificate("2026-07-01", "2027-06-30")), "no-certificate", "gas-1"),
    # 校准 where 检定 is planned; 检定 where 校准 is planned will do
    (lambda m: m.gas(x.certificate("2026-01-01", "2026-12-31", scope="calibration")),
     "lesser-check", "gas-1"),
    (lambda m: m.gas(x.certificate("2025-06-20", "2026-06-19")), "expired", "gas-1"),
    (lambda m: m.certificates.__setitem__(1, x.certificate(
        "2025-06-20", "2026-06-19", scope="calibration", meter="scale-1")),
     "suggested-date-passed", "scale-1"),
    (lambda m: m.gas(x.certificate("2026-06-11", "2027-06-10")), "certified-late", "gas-1"),
    (lambda m: m.gas(x.certificate("2026-01-01", "2026-12-31", fit=False)), "unfit", "gas-1"),
    (lambda m: m.gas(x.certificate("2026-01-01", "2027-06-30")), "checked-seldom", "gas-1"),
    # due by the quarter's end, which is June's
    (lambda m: m.more.update(checks=[], earlier={}), "check-missing", "review"),
    # it was made in March, before the quarter began
    (lambda m: m.more.update(checks=[], earlier={"review": 3}), "check-missing", "review"),
    (lambda m: m.more.update(checks=[REVIEWED, replace(REVIEWED, passed=False)]),
     "check-failed", "review"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "code", "about"), CASES)
def test_each_departure(change: Callable[[Month], object], code: str, about: str) -> None:
    month = Month()
    change(month)
    found = month.found()
    assert (code, about) in [(one.code, one.about) for one in found]
    for one in found:  # each can be said, in both languages
        for language in ("en", "zh"):
            assert all(said(one, language))


def test_no_code_is_without_a_case_and_no_language_lacks_a_fact() -> None:
    assert {code for _, code, _ in CASES} == SENTENCES.keys()
    for texts in SENTENCES.values():
        places = [
            {name for _, name, _, _ in Formatter().parse(texts[to][0]) if name} for to in texts
        ]
        assert texts.keys() == {"en", "zh"}
        assert places[0] == places[1]


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.certificates.__setitem__(1, x.certificate(
            "2026-01-01", "2026-12-31", meter="scale-1")),  # more than planned
        # renewed in time, with a day both have
        lambda m: m.gas(x.certificate("2025-06-15", "2026-06-14"),
                        x.certificate("2026-06-14", "2027-06-13")),
        lambda m: m.more.update(checks=[REVIEWED]),
        # it was made in April, the quarter's first month; or nobody knows whether it was
        lambda m: m.more.update(checks=[], earlier={"review": 2}),
        lambda m: m.more.update(checks=[], earlier=None),
        # a check is not missing before the month is over
        lambda m: m.more.update(checks=[], until=date(2026, 6, 29)),
        # asked of the month so far only
        lambda m: m.gas(x.certificate("2025-06-20", "2026-06-19"))
        or m.more.update(until=date(2026, 6, 19)),
        lambda m: m.config["statement"]["fuels"][0].update(kind="天然气")
        or m.more.update(rules=Rules(kinds={"天然气": "natural-gas"})),
    ],
)  # fmt: skip
def test_what_is_no_departure(change: Callable[[Month], object]) -> None:
    month = Month()
    change(month)
    assert month.found() == []


def test_two_parameters_of_one_quantity_are_taken_together() -> None:
    month = Month()
    second = x.parameter(id="gas-b", points=["gas-1.second"])
    month.table["parameter"].append(second)
    fuels = month.config["statement"]["fuels"]
    assert [one.about for one in month.found()] == ["gas"]
    fuels.append({"kind": "natural-gas", "point": "gas-1.second"})
    assert month.found() == []
