"""What a factor's mean over lines and months is weighted with. Pure.

With what it is multiplied by: heating values with the amount, carbon per heat with the heat,
oxidation with the carbon. Then the means of a year give back the year's emission, but for rounding
(加权反算; in no guideline's text that could be read, and not seen in the one workbook that was,
whose factors were the same in all its months).
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

Line = Mapping[str, Any]

#: factor -> parameters whose product weighs it, the first of several that a line has all of
_WEIGHTS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "ncv": (("quantity",),),
    "carbon_content": (("quantity", "ncv"),),
    "carbon_ar": (("quantity",),),
    "oxidation_percent": (("quantity", "ncv", "carbon_content"), ("quantity", "carbon_ar")),
    "factor": (("quantity",),),
    "purity_percent": (("quantity",),),
    "loss_percent": (("gross_t",),),
    "sulfur_percent": (("quantity",),),
    "ash_percent": (("quantity",),),
    "cf4_kg_t": (("quantity",),),
    "c2f6_kg_t": (("quantity",),),
}
#: factors that have a mean, in the order they are told
FACTORS = tuple(_WEIGHTS)


def weight_of(line: Line, factor: str) -> Fraction | None:
    """What a line's factor counts in a mean; None where the line lacks it, or what weighs it.

    Args:
        line: of a statement's output.
        factor: name of a parameter.
    """
    for names in _WEIGHTS.get(factor, ()):
        values = [_number(line, name) for name in names]
        if factor in line["parameters"] and all(value is not None for value in values):
            weight = Fraction(1)
            for value in values:
                weight *= value if value is not None else 0
            return weight
    return None


def _number(line: Line, name: str) -> Fraction | None:
    """The line's own quantity, else a parameter."""
    if name == "quantity":
        return Fraction(line["quantity"])
    parameter = line["parameters"].get(name)
    return None if parameter is None else Fraction(parameter["value"])
