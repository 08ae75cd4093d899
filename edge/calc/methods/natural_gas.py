"""Compressibility of natural gas from its composition."""

from decimal import localcontext
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import rounded_text, to_decimal
from edge.calc.errors import InputError
from edge.calc.methods.aga8 import GasState, solve
from edge.calc.methods.aga8_rows import COMPONENTS
from edge.calc.methods.cems import STANDARD_PA, ZERO_C
from edge.calc.methods.gas import REFERENCES
from edge.calc.registry import Input, method

_PERCENT = Input("mol %", low="0", high="100", optional=True)
#: of the sum of all components: a chromatograph's report is rounded
_SUM_WITHIN = Fraction("0.1")
_METHANE_MIN = 45
_PLACES = 9


@method(
    "gas.compressibility",
    version=1,
    source="AGA Report No. 8 Part 1 (2017) DETAIL, which is ISO 12213-2 and GB/T 17747.2; "
    "parameters as NIST's program has them",
    inputs={
        "pressure_pa": Input("Pa, absolute", low="10000", high="60000000"),
        "temperature_c": Input("°C", low="-50", high="150"),
        "reference": Input(is_text=True),
        **{f"{name}_percent": _PERCENT for name in COMPONENTS},
    },
    outputs={"z_actual": "1", "z_reference": "1, at the reference", "molar_mass_kg_kmol": "kg/kmol",
             "density_kg_m3": "kg/m3, at the meter"},
)  # fmt: skip
def compressibility(
    *, pressure_pa: Fraction, temperature_c: Fraction, reference: str, **percents: Fraction
) -> dict[str, Any]:
    """Compressibility of natural gas at the meter and at a reference state.

    Z = P ÷ (d × R × T), the molar density d from the AGA8 DETAIL equation of state
    density [kg/m3] = d [mol/l] × molar mass [kg/kmol]

    The composition is in mol %, what is left out is none; the sum must be 100 within 0.1 and is
    then divided out. reference: 0C-101.325kPa, 15C-101.325kPa or 20C-101.325kPa. Pressure is
    absolute, 10 kPa to 60 MPa; -50..150 °C. z_actual, z_reference and the molar mass are what
    gas.normalise and gas.dp_compensate take.

    For pipeline gas GB/T 17747.2 gives an uncertainty of about 0.1 %. Below 45 % methane it is no
    natural gas and refused; by-product gases at a few kPa over the barometer are taken as ideal. A
    mixture that would condense is refused where the equation shows it, which is not everywhere.

    Example: NIST's own test of its program: methane 77.824, nitrogen 2, carbon dioxide 6, ethane 8,
    propane 3, isobutane 0.15, n-butane 0.3, isopentane 0.05, n-pentane 0.165, hexane 0.215, heptane
    0.088, octane 0.024, nonane 0.015, decane 0.009, hydrogen 0.4, oxygen 0.5, carbon monoxide 0.2,
    water 0.01, hydrogen sulfide 0.25, helium 0.7, argon 0.1 %, at 50 MPa and 400 K: 20.54333051
    kg/kmol, 12.80792403648801 mol/l, Z = 1.173801364147326.

    Not confirmed: the ranges of pressure, temperature and methane are ours; neither the report's
    own table of ranges nor ISO 12213-2's worked examples could be read.
    """
    shares = _shares(reference, percents)
    at_meter = _solved(shares, pressure_pa, ZERO_C + temperature_c)
    at_reference = _solved(shares, Fraction(STANDARD_PA), ZERO_C + REFERENCES[reference])
    shown = {
        "z_actual": at_meter.z,
        "z_reference": at_reference.z,
        "molar_mass_kg_kmol": at_meter.molar_mass,
        "density_kg_m3": at_meter.density * at_meter.molar_mass,
    }
    return {name: rounded_text(Fraction(value), _PLACES) for name, value in shown.items()}


def _shares(reference: str, percents: dict[str, Fraction]) -> dict[str, Fraction]:
    """Mole fractions that sum to 1, or a refusal."""
    total = sum(percents.values(), Fraction(0))
    wrong = []
    if reference not in REFERENCES:
        wrong.append(f"reference: {reference!r} unknown; known: {' '.join(REFERENCES)}")
    if abs(total - 100) > _SUM_WITHIN:
        said = f"all components are {rounded_text(total, 3)} %, not 100"
        wrong.append(f"methane_percent: {said}")
    elif percents.get("methane_percent", Fraction(0)) < _METHANE_MIN:
        wrong.append(f"methane_percent: below {_METHANE_MIN} %, no natural gas: AGA8 is not for it")
    if wrong:
        raise InputError(wrong)
    return {name.removesuffix("_percent"): value / total for name, value in percents.items()}


def _solved(shares: dict[str, Fraction], pressure_pa: Fraction, kelvin: Fraction) -> GasState:
    with localcontext(prec=28):
        decimals = {name: to_decimal(share) for name, share in shares.items()}
        try:
            return solve(decimals, to_decimal(kelvin), to_decimal(pressure_pa / 1000))
        except ValueError as error:
            raise InputError([f"pressure_pa: no gas of this state: {error}"]) from error
