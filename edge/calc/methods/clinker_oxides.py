"""Clinker's process CO2 by its oxides, the way before CETS-AG-02.01: a comparison beside it."""

from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.errors import InputError
from edge.calc.registry import Input, method

_CAO, _MGO = Fraction(44, 56), Fraction(44, 40)  # tCO2/t, molar masses as the rule prints them
_PERCENT = Input("% of clinker mass", low="0", high="100")


@method(
    "cement.clinker_oxides",
    version=1,
    source="MRV rule for cement of 2023 (process emissions by oxides), without raw-meal carbon; "
    "IPCC 2006 Vol. 3 Ch. 2 in substance",
    inputs={
        "clinker_t": Input("t", low="0"),
        "cao_percent": _PERCENT,
        "mgo_percent": _PERCENT,
        "cao_noncarbonate_percent": _PERCENT,
        "mgo_noncarbonate_percent": _PERCENT,
    },
    outputs={"emission_t": "tCO2", "factor": "tCO2/t clinker"},
)
def clinker_oxides(
    *,
    clinker_t: Fraction,
    cao_percent: Fraction,
    mgo_percent: Fraction,
    cao_noncarbonate_percent: Fraction,
    mgo_noncarbonate_percent: Fraction,
) -> dict[str, Any]:
    """Process CO2 of clinker from its calcium and magnesium oxide.

    factor = ((CaO - CaO of no carbonate) × 44/56 + (MgO - MgO of no carbonate) × 44/40) ÷ 100
    E [tCO2] = clinker [t] × factor

    All oxides in % of the clinker's mass, 0..100 and together at most 100. CETS-AG-02.01 counts by
    clinker × its default factor instead; this one stands beside it. Carbon of the raw meal's
    organic matter is not in it.

    Example: 1 t, CaO 65 %, no MgO, all of carbonate: 0.65 × 44/56 = 0.5107 tCO2 (IPCC 2006 Vol. 3,
    2.2.1.2, prints 0.51 for 65 % CaO).

    Not confirmed: the rule of 2023 was read in a study's program, not in its own text.
    """
    own = {"cao": cao_percent, "mgo": mgo_percent}
    other = {"cao": cao_noncarbonate_percent, "mgo": mgo_noncarbonate_percent}
    wrong = [
        f"{name}_noncarbonate_percent: more than {name}_percent itself"
        for name in own
        if other[name] > own[name]
    ]
    if cao_percent + mgo_percent > 100:
        wrong.append("cao_percent: with mgo_percent more than the clinker")
    if wrong:
        raise InputError(wrong)
    cao, mgo = (own[name] - other[name] for name in ("cao", "mgo"))
    factor = (cao * _CAO + mgo * _MGO) / 100
    return {"emission_t": exact_text(clinker_t * factor), "factor": exact_text(factor)}
