"""Flow through an orifice plate from its pressure difference, and how sure its coefficient is."""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import rounded_text, to_decimal
from edge.calc.errors import InputError
from edge.calc.registry import Input, method

_PI = Decimal("3.141592653589793238462643383")
_INCH_MM = Decimal("25.4")
_SMALL_PIPE_MM = Decimal("71.12")
_TAPS = ("corner", "d-d/2", "flange")
_TRIES = 30
_CLOSE = Decimal("1e-15")
_PLACES = 9
_MM = Input("mm, at the working temperature", low="12.5", high="1000")


@dataclass(frozen=True)
class Plate:
    """An orifice plate.

    Attributes:
        pipe_mm: inner diameter.
        beta: bore ÷ pipe.
        up, down: distances of the tappings from the plate, in pipe diameters (L1, L'2).
    """

    pipe_mm: Decimal
    beta: Decimal
    up: Decimal
    down: Decimal

    def coefficient(self, reynolds: Decimal) -> Decimal:
        """Discharge coefficient by Reader-Harris and Gallagher (1998), ISO 5167-2:2003 Eq. 4."""
        b, million = self.beta, Decimal(10) ** 6 / reynolds
        a = (19000 * b / reynolds) ** Decimal("0.8")
        m = 2 * self.down / (1 - b)
        upstream = Decimal("0.043") + Decimal("0.080") * (-10 * self.up).exp()
        upstream -= Decimal("0.123") * (-7 * self.up).exp()
        found = Decimal("0.5961") + Decimal("0.0261") * b**2 - Decimal("0.216") * b**8
        found += Decimal("0.000521") * (million * b) ** Decimal("0.7")
        slope = Decimal("0.0188") + Decimal("0.0063") * a
        found += slope * b ** Decimal("3.5") * million ** Decimal("0.3")
        found += upstream * (1 - Decimal("0.11") * a) * b**4 / (1 - b**4)
        if m:
            bent = m - Decimal("0.8") * m ** Decimal("1.1")
            found -= Decimal("0.031") * bent * b ** Decimal("1.3")
        if self.pipe_mm < _SMALL_PIPE_MM:
            small = Decimal("2.8") - self.pipe_mm / _INCH_MM
            found += Decimal("0.011") * (Decimal("0.75") - b) * small
        return found

    def coefficient_percent(self, reynolds: Decimal) -> Decimal:
        """Relative uncertainty of `coefficient`, expanded, ISO 5167-2:2003 5.3.3.1."""
        b = self.beta
        found = Decimal("0.5")
        if b < Decimal("0.2"):
            found = Decimal("0.7") - b
        elif b > Decimal("0.6"):
            found = Decimal("1.667") * b - Decimal("0.5")
        if self.pipe_mm < _SMALL_PIPE_MM:
            found += (
                Decimal("0.9") * (Decimal("0.75") - b) * (Decimal("2.8") - self.pipe_mm / _INCH_MM)
            )
        if b > Decimal("0.5") and reynolds < 10_000:
            found += Decimal("0.5")
        return found


