"""What stands for the hours that a CEMS did not measure, by rule set. Pure.

HJ 75 fills the hour's mass (排放量), the others the concentration, which then needs the hour's own
flow: an hour without one stays missing. Hours in which the unit did not run are in none of it: the
hours before and after a gap, and those looked back to, are hours in which it ran.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from edge.calc.errors import InputError
from edge.calc.methods.substitution import (
    HJ_2007,
    HJ_2017,
    MISSING,
    MRR,
    Hour,
    availability,
    look_back_maximum,
    mean_and_deviations,
    neighbours_mean,
    part_75_co2,
)


@dataclass(frozen=True)
class Operating:
    """One hour in which the unit ran.

    Attributes:
        co2_percent: as measured, None where it does not count.
        carrier: t/h of CO2 a percent, None where the flow does not count.
    """

    co2_percent: Fraction | None
    carrier: Fraction | None

    @property
    def rate(self) -> Fraction | None:
        """t/h of CO2, of a measured hour only."""
        if self.co2_percent is None or self.carrier is None:
            return None
        return self.co2_percent * self.carrier


def filled(
    hours: Sequence[Operating],
    rules: str,
    percent: Fraction | None = None,
    maximum: Fraction | None = None,
) -> list[Hour]:
    """Rates in t/h of CO2 with their codes.

    Args:
        hours: in time order.
        rules: one of `cems.RULES`.
        percent: capture rate or monitor data availability; that of these hours when left out.
        maximum: maximum potential CO2 concentration, which 40 CFR 75 needs below 80 %.

    Raises:
        InputError: the rules need a maximum and have none.
    """
    if rules in {HJ_2007, HJ_2017}:
        rates = [hour.rate for hour in hours]
        if rules == HJ_2007:
            return neighbours_mean(rates)
        return look_back_maximum(rates, percent if percent is not None else share_of(rates))
    concentrations = [hour.co2_percent for hour in hours]
    if rules == MRR:
        made = mean_and_deviations(concentrations)
    else:
        if maximum is None:
            raise InputError([f"maximum_potential: missing, {rules} needs it"])
        known = percent if percent is not None else share_of(concentrations)
        made = part_75_co2(concentrations, known, maximum)
    return [
        Hour(None, MISSING) if value.value is None or hour.carrier is None
        else Hour(value.value * hour.carrier, value.code)
        for hour, value in zip(hours, made, strict=True)
    ]  # fmt: skip


def share_of(readings: Sequence[Fraction | None]) -> Fraction:
    """Percent of the operating hours that were measured, to 0.1; 0 of none."""
    there = sum(value is not None for value in readings)
    return availability(there, len(readings)) if readings else Fraction(0)
