"""CF4 and C2F6 from anode effects: slope and overvoltage methods.

Traps kept out (each seen in public code): current efficiency is a percentage (95, not 0.95);
masses stay in kg and become tonnes once, in CO2e; AEM is never replaced by the mean duration.
"""

from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.errors import InputError
from edge.calc.factors import coefficient_rows, gwp_row, gwp_sets
from edge.calc.parameter import Parameter, default, given
from edge.calc.registry import Input, method

EDITIONS = ("ipcc-2006", "ipcc-2019", "cets-04.01", "ndrc-2013")
TECHNOLOGIES = ("CWPB", "SWPB", "VSS", "HSS", "PFPB-L", "PFPB-M")
SITE = "site"
_KG_A_TONNE = 1000
_NAME = Input(is_text=True)
SLOPE_UNIT, FRACTION_UNIT = "(kg CF4/t)/(AE-min/cell-day)", "kg C2F6/kg CF4"
OVERVOLTAGE_UNIT = "(kg CF4/t)/(mV/%)"
_FRACTION = Input(FRACTION_UNIT, low="0", high="1", optional=True)
_OUTPUTS = {"cf4_kg": "kg", "c2f6_kg": "kg", "co2e_t": "tCO2e", "parameters": ""}


@method(
    "pfc.slope",
    version=1,
    source="IPCC 2006 Vol. 3 Eq. 4.26; (EU) 2025/2547 Annex II Eq. 21-22, 26; 40 CFR 98.63 F-2",
    inputs={
        "metal_t": Input("t", low="0"),
        "aem_min_per_cell_day": Input("AE-min/cell-day", low="0", high="1440"),
        "technology": _NAME,
        "edition": _NAME,
        "gwp": _NAME,
        "slope": Input(SLOPE_UNIT, low="0", high="10", optional=True),
        "c2f6_fraction": _FRACTION,
    },
    outputs=_OUTPUTS,
)
def slope(
    *,
    metal_t: Fraction,
    aem_min_per_cell_day: Fraction,
    technology: str,
    edition: str,
    gwp: str,
    slope: Fraction | None = None,
    c2f6_fraction: Fraction | None = None,
) -> dict[str, Any]:
    """PFC by the slope method.

    CF4 [kg] = slope [(kg CF4/t)/(AE-min/cell-day)] × AEM [AE-min/cell-day] × metal [t]
    C2F6 [kg] = CF4 [kg] × fraction [kg C2F6/kg CF4]
    CO2e [t] = (CF4 × GWP_CF4 + C2F6 × GWP_C2F6) ÷ 1000

    AEM is a potline's or plant's mean over the producing cell-days of the metal's period, in
    minutes (0..1440). technology: CWPB, SWPB, VSS, HSS, PFPB-L, PFPB-M; edition: ipcc-2006,
    ipcc-2019, cets-04.01, ndrc-2013, or site with your own slope and c2f6_fraction.

    Covers high-voltage anode effects only: no low-voltage and no start-up emissions.

    Example: 1000 t, 10 AE-min/cell-day, VSS, ipcc-2006, gwp sar: CF4 = 0.092 × 10 × 1000 = 920 kg,
    C2F6 = 920 × 0.053 = 48.76 kg, CO2e = 920 × 6.5 + 48.76 × 9.2 = 6428.592 t (printed 6428.59).
    Source: GHG Protocol/IAI Aluminium Sector GHG Workbook v2.0, Worksheet 8, first example.

    Not confirmed: the coefficients of ipcc-2019 (read as (EU) 2025/2547 prints them, not in the
    Refinement), of ndrc-2013 (read in public ports) and of cets-04.01 (a draft's, withdrawn).
    """
    own = ("slope", slope, SLOPE_UNIT), c2f6_fraction
    factor, fraction = _coefficients("slope", technology, edition, own)
    cf4_kg = factor.value * aem_min_per_cell_day * metal_t
    return _outputs(cf4_kg, ("slope", factor), fraction, gwp)


