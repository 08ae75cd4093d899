"""As-found errors beyond their limits, what is due by when, and who owes what."""

from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from evidence.plan.certificates import doubtful_months
from evidence.plan.due import due, expected, falls_due
from evidence.plan.plan import plan_of
from evidence.plan.shares import counted_by
from tests.unit.edge.calc import smelter_month
from tests.unit.evidence.plan import examples as x

PLAN = plan_of(x.table())
GAS = PLAN.meters[0]
MONTHS: dict[str, Fraction | None] = {f"2026-{n:02}": Fraction(1000) for n in range(1, 9)}


@pytest.mark.parametrize(
    ("error", "effect"),
    [
        # by hand: 1000 / 0.95 - 1000 = 52.6316; 1000 / 1.05 - 1000 = -47.6190
        ("-5", "52.63"), ("5", "-47.62"), ("-50", "1000.00"), ("100", "-500.00"),
        # a meter that showed nothing, or ran backwards, does not tell what passed
        ("-100", None), ("-150", None),
    ],
)  # fmt: skip
def test_effect_in_tonnes(error: str, effect: str | None) -> None:
    """MID-like definition: error = (reading - true) / true, so true = reading / (1 + e/100)."""
    own = [x.certificate("2026-02-10", "2027-02-09"),
           x.certificate("2026-05-20", "2027-05-19", found=error, left="0.1")]  # fmt: skip
    found = doubtful_months(own, GAS, MONTHS)
    assert [one.month for one in found] == ["2026-02", "2026-03", "2026-04", "2026-05"]
    assert {one.effect_t for one in found} == {None if effect is None else Fraction(effect)}
    assert found[0].last_good == date(2026, 2, 10)
    assert found[0].emission_t == 1000


GOOD = x.certificate("2026-03-05", "2027-03-04", found="0.4")
BAD = x.certificate("2026-06-05", "2027-06-04", found="-3", left="0.2")


@pytest.mark.parametrize(
    ("own", "months"),
    [
        ([GOOD], []),
        ([GOOD, BAD], ["03", "04", "05", "06"]),
        ([BAD], ["01", "02", "03", "04", "05", "06"]),  # no good check before
        # left beyond the limit, or not fit: no good check
        ([x.certificate("2026-04-05", "2027-04-04", found="-2", left="-1.5"), BAD],
         ["01", "01", "02", "02", "03", "03", "04", "04", "05", "06"]),
        ([x.certificate("2026-04-05", "2027-04-04", fit=False), BAD],
         ["01", "02", "03", "04", "05", "06"]),
        # what was left good is where the next doubt begins
        ([BAD, x.certificate("2026-08-01", "2027-07-31", found="2")],
         ["01", "02", "03", "04", "05", "06", "06", "07", "08"]),
        ([x.certificate("2026-06-05", "2027-06-04", found="-3", meter="scale-1")], []),
        # exactly the limit is within it; a calibration that states no error finds none
        ([x.certificate("2026-06-05", "2027-06-04", found="-1.0")], []),
        ([x.certificate("2026-06-05", "2027-06-04")], []),
    ],
)  # fmt: skip
def test_months_since_the_last_good_check(own: Any, months: list[str]) -> None:
    assert [one.month[5:] for one in doubtful_months(own, GAS, MONTHS)] == months


def test_without_a_limit_nothing_is_doubted_and_the_certificates_own_will_do() -> None:
    free = plan_of(x.table() | {"meter": [x.meter(limit_percent="9"), *x.table()["meter"][1:]]})
    assert doubtful_months([BAD], free.meters[0], MONTHS) == []


def test_a_month_without_a_statement_is_in_doubt_without_tonnes() -> None:
    (found,) = doubtful_months([BAD], GAS, {"2026-05": None})
    assert (found.emission_t, found.effect_t) == (None, None)


