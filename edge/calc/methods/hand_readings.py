"""A totaliser's difference from two readings a person took, with how far each is from the month."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.errors import InputError
from edge.calc.local_instant import month_edges, read_instant
from edge.calc.registry import Input, method


@dataclass(frozen=True)
class Difference:
    """What a totaliser counted between two readings.

    Attributes:
        quantity: last minus first, times the multiplier.
        first_after_start_s: how long after the month began it was read; below zero before.
        last_before_end_s: how long before the month ended; below zero after.
        rolled: the counter went over its end once.
    """

    quantity: Fraction
    first_after_start_s: int
    last_before_end_s: int
    rolled: bool


def difference(
    first: Fraction,
    last: Fraction,
    month: str,
    at: tuple[datetime, datetime],
    *,
    multiplier: Fraction = Fraction(1),
    rolls_at: Fraction | None = None,
) -> Difference:
    """Last minus first.

    Raises:
        InputError: keys last, last_at, rolls_at.
    """
    if at[0] >= at[1]:
        raise InputError(["last_at: must be after first_at"])
    if rolls_at is not None and rolls_at <= max(first, last):
        raise InputError(["rolls_at: must be above both readings: where the counter begins anew"])
    rolled = last < first
    if rolled and rolls_at is None:
        raise InputError([
            "last: below first, and a totaliser only counts up: give rolls_at if it went over its "
            "end once; if it was exchanged, give the sum of both pieces as quantity"
        ])  # fmt: skip
    counted = last - first + (rolls_at if rolled and rolls_at is not None else 0)
    start, end = month_edges(month)
    after, before = at[0] - start, end - at[1]
    return Difference(
        counted * multiplier,
        after.days * 86_400 + after.seconds,
        before.days * 86_400 + before.seconds,
        rolled,
    )


@method(
    "totaliser.difference",
    version=1,
    source="Practice of the national energy-monitoring scheme (month = difference of readings)",
    inputs={
        "first": Input("unit of the meter", low="0"),
        "last": Input("unit of the meter", low="0"),
        "multiplier": Input("unit of the quantity per unit of the meter", low="0", optional=True),
        "rolls_at": Input("unit of the meter", low="0", optional=True),
        "month": Input(is_text=True),
        "first_at": Input(is_text=True),
        "last_at": Input(is_text=True),
    },
    outputs={
        "quantity": "unit of the quantity",
        "first_after_start_s": "s",
        "last_before_end_s": "s",
    },
)
def totaliser_difference(
    *, first: Fraction, last: Fraction, month: str, first_at: str, last_at: str, **more: Fraction
) -> dict[str, Any]:
    """What a totaliser counted in a month, and how far its two readings are from the month's edges.

    quantity [unit] = (last - first [+ rolls_at when last is below first]) × multiplier

    The multiplier turns the meter's unit into the quantity's (current × voltage ratio, pulse
    weight, kg to t); 1 when left out. Instants are local, like 2026-06-01T00:03; seconds below zero
    lie outside the month. Ages do not move the quantity: more than an hour needs period.bridge.

    Example: 998500 on 2026-06-01T00:03 and 1200 on 2026-07-01T00:00, a counter of six digits,
    in kWh to MWh (0.001): (1200 - 998500 + 1000000) × 0.001 = 2.7 MWh; 180 s after the month's
    start, 0 s before its end (by hand).

    Not confirmed: nothing; it is arithmetic.
    """
    try:
        at = read_instant(first_at), read_instant(last_at)
        month_edges(month)
    except ValueError as error:
        raise InputError([f"first_at, last_at, month: {error}"]) from error
    found = difference(first, last, month, at, **more)
    return {
        "quantity": exact_text(found.quantity),
        "first_after_start_s": str(found.first_after_start_s),
        "last_before_end_s": str(found.last_before_end_s),
    }
