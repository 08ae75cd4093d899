"""Natural gas by the AGA8 DETAIL equation of state, in decimals: the same on every processor.

Z = 1 + D B - D_r sum(13..18) C T^-u + sum(13..58) C T^-u (b - k D_r^k) D_r^b exp(-D_r^k), with D
the molar density, D_r = K^3 D, B the second virial coefficient and C, K of the composition (AGA
Report No. 8 Part 1 (2017), which is ISO 12213-2 and GB/T 17747.2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

from edge.calc.methods.aga8_rows import COMPONENTS, NO_PAIR, PAIRS, TERMS, Component, Pair, Term

#: of the report, which is older than CODATA 2018: kJ/(kmol K)
GAS_CONSTANT = Decimal("8.31451")
_DIGITS = 28
_TRIES = 50
#: the higher terms begin here; those before have only a second virial coefficient
_FIRST_HIGHER, _LAST_VIRIAL = 12, 18
_CLOSE = Decimal("1e-15")


@dataclass(frozen=True)
class GasState:
    """A gas at one pressure and temperature.

    Attributes:
        molar_mass: kg/kmol.
        density: kmol/m3.
        z: compressibility.
    """

    molar_mass: Decimal
    density: Decimal
    z: Decimal


@dataclass(frozen=True)
class _Gas:
    """What a composition makes of the equation at one temperature.

    Attributes:
        molar_mass: kg/kmol.
        rt: kJ/kmol.
        virial: B, m3/kmol.
        cube: K^3, m3/kmol.
        higher: C T^-u of the terms from the thirteenth on, with their term.
    """

    molar_mass: Decimal
    rt: Decimal
    virial: Decimal
    cube: Decimal
    higher: tuple[tuple[Decimal, Term], ...]

    def z(self, density: Decimal) -> tuple[Decimal, Decimal]:
        """Compressibility at a density in kmol/m3, and its change with the density's logarithm."""
        reduced = self.cube * density
        powers = [reduced**n for n in range(10)]
        shrinks = [Decimal(1), *((-powers[n]).exp() for n in range(1, 5))]
        z, moved = 1 + density * self.virial, density * self.virial
        for n, (factor, term) in enumerate(self.higher, _FIRST_HIGHER):
            if n < _LAST_VIRIAL:
                z -= reduced * factor
                moved -= reduced * factor
            to_k = powers[term.k] * term.k
            slope = term.b - to_k
            value = factor * powers[term.b] * shrinks[term.k]
            z += value * slope
            moved += value * (slope**2 - to_k * term.k)
        return z, moved


def solve(shares: Mapping[str, Decimal], kelvin: Decimal, kpa: Decimal) -> GasState:
    """The state of a gas of a composition.

    Args:
        shares: mole fractions by name, with the sum 1.
        kelvin: temperature.
        kpa: absolute pressure.

    Raises:
        ValueError: no single gas phase of this state was found.
    """
    with localcontext(Context(prec=_DIGITS)):
        gas = _gas(shares, kelvin)
        log_p, log_d = kpa.ln(), (kpa / gas.rt).ln()
        for _ in range(_TRIES):
            density = log_d.exp()
            z, moved = gas.z(density)
            if z <= 0 or z + moved <= 0:  # pressure falls as the gas gets denser: not one phase
                raise ValueError("the gas would condense")
            step = (log_p - (density * gas.rt * z).ln()) * z / (z + moved)
            log_d += step
            if abs(step) < _CLOSE:
                return GasState(gas.molar_mass, density, z)
        raise ValueError("no density fits")


def _gas(shares: Mapping[str, Decimal], kelvin: Decimal) -> _Gas:
    present = [(COMPONENTS[name], name, share) for name, share in shares.items() if share]
    root_t = kelvin.sqrt()
    half = Decimal("2.5")
    size = sum((x * c.size**half for c, _, x in present), Decimal(0)) ** 2
    energy = sum((x * c.energy**half for c, _, x in present), Decimal(0)) ** 2
    orientation = sum((x * c.orientation for c, _, x in present), Decimal(0))
    quadrupole = sum((x * c.quadrupole for c, _, x in present), Decimal(0))
    hot = sum((x**2 * c.high_temperature for c, _, x in present), Decimal(0))
    virial = Decimal(0)
    for i, (one, name, x) in enumerate(present):
        virial += x**2 * _second_virial(one, one, NO_PAIR, root_t)
        for other, other_name, y in present[i + 1 :]:
            pair = _pair(name, other_name)
            both = 2 * x * y
            virial += both * _second_virial(one, other, pair, root_t)
            size += both * (pair.size**5 - 1) * (one.size * other.size) ** half
            energy += both * (pair.conformal**5 - 1) * (one.energy * other.energy) ** half
            mean = (one.orientation + other.orientation) / 2
            orientation += both * (pair.orientation - 1) * mean
    root_u = (energy ** Decimal("0.2")).sqrt()
    flagged = {"g": orientation, "q": quadrupole**2, "f": hot}
    higher = []
    for term in TERMS[_FIRST_HIGHER:]:
        factor = term.a * (root_u / root_t) ** term.u_twice
        for flag in term.flags.strip("-"):
            factor *= flagged[flag]
        higher.append((factor, term))
    return _Gas(
        molar_mass=sum((x * c.molar_mass for c, _, x in present), Decimal(0)),
        rt=GAS_CONSTANT * kelvin,
        virial=virial,
        cube=size ** Decimal("0.6"),
        higher=tuple(higher),
    )


def _pair(one: str, other: str) -> Pair:
    return PAIRS.get((one, other)) or PAIRS.get((other, one)) or NO_PAIR


def _second_virial(one: Component, other: Component, pair: Pair, root_t: Decimal) -> Decimal:
    """Of two gases (or of one with itself): the first eighteen terms."""
    root_e = (pair.energy * (one.energy * other.energy).sqrt()).sqrt() / root_t
    flagged = {
        "g": pair.orientation * (one.orientation + other.orientation) / 2,
        "q": one.quadrupole * other.quadrupole,
        "f": one.high_temperature * other.high_temperature,
        "s": one.dipole * other.dipole,
        "w": one.association * other.association,
    }
    total = Decimal(0)
    for term in TERMS[:_LAST_VIRIAL]:
        factor = term.a * root_e**term.u_twice
        for flag in term.flags.strip("-"):
            factor *= flagged[flag]
        total += factor
    return total * (one.size * other.size) ** Decimal("1.5")
