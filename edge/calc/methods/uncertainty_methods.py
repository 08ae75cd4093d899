"""Uncertainty by hand: of a meter, of a product, of many measurements by one instrument."""

from fractions import Fraction
from typing import Any

from edge.calc.errors import InputError
from edge.calc.registry import Input, method
from edge.calc.root import root, root_text
from edge.calc.uncertainty import EXPANDED, MEANINGS, standard

_PERCENT = Input("%", low="0", high="100")
_FACTOR = Input("%", low="0", high="100", optional=True)


@method(
    "uncertainty.standard",
    version=1,
    source="JCGM 100:2008 (GUM) 4.3.3, 4.3.4 and 4.3.7",
    inputs={
        "stated": Input("of the quantity, or %", low="0"),
        "means": Input(is_text=True),
        "k": Input("1", low="1", high="4", optional=True),
    },
    outputs={"standard": "as stated"},
)
def standard_uncertainty(
    *, stated: Fraction, means: str, k: Fraction | None = None
) -> dict[str, Any]:
    """The standard uncertainty behind what a certificate, an approval or a table states.

    u [as stated] = stated ÷ √3 (limits), = stated ÷ k (expanded), = stated (standard)

    means: limits, the half width of a band in which the error surely lies and nothing speaks for a
    place in it (a maximum permissible error, a tolerance, a drift limit); expanded, with the k that
    the certificate names (1..4), 2 for "95 %", 1.96 for IPCC's ranges; standard.

    A maximum permissible error holds for a meter that was verified and is used as its approval
    says. It covers what the meter alone does: installation, sampling and reading come on top.

    Example: copper's coefficient, "the error should not exceed 0.40 × 10^-6": 0.40 ÷ √3 = 0.23
    × 10^-6; a resistor of 129 μΩ at 99 % (k 2.58): 50 μΩ. Source: GUM 4.3.7 example 1 and 4.3.4.

    Not confirmed: the GUM's own text; its examples were read as public programs cite them.
    """
    if means not in MEANINGS:
        raise InputError([f"means: {means!r} unknown; known: {' '.join(MEANINGS)}"])
    if (means == EXPANDED) != (k is not None):
        raise InputError(["k: needed with expanded, and only there"])
    return {"standard": root_text(standard(stated, means, k))}


@method(
    "uncertainty.product",
    version=1,
    source="JCGM 100:2008 (GUM) Eq. 12; IPCC 2006 Vol. 1 Eq. 3.1",
    inputs={
        "quantity_percent": _PERCENT,
        "ncv_percent": _FACTOR,
        "carbon_percent": _FACTOR,
        "oxidation_percent": _FACTOR,
        "factor_percent": _FACTOR,
    },
    outputs={"combined_percent": "%, as the inputs: standard or expanded by one k"},
)
def product(*, quantity_percent: Fraction, **factors: Fraction) -> dict[str, Any]:
    """Relative uncertainty of a product of independent quantities, as a fuel's emission is.

    U [%] = √(U_quantity² + U_ncv² + U_carbon² + U_oxidation² + U_factor²)

    All of them standard, or all expanded by the same k (IPCC: half of the 95 % range); 0..100 %,
    what is left out counts as exactly known. First order: good below about 30 %. What two of them
    have in common (one sample for heating value and carbon) this does not see: a statement's
    `uncertainty` lists do.

    Example: activity data 15 %, emission factor 25 %: √(225 + 625) = 29.155 %. Source: Danish
    inventory of non-road machinery (2006), annex 6, forestry, SO2, which follows IPCC Eq. 3.1.

    Not confirmed: IPCC's own chapter could not be read beyond its contents; its equation was read
    in the reports that follow it.
    """
    squares = sum((value**2 for value in factors.values()), quantity_percent**2)
    return {"combined_percent": root_text(root(squares))}


@method(
    "uncertainty.repeated",
    version=1,
    source="JCGM 100:2008 (GUM) Eq. 10 and 16 with correlation 0 and 1; 5.2.2, example",
    inputs={
        "times": Input("1", low="1", high="1000000000"),
        "random_percent": _PERCENT,
        "common_percent": _PERCENT,
    },
    outputs={"sum_percent": "% of the sum", "if_all_were_random_percent": "% of the sum"},
)
def repeated(
    *, times: Fraction, random_percent: Fraction, common_percent: Fraction
) -> dict[str, Any]:
    """Relative uncertainty of the sum of equal amounts, all measured by one instrument.

    U_sum [%] = √(U_random² ÷ n + U_common²)

    n: loads, hours or batches of about the same size. U_random: what differs from one to the next
    (reading, position, vibration); U_common: what does not (calibration, adjustment, the weights
    it was checked with, one analyser's bias). Both standard, or expanded by one k; 0..100 %.

    Only the random part shrinks. if_all_were_random_percent is what comes out when that is
    forgotten, by the most popular error of such calculations.

    Example: ten resistors of 1000 Ω, each known to 0.1 Ω (0.01 %) by the same standard resistor:
    0.01 % of 10,000 Ω, 1 Ω; as random 0.0031623 %, 0.32 Ω, which is "incorrect". Source: GUM 5.2.2.

    Not confirmed: as of uncertainty.standard.
    """
    whole = random_percent**2 + common_percent**2
    return {
        "sum_percent": root_text(root(random_percent**2 / times + common_percent**2)),
        "if_all_were_random_percent": root_text(root(whole / times)),
    }