def entry(**amounts: str) -> dict[str, Any]:
    told = {name: {"frames": {"point": f"m.{name}", "class": "meter-direct", "rule": "totaliser"}}
            for name in amounts}  # fmt: skip
    return {**amounts, "provenance": told}


STATEMENT = {
    "input": {
        "fuel": [entry(quantity="10"), entry(purchased="8", output="2")],
        "product": [entry(quantity="5")],
        "anode": entry(gross_t="450"), "pfc": entry(metal_t="900"),
    },
    "output": {"lines": [
        {"category": "fuel", "kind": "a", "quantity": "10", "emission_t": "100.00"},
        {"category": "fuel", "kind": "b", "quantity": "6", "emission_t": "60.00"},
        {"category": "product", "kind": "c", "quantity": "5", "emission_t": "7.00"},
        {"category": "anode", "kind": "", "quantity": "400", "emission_t": "1300.00"},
        {"category": "pfc", "kind": "", "quantity": "900", "emission_t": "130.00"},
    ]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("points", "tonnes"),
    [
        # 10 t/unit in each fuel line: 8 units came, 2 left; carbon of products is subtracted
        ({"m.purchased"}, 80), ({"m.output"}, -20), ({"m.purchased", "m.output"}, 60),
        ({"m.gross_t"}, 1300), ({"m.metal_t"}, 130), ({"other"}, 0),
        ({"m.quantity"}, 93),
    ],
)  # fmt: skip
def test_what_a_meter_counted_of_a_month(points: set[str], tonnes: int) -> None:
    assert counted_by(STATEMENT, points) == tonnes


def test_a_line_of_net_nothing_does_not_tell() -> None:
    given = {
        "input": {"fuel": [entry(purchased="8", output="8")]},
        "output": {"lines": [{"category": "fuel", "quantity": "0", "emission_t": "0.00"}]},
    }
    assert counted_by(given, {"m.output"}) is None
    assert counted_by(smelter_month.statement(), {"m.output"}) == 0  # a real one of the library


def test_plans_are_due_on_the_notices_days() -> None:
    assert [due(year) for year in (2025, 2026, 2027)] == [
        date(2025, 6, 30), date(2025, 12, 31), date(2026, 12, 31)
    ]  # fmt: skip


def test_what_falls_due_in_sixty_days() -> None:
    own = [*x.certificates()[:1]]
    found = falls_due(PLAN, own, date(2026, 11, 2))
    assert [(one.what, one.about, str(one.day)) for one in found] == [
        ("calibration", "scale-1", "2026-11-02"),  # never checked: now
        ("verification", "gas-1", "2026-11-30"),
        ("plan", "2027", "2026-12-31"),
        ("internal-check", "review", "2026-12-31"),
    ]
    assert [one.is_legal for one in found] == [False, True, True, False]
    assert falls_due(PLAN, x.certificates(), date(2026, 5, 1), has_next=True)[0].what == (
        "internal-check"
    )
    assert [one.about for one in falls_due(None, (), date(2026, 3, 1))] == ["2026"]


def test_who_owes_what() -> None:
    rows = [
        (one.parameter, one.kind, one.about, one.frequency, one.responsible, str(one.by))
        for one in expected(PLAN, "2026-06", x.certificates())
    ]
    assert rows == [
        ("gas", "readings", "gas-1.volume", "continuous", "wang", "None"),
        ("ncv", "sample-result", "natural-gas", "monthly", "wang", "None"),
        ("metal", "readings", "scale-1.mass", "continuous", "wang", "None"),
        ("review", "internal-check", "review", "quarterly", "li", "None"),
    ]
    months = {n: expected(PLAN, f"2026-{n:02}", x.certificates()) for n in (5, 11)}
    assert [one.parameter for one in months[5]] == ["gas", "ncv", "metal"]
    certificates = [one for one in months[11] if one.kind == "meter-certificate"]
    assert [(one.about, str(one.by)) for one in certificates] == [
        ("gas-1", "2026-11-30"), ("scale-1", "2026-11-30")
    ]  # fmt: skip