@method(
    "pfc.overvoltage",
    version=1,
    source="IPCC 2006 Vol. 3 Eq. 4.27; (EU) 2025/2547 Annex II Eq. 24-26; (EU) 2018/2066 "
    "Annex IV section 8 method B",
    inputs={
        "metal_t": Input("t", low="0"),
        "aeo_mv": Input("mV", low="0", high="10000"),
        "current_efficiency_percent": Input("%", low="50", high="100"),
        "technology": _NAME,
        "edition": _NAME,
        "gwp": _NAME,
        "overvoltage": Input(OVERVOLTAGE_UNIT, low="0", high="100", optional=True),
        "c2f6_fraction": _FRACTION,
    },
    outputs=_OUTPUTS,
)
def overvoltage(
    *,
    metal_t: Fraction,
    aeo_mv: Fraction,
    current_efficiency_percent: Fraction,
    technology: str,
    edition: str,
    gwp: str,
    overvoltage: Fraction | None = None,
    c2f6_fraction: Fraction | None = None,
) -> dict[str, Any]:
    """PFC by the overvoltage method.

    CF4 [kg] = OVC [(kg CF4/t)/mV] × AEO [mV] ÷ CE [%] × metal [t]
    C2F6 [kg] = CF4 [kg] × fraction [kg C2F6/kg CF4]
    CO2e [t] = (CF4 × GWP_CF4 + C2F6 × GWP_C2F6) ÷ 1000

    AEO is the integral of (time × voltage above target) over the duration of data collection, a
    cell. CE is in percent (50..100): 0.95 would give a hundred times too much and is refused.
    Defaults exist for CWPB and SWPB (ipcc-2006, ipcc-2019); edition site takes overvoltage and
    c2f6_fraction. SWPB's C2F6 fraction differs from the slope method's in the 2019 generation.

    Covers high-voltage anode effects only: no low-voltage and no start-up emissions.

    Example: 1000 t, 5 mV, 95 %, CWPB, ipcc-2006, gwp sar: CF4 = 1.16 × 5 ÷ 95 × 1000 = 61.0526 kg,
    C2F6 = 0.121 × CF4 = 7.38737 kg, CO2e = 464.806 t.
    Source: GHG Protocol/IAI Aluminium Sector GHG Workbook v2.0, Worksheet 8, second example (it
    shows the efficiency as 0.95, a percent cell; its results only come with 95).

    Not confirmed: the number of the IPCC equation, and the coefficients of ipcc-2019 (read as
    (EU) 2025/2547 prints them). Controllers report a positive and an algebraic AEO, from which time
    below target is subtracted; the workbook's list names both ("CWPB Algebraic AEO", "CWPB Positive
    AEO"), and no text that could be read defines them or says which one a coefficient is for.
    """
    own = ("overvoltage", overvoltage, OVERVOLTAGE_UNIT), c2f6_fraction
    factor, fraction = _coefficients("overvoltage", technology, edition, own)
    cf4_kg = factor.value * aeo_mv / current_efficiency_percent * metal_t
    return _outputs(cf4_kg, ("overvoltage", factor), fraction, gwp)


def _coefficients(
    name: str,
    technology: str,
    edition: str,
    own: tuple[tuple[str, Fraction | None, str], Fraction | None],
) -> tuple[Parameter, Parameter]:
    """Coefficient and C2F6 fraction: the site's own, or the rows of an edition."""
    (key, value, unit), fraction = own
    if edition == SITE:
        if value is None or fraction is None:
            lacking = [k for k, v in ((key, value), ("c2f6_fraction", fraction)) if v is None]
            raise InputError([f"{k}: missing, edition site needs it" for k in lacking])
        return (
            given(value, exact_text(value), unit),
            given(fraction, exact_text(fraction), FRACTION_UNIT),
        )
    problems = [
        f"{k}: only edition site takes it"
        for k, v in ((key, value), ("c2f6_fraction", fraction))
        if v is not None
    ]
    if edition not in EDITIONS:
        problems.append(f"edition: {edition!r} unknown; known: {' '.join(EDITIONS)} {SITE}")
    if technology not in TECHNOLOGIES:
        problems.append(f"technology: {technology!r} unknown; known: {' '.join(TECHNOLOGIES)}")
    if problems:
        raise InputError(problems)
    rows = coefficient_rows(edition, name, technology)
    if rows is None:
        raise InputError([f"technology: {edition} has no {name} coefficient for {technology}"])
    return default(rows[0]), default(rows[1])


def _outputs(
    cf4_kg: Fraction, coefficient: tuple[str, Parameter], fraction: Parameter, gwp: str
) -> dict[str, Any]:
    if gwp not in gwp_sets():
        raise InputError([f"gwp: {gwp!r} unknown; known: {' '.join(gwp_sets())}"])
    gwp_cf4, gwp_c2f6 = default(gwp_row(gwp, "cf4")), default(gwp_row(gwp, "c2f6"))
    c2f6_kg = cf4_kg * fraction.value
    co2e_t = (cf4_kg * gwp_cf4.value + c2f6_kg * gwp_c2f6.value) / _KG_A_TONNE
    name, factor = coefficient
    parameters = {
        name: factor, "c2f6_fraction": fraction, "gwp_cf4": gwp_cf4, "gwp_c2f6": gwp_c2f6
    }  # fmt: skip
    return {
        "cf4_kg": exact_text(cf4_kg),
        "c2f6_kg": exact_text(c2f6_kg),
        "co2e_t": exact_text(co2e_t),
        "parameters": {key: parameter.as_map() for key, parameter in parameters.items()},
    }
