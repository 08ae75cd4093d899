"""Clinker by stock-taking: there is no clinker meter, so it is what left, was milled and lies more.

Raw meal per tonne and heat per tonne are cross-checks of it (`cross_check`), never its origin: a
ratio adjusted until the silos close would hide what is missing.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.errors import InputError
from edge.calc.registry import Input, method

#: part -> its sign; all in t of clinker
PARTS = {"despatched": 1, "used": 1, "closing": 1, "opening": -1, "purchased": -1}
NEEDED = ("despatched", "used", "closing", "opening")
FORMULA = "despatched + used in mills + closing - opening - purchased"


def clinker_made(parts: Mapping[str, Fraction]) -> Fraction:
    """Clinker made, from `PARTS` of one period.

    Raises:
        InputError: the balance is below zero.
    """
    made = sum((sign * parts.get(key, Fraction(0)) for key, sign in PARTS.items()), Fraction(0))
    if made < 0:
        raise InputError([
            f"opening: {FORMULA} is {exact_text(made)} t: no kiln makes less than nothing; are "
            "opening and closing exchanged?"
        ])  # fmt: skip
    return made


@method(
    "cement.clinker_stocktaking",
    version=1,
    source="CETS-AG-02.01 Appendix B (clinker stock-taking method, 熟料盘库方法) by its title",
    inputs={
        "despatched_t": Input("t", low="0"),
        "used_t": Input("t", low="0"),
        "closing_t": Input("t", low="0"),
        "opening_t": Input("t", low="0"),
        "purchased_t": Input("t", low="0", optional=True),
        "raw_meal_t": Input("t", low="0", optional=True),
        "heat_gj": Input("GJ", low="0", optional=True),
    },
    outputs={"clinker_t": "t", "raw_meal_t_t": "t/t", "heat_gj_t": "GJ/t"},
)
def clinker_stocktaking(**given: Fraction) -> dict[str, Any]:
    """Clinker made in a month, by taking stock.

    clinker [t] = despatched + used in cement mills + closing stock - opening stock - purchased
    raw meal ratio [t/t] = raw meal ÷ clinker; heat [GJ/t] = net heat of kiln fuels ÷ clinker

    Stocks are those of the month's two edges, silos and yard together; stock taken at another time
    is bridged first (period.bridge). Purchased clinker was not made here. Ratios come only with
    their inputs and a clinker above zero; they check the figure and never make it.

    Example: 60000 t despatched, 65000 t used, stock from 42000 t to 40500 t: 60000 + 65000 + 40500
    - 42000 = 123500 t; raw meal 188955 t is 1.53 t/t; 407550 GJ are 3.3 GJ/t (by hand).

    Not confirmed: of Appendix B only the title could be read; that purchased clinker is subtracted
    follows from what is counted (clinker made), not from a text.
    """
    made = clinker_made({key: given[f"{key}_t"] for key in PARTS if f"{key}_t" in given})
    result = {"clinker_t": exact_text(made)}
    for key, output in (("raw_meal_t", "raw_meal_t_t"), ("heat_gj", "heat_gj_t")):
        if made and key in given:
            result[output] = exact_text(given[key] / made)
    return result
