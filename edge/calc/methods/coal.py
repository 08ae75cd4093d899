"""Coal as received from coal as analysed: moisture moves both carbon and heating value.

A laboratory reports on the air-dried sample (ad); a belt weighs coal as it is received (ar), wet.
Four points of total moisture are 4 % of the emission, which is why it has been invented.
"""

from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.errors import InputError
from edge.calc.registry import Input, method

#: heat that a percent of water takes with it as steam, in GJ per t of coal (GB/T 213: 23 J/g)
_WATER_GJ_T = Fraction("0.023")
#: above these a laboratory's figure is in another unit, or wrong: % of mass; tC/t; GJ/t
TOTAL_MAX, AIR_DRIED_MAX, C_MAX, NCV_MAX = 60, 40, 1, 40
_MOISTURE = {
    "moisture_total_percent": Input("% of mass as received", low="0", high=str(TOTAL_MAX)),
    "moisture_ad_percent": Input("% of mass air-dried", low="0", high=str(AIR_DRIED_MAX)),
}


@method(
    "coal.c_ar",
    version=1,
    source="GB/T 483 (bases of coal analysis), conversion ad to ar",
    inputs={"c_ad": Input("tC/t", low="0", high=str(C_MAX)), **_MOISTURE},
    outputs={"c_ar": "tC/t"},
)
def c_ar(
    *, c_ad: Fraction, moisture_total_percent: Fraction, moisture_ad_percent: Fraction
) -> dict[str, Any]:
    """Carbon as received from carbon air-dried.

    C_ar [tC/t] = C_ad × (100 - M_t) ÷ (100 - M_ad)

    C 0..1; total moisture 0..60 %; moisture of the air-dried sample 0..40 %, at most the total.

    Example: C_ad 0.60, M_t 10 %, M_ad 2 %: 0.60 × 90 ÷ 98 = 0.551020… tC/t (by hand). Published
    for ash, which goes the same way: 12.0 % air-dried, 2.0 and 10 % moisture, is 11.0 % as received
    (ALS, "Coal Basis Conversion", example 2).

    Not confirmed: the standard's own text could not be read; a laboratory prints the equation.
    """
    made = carbon_received(c_ad, moisture_total_percent, moisture_ad_percent)
    return {"c_ar": exact_text(made)}


@method(
    "coal.ncv_ar",
    version=1,
    source="GB/T 213 (net calorific value at another moisture)",
    inputs={"ncv_ad": Input("GJ/t", low="0", high=str(NCV_MAX)), **_MOISTURE},
    outputs={"ncv_ar": "GJ/t"},
)
def ncv_ar(
    *, ncv_ad: Fraction, moisture_total_percent: Fraction, moisture_ad_percent: Fraction
) -> dict[str, Any]:
    """Net heating value as received from the net value air-dried.

    NCV_ar [GJ/t] = (NCV_ad + 0.023 × M_ad) × (100 - M_t) ÷ (100 - M_ad) - 0.023 × M_t

    NCV 0..40 GJ/t, net (lower) at constant volume; total moisture 0..60 %, moisture of the
    air-dried sample 0..40 % and not above the total. A gross value must be made net first.

    Example: NCV_ad 24, M_t 10 %, M_ad 2 %: 24.046 × 90 ÷ 98 - 0.23 = 21.853061… GJ/t (by hand).

    Not confirmed: the equation was read in two public programs, not in the standard itself.
    """
    made = ncv_received(ncv_ad, moisture_total_percent, moisture_ad_percent)
    return {"ncv_ar": exact_text(made)}


def carbon_received(c_ad: Fraction, total: Fraction, air_dried: Fraction) -> Fraction:
    """As method coal.c_ar, exact; InputError where the moistures cannot be."""
    return c_ad * _drier(total, air_dried)


def ncv_received(ncv_ad: Fraction, total: Fraction, air_dried: Fraction) -> Fraction:
    """As method coal.ncv_ar, exact; InputError where the moistures cannot be."""
    net = (ncv_ad + _WATER_GJ_T * air_dried) * _drier(total, air_dried)
    return net - _WATER_GJ_T * total


def _drier(total: Fraction, air_dried: Fraction) -> Fraction:
    if air_dried > total:
        reason = "above moisture_total_percent; drying adds no water: are the two exchanged?"
        raise InputError([f"moisture_ad_percent: {reason}"])
    return (100 - total) / (100 - air_dried)