@method(
    "gas.orifice_flow",
    version=1,
    source="ISO 5167-2:2003 Eq. 1, 4 and 6 (Reader-Harris/Gallagher 1998), 5.3.1 and 5.3.3",
    inputs={
        "pipe_mm": _MM,
        "bore_mm": _MM,
        "taps": Input(is_text=True),
        "dp_pa": Input("Pa", low="0", high="1000000"),
        "pressure_pa": Input("Pa, absolute, upstream", low="10000", high="100000000"),
        "density_kg_m3": Input("kg/m3, upstream", low="0.01", high="2000"),
        "viscosity_pa_s": Input("Pa s", low="0.000001", high="1"),
        "isentropic_exponent": Input("1; left out: a liquid", low="1", high="2", optional=True),
    },
    outputs={"flow_kg_s": "kg/s", "coefficient": "1", "expansibility": "1", "reynolds": "1",
             "coefficient_u_percent": "% of C, k = 2", "expansibility_u_percent": "% of ε, k = 2"},
)  # fmt: skip
def orifice_flow(
    *,
    pipe_mm: Fraction,
    bore_mm: Fraction,
    taps: str,
    dp_pa: Fraction,
    pressure_pa: Fraction,
    density_kg_m3: Fraction,
    viscosity_pa_s: Fraction,
    isentropic_exponent: Fraction | None = None,
) -> dict[str, Any]:
    """Mass flow through a square-edged orifice plate.

    q [kg/s] = C ÷ √(1 - β⁴) × ε × π ÷ 4 × d² [m2] × √(2 × ΔP [Pa] × density [kg/m3])
    ε = 1 - (0.351 + 0.256 β⁴ + 0.93 β⁸) × (1 - ((P - ΔP) ÷ P)^(1 ÷ κ))

    β = d ÷ D, bore over pipe. C by Reader-Harris and Gallagher from β, the tappings and the
    Reynolds number 4 q ÷ (π D viscosity), found by repetition. taps: corner, d-d/2 or flange. κ
    left out: a liquid, ε = 1. Density and pressure upstream; a gas's density by
    gas.compressibility, steam's by steam.properties.

    Range of the standard, refused beyond: D 50..1000 mm, d from 12.5 mm, β 0.1..0.75, (P - ΔP) ÷ P
    from 0.75; Reynolds number from 5000 and, β above 0.56, from 16000 β²; with flange tappings
    from 170 β² D [mm]. The plate's edge, the straight lengths and the pipe's roughness are not
    seen here: where they are not as the standard asks, its uncertainties do not hold either.

    Example: water, D 73.66 mm, d 50 mm, D and D/2 tappings, 200 kPa to 183 kPa, 999.1 kg/m3,
    0.0011 Pa s, κ 1.33: 7.702338 kg/s. Source: the public program fluids 1.3.1 (C. Bell), its
    documentation of differential_pressure_meter_solver.

    Not confirmed: ISO 5167-2's own text could not be read; equations and ranges are as that program
    and others have them, the uncertainties of C and ε are recalled.
    """
    with localcontext(prec=28):
        diameter, bore = to_decimal(pipe_mm), to_decimal(bore_mm)
        plate = _plate(diameter, bore, taps)
        pressure, dp = to_decimal(pressure_pa), to_decimal(dp_pa)
        expansibility = _expansibility(plate.beta, pressure, dp, isentropic_exponent)
        root = (2 * dp * to_decimal(density_kg_m3)).sqrt() * _PI / 4 * (bore / 1000) ** 2
        ideal = root * expansibility / (1 - plate.beta**4).sqrt()
        reynolds_a_flow = 4 / (_PI * diameter / 1000 * to_decimal(viscosity_pa_s))
        coefficient = _solved(plate, ideal * reynolds_a_flow)
        reynolds = ideal * coefficient * reynolds_a_flow
        _check_reynolds(plate, taps, reynolds)
        shown = {
            "flow_kg_s": ideal * coefficient,
            "coefficient": coefficient,
            "expansibility": expansibility,
            "reynolds": reynolds,
            "coefficient_u_percent": plate.coefficient_percent(reynolds),
            "expansibility_u_percent": Decimal(0)
            if isentropic_exponent is None
            else Decimal("3.5") * dp / (to_decimal(isentropic_exponent) * pressure),
        }
    return {name: rounded_text(Fraction(value), _PLACES) for name, value in shown.items()}


def _plate(diameter: Decimal, bore: Decimal, taps: str) -> Plate:
    beta = bore / diameter
    wrong = []
    if taps not in _TAPS:
        wrong.append(f"taps: {taps!r} unknown; known: {' '.join(_TAPS)}")
    if diameter < 50:
        wrong.append("pipe_mm: below 50 mm ISO 5167-2 has no coefficient")
    if not Decimal("0.1") <= beta <= Decimal("0.75"):
        wrong.append(f"bore_mm: bore ÷ pipe is {beta:.3f}, not in 0.1 to 0.75")
    if wrong:
        raise InputError(wrong)
    up, down = {
        "corner": (Decimal(0), Decimal(0)),
        "d-d/2": (Decimal(1), Decimal("0.47")),
        "flange": (_INCH_MM / diameter, _INCH_MM / diameter),
    }[taps]
    return Plate(diameter, beta, up, down)


def _expansibility(
    beta: Decimal, pressure: Decimal, dp: Decimal, exponent: Fraction | None
) -> Decimal:
    if exponent is None:
        return Decimal(1)
    ratio = (pressure - dp) / pressure
    if ratio < Decimal("0.75"):
        raise InputError(
            ["dp_pa: above a quarter of the pressure: ISO 5167-2 has no expansibility"]
        )
    plate = Decimal("0.351") + Decimal("0.256") * beta**4 + Decimal("0.93") * beta**8
    return 1 - plate * (1 - ratio ** (1 / to_decimal(exponent)))


def _solved(plate: Plate, reynolds_if_one: Decimal) -> Decimal:
    """The coefficient that fits the Reynolds number which it makes itself."""
    coefficient = Decimal("0.6")
    for _ in range(_TRIES):
        if not reynolds_if_one:
            break
        found = plate.coefficient(reynolds_if_one * coefficient)
        if abs(found - coefficient) < _CLOSE:
            return found
        coefficient = found
    raise InputError(["dp_pa: no flow whose coefficient fits: below what ISO 5167-2 is for"])


def _check_reynolds(plate: Plate, taps: str, reynolds: Decimal) -> None:
    least = Decimal(5000)
    if taps == "flange":
        least = max(least, 170 * plate.beta**2 * plate.pipe_mm)
    elif plate.beta > Decimal("0.56"):
        least = max(least, 16000 * plate.beta**2)
    if reynolds < least:
        raise InputError([f"dp_pa: Reynolds number {reynolds:.0f} is below {least:.0f}, where "
                          "ISO 5167-2 ends"])  # fmt: skip
