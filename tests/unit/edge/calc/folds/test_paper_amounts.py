"""Amounts of invoices, stock-takes and counts; expected values are sums done by hand."""

import pytest

from edge.calc.folds.paper_amounts import UnfitError, amounts_of
from edge.calc.folds.papers import Paper
from tests.unit.edge.calc.folds.paper_examples import (
    DAY,
    FROM,
    HOUR,
    TO,
    amount,
    bought,
    papers,
    stock,
)

STOCKS = [stock("500", FROM), stock("450.25", TO)]
KILN = [*STOCKS, bought("60000", "output"), amount("count", "65000")]
#: table, unit, what is there -> what it makes
AMOUNTS: dict[str, tuple[str, str, list[Paper], dict[str, str]]] = {
    "balance": ("fuel", "t", [*STOCKS, bought("1200.5"), bought("300000", unit="kg")],
                {"opening": "500", "closing": "450.25", "purchased": "1500.5"}),
    "sold": ("process", "t", [bought("12.5", "output")], {"output": "12.5"}),
    "a credit note": ("fuel", "t", [bought("100"), bought("-2.5")], {"purchased": "97.5"}),
    "counted": ("fuel", "t", [amount("count", "7"), amount("count", "0.25")], {"quantity": "7.25"}),
    "counts are no part of a balance": ("fuel", "t", [*STOCKS, amount("count", "7")],
                                        {"opening": "500", "closing": "450.25"}),
    "gas": ("fuel", "10^4 Nm3", [amount("count", "123456", "Nm3")], {"quantity": "12.3456"}),
    "nearly June": ("fuel", "t", [bought("5", from_ns=FROM - HOUR, to_ns=TO + HOUR)],
                    {"purchased": "5"}),
    "of May, over by half an hour": (
        "fuel", "t", [bought("5", from_ns=FROM - 30 * DAY, to_ns=FROM + HOUR // 2)], {}),
    "steel sold is not steel made": ("product", "t", [bought("9", "output")], {}),
    "steel": ("product", "t", [amount("count", "9")], {"quantity": "9"}),
    # 60000 + 65000 + 450.25 - 500, and less 40 that were bought
    "clinker": ("clinker", "t", KILN, {"quantity": "124950.25"}),
    "clinker bought": ("clinker", "t", [*KILN, bought("40")], {"quantity": "124910.25"}),
    "clinker counted": ("clinker", "t", [amount("count", "65000")], {"quantity": "65000"}),
}  # fmt: skip


@pytest.mark.parametrize("case", AMOUNTS)
def test_amounts_by_hand(case: str) -> None:
    table, unit, given, expected = AMOUNTS[case]
    found = amounts_of(papers(*given), "coal", table, unit)
    assert {key: one.text for key, one in found.items()} == expected


UNFIT: dict[str, tuple[str, list[Paper]]] = {
    "from the 26th": ("fuel", [bought("5", from_ns=FROM - 5 * DAY, to_ns=TO - 5 * DAY)]),
    "of both months": ("fuel", [bought("5", from_ns=FROM - 60 * DAY, to_ns=FROM + 2 * HOUR)]),
    "of both, June's middle": ("fuel", [bought("5", from_ns=FROM - 2 * HOUR, to_ns=TO)]),
    "two stocks at an edge": ("fuel", [*STOCKS, stock("501", FROM - HOUR)]),
    "no closing stock": ("fuel", [STOCKS[0], bought("5")]),
    "another unit": ("fuel", [bought("5", unit="Nm3")]),
    "too many to name": ("fuel", [amount("count", "1") for _ in range(1_001)]),
    "less than nothing": ("fuel", [bought("-5")]),
    "clinker's use is not counted": ("clinker", KILN[:3]),
    "clinker made backwards": (
        "clinker", [stock("9", FROM), stock("1", TO), bought("1", "output"), amount("count", "2")]),
}  # fmt: skip


@pytest.mark.parametrize("case", UNFIT)
def test_what_does_not_fit_makes_no_amount(case: str) -> None:
    table, given = UNFIT[case]
    with pytest.raises(UnfitError):
        amounts_of(papers(*given), "coal", table, "t")
