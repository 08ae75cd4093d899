"""Water and steam by IAPWS-IF97, in exact fractions: the same digits on every processor.

Density and enthalpy are rational in pressure and temperature in regions 1 (water) and 2 (steam),
and so is the saturation line but for its roots; no logarithm and no binary float is needed. Near
and above the critical point (region 3) and above 800 °C (region 5) nothing is computed.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from edge.calc.methods.if97_rows import (
    BOUNDARY_23,
    REGION_1,
    REGION_2,
    REGION_2_IDEAL,
    REGION_4,
    Term,
)
from edge.calc.root import root

GAS_CONSTANT = Fraction("0.461526")  # kJ/(kg K), Eq. 1
ZERO_C = Fraction("273.15")
CRITICAL_MPA = Fraction("22.064")
#: where region 3 begins
WATER_MAX_K = Fraction("623.15")
#: temperatures of saturation are cut here, far below what the formulation is sure of (30 mK)
_SATURATION_STEP = 10**9


@dataclass(frozen=True)
class State:
    """Water or steam at one pressure and temperature.

    Attributes:
        region: of IF97: 1 water, 2 steam.
        volume: specific volume, m3/kg.
        enthalpy: specific, kJ/kg; 0 for water at the triple point, as steam tables have it.
    """

    region: int
    volume: Fraction
    enthalpy: Fraction


def water(mpa: Fraction, kelvin: Fraction) -> State:
    """Region 1 (Eq. 7): up to 623.15 K, at or above the saturation pressure."""
    pi, tau = mpa / Fraction("16.53"), 1386 / kelvin
    # the release takes 7.1 - pi: its derivative by pi has the other sign
    by_pi = -_sum(REGION_1, Fraction("7.1") - pi, tau - Fraction("1.222"), (1, 0))
    by_tau = _sum(REGION_1, Fraction("7.1") - pi, tau - Fraction("1.222"), (0, 1))
    return _state(1, mpa, kelvin, (pi * by_pi, tau * by_tau))


def steam(mpa: Fraction, kelvin: Fraction) -> State:
    """Region 2 (Eq. 15-17): at or below the saturation pressure, or `boundary_23_mpa`."""
    pi, tau = mpa, 540 / kelvin
    by_pi = 1 / pi + _sum(REGION_2, pi, tau - Fraction("0.5"), (1, 0))
    by_tau = _sum(REGION_2_IDEAL, pi, tau, (0, 1))
    by_tau += _sum(REGION_2, pi, tau - Fraction("0.5"), (0, 1))
    return _state(2, mpa, kelvin, (pi * by_pi, tau * by_tau))


def _state(
    region: int, mpa: Fraction, kelvin: Fraction, reduced: tuple[Fraction, Fraction]
) -> State:
    """V = RT/p × pi × gamma_pi (R in kJ: ÷ 1000 to MPa); h = RT × tau × gamma_tau."""
    rt = GAS_CONSTANT * kelvin
    return State(region, rt / mpa / 1000 * reduced[0], rt * reduced[1])


def _sum(terms: Iterable[Term], x: Fraction, y: Fraction, by: tuple[int, int]) -> Fraction:
    """Sum of n x^I y^J, derived once by x or once by y."""
    x_power, y_power = _powers(x), _powers(y)
    total = Fraction(0)
    for i, j, n in terms:
        derived = n * i if by[0] else n * j
        if derived:
            total += derived * x_power(i - by[0]) * y_power(j - by[1])
    return total


def _powers(base: Fraction) -> Callable[[int], Fraction]:
    """Powers of one number, each made once."""
    known: dict[int, Fraction] = {}

    def power(exponent: int) -> Fraction:
        if exponent not in known:
            known[exponent] = base**exponent
        return known[exponent]

    return power


def saturation_mpa(kelvin: Fraction) -> Fraction:
    """Saturation pressure, 273.15 K to 647.096 K (Eq. 30)."""
    n = (Fraction(0), *REGION_4)
    theta = kelvin + n[9] / (kelvin - n[10])
    a = theta**2 + n[1] * theta + n[2]
    b = n[3] * theta**2 + n[4] * theta + n[5]
    c = n[6] * theta**2 + n[7] * theta + n[8]
    return (2 * c / (-b + root(b**2 - 4 * a * c))) ** 4


def saturation_kelvin(mpa: Fraction) -> Fraction:
    """Saturation temperature, 611.213 Pa to 22.064 MPa (Eq. 31), to 1e-9 K."""
    n = (Fraction(0), *REGION_4)
    beta = root(root(mpa))
    e = beta**2 + n[3] * beta + n[6]
    f = n[1] * beta**2 + n[4] * beta + n[7]
    g = n[2] * beta**2 + n[5] * beta + n[8]
    d = 2 * g / (-f - root(f**2 - 4 * e * g))
    whole = n[10] + d
    found = (whole - root(whole**2 - 4 * (n[9] + n[10] * d))) / 2
    return Fraction(round(found * _SATURATION_STEP), _SATURATION_STEP)


def boundary_23_mpa(kelvin: Fraction) -> Fraction:
    """The pressure above which steam of this temperature is region 3 (Eq. 5)."""
    n = BOUNDARY_23
    return n[0] + n[1] * kelvin + n[2] * kelvin**2
