"""A month's total as somebody with a pocket calculator would make it, from what a statement prints.

Independent of the product: decimals instead of fractions, each equation written out here.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

CENT = Decimal("0.01")
SUBTRACTED = ("product", "substitute")


def naive_total(statement: Mapping[str, Any]) -> Decimal:
    """The total of a statement.json, from its lines' parameters."""
    with localcontext() as context:
        context.prec = 60
        total = Decimal(0)
        for line in statement["output"]["lines"]:
            emission = _emission(line).quantize(CENT, ROUND_HALF_UP)
            total += -emission if line["category"] in SUBTRACTED else emission
        return total


def _emission(line: Mapping[str, Any]) -> Decimal:
    of = {name: Decimal(parameter["value"]) for name, parameter in line["parameters"].items()}
    amount = Decimal(line["quantity"])
    if line["category"] == "fuel":
        carbon = of.get("carbon_ar", of.get("ncv", 0) * of.get("carbon_content", Decimal(0)))
        return amount * carbon * of.get("oxidation_percent", Decimal(100)) / 100 * 44 / 12
    if line["category"] == "anode":
        return amount * (100 - of["sulfur_percent"] - of["ash_percent"]) / 100 * 44 / 12
    if line["category"] == "pfc":
        return amount * (of["cf4_kg_t"] * of["gwp_cf4"] + of["c2f6_kg_t"] * of["gwp_c2f6"]) / 1000
    return amount * of["factor"]
