"""A by-product gas network: what was made against what was used, flared and stored."""

from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.errors import InputError
from edge.calc.registry import Input, method

_GAS = Input("10^4 Nm3", low="0")


def residual(
    sources: Fraction, uses: Fraction, flare: Fraction, holder_rise: Fraction
) -> tuple[Fraction, Fraction]:
    """What is left over, and that in % of the sources.

    Raises:
        InputError: there are no sources.
    """
    if not sources:
        raise InputError(["sources: must be above zero"])
    left = sources - uses - flare - holder_rise
    return left, left / sources * 100


@method(
    "gas.network_balance",
    version=1,
    source="Conservation of the gas; in no guideline that could be read",
    inputs={
        "sources": _GAS,
        "uses": _GAS,
        "flare": _GAS,
        "holder_opening": _GAS,
        "holder_closing": _GAS,
    },
    outputs={"residual": "10^4 Nm3", "residual_percent": "% of the sources"},
)
def network_balance(
    *,
    sources: Fraction,
    uses: Fraction,
    flare: Fraction,
    holder_opening: Fraction,
    holder_closing: Fraction,
) -> dict[str, Any]:
    """What a gas network leaves unexplained in a month.

    residual = sources - uses - flare - (holder closing - holder opening)
    residual [%] = residual ÷ sources × 100

    All in 10^4 Nm3 of dry gas at 0 °C and 101.325 kPa: gas behind a scrubber is saturated, and its
    water is no gas. Above zero gas was lost or a user is not metered; below zero a source reads low
    or a user high.

    Example: 50000 made, 47000 used, 1500 flared, holder from 8 to 12: 50000 - 47000 - 1500 - 4 =
    1496, 2.992 % (by hand).

    Not confirmed: which residual is too much is a choice (table statement-checks).
    """
    left, percent = residual(sources, uses, flare, holder_closing - holder_opening)
    return {"residual": exact_text(left), "residual_percent": exact_text(percent)}
