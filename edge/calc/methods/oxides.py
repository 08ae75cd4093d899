"""What calcining gave, by the oxides it left: the factor of clinker and of kiln dust."""

from collections.abc import Mapping
from fractions import Fraction

OXIDES = ("cao", "mgo")
#: name in a statement or method -> unit; all of them in % of the mass of clinker, or of dust
ANALYSES = {
    f"{oxide}{part}_percent": "%" for part in ("", "_noncarbonate") for oxide in OXIDES
}  # fmt: skip


def oxide_factor(analysis: Mapping[str, Fraction], ratios: Mapping[str, Fraction]) -> Fraction:
    """tCO2/t: Σ (oxide - oxide that came of no carbonate, or still holds it) × ratio ÷ 100.

    Args:
        analysis: percent by `ANALYSES`; what is not there counts as none.
        ratios: tCO2 per t of "cao", "mgo"; an oxide without one is not counted.
    """
    return sum(
        (
            (
                analysis.get(f"{oxide}_percent", Fraction(0))
                - analysis.get(f"{oxide}_noncarbonate_percent", Fraction(0))
            )
            * ratio
            / 100
            for oxide, ratio in ratios.items()
        ),
        Fraction(0),
    )


def oxide_problems(analysis: Mapping[str, Fraction]) -> dict[str, str]:
    """What cannot be: key -> reason."""
    problems = {
        f"{oxide}_noncarbonate_percent": f"more than {oxide}_percent itself"
        for oxide in OXIDES
        if analysis.get(f"{oxide}_noncarbonate_percent", 0) > analysis.get(f"{oxide}_percent", 0)
    }
    if (
        0 < analysis.get("cao_percent", 0) < 1
    ):  # Part 98 writes weight fractions; no kiln makes this
        problems["cao_percent"] = "below 1 %: a percentage, not a weight fraction (65.1, not 0.651)"
    if sum(analysis.get(f"{oxide}_percent", Fraction(0)) for oxide in OXIDES) > 100:
        problems["cao_percent"] = "with mgo_percent more than the whole"
    return problems
