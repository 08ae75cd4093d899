"""What a plant may emit, of its [[plant]] table. Pure."""

from fractions import Fraction

from cloud.accumulated.outlook import Allowance
from firmware_configs.fields import Fields


def read_allowance(fields: Fields) -> Allowance:
    """Of a year, or per tonne; a number above zero as text. Mistakes are told to `fields`."""
    found: dict[str, Fraction | None] = {}
    for key in ("allowance_t", "benchmark_t_t"):
        found[key] = Fraction(fields.decimal(key, default="1")) if fields.has(key) else None
        if (value := found[key]) is not None and value <= 0:
            fields.complain(key, "must be above zero")
    if all(found.values()):
        fields.complain("benchmark_t_t", "give it or allowance_t, not both")
    return Allowance(found["allowance_t"], found["benchmark_t_t"])
