"""A part of a month or year against its allowance: projected by the days that are over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.errors import InputError
from edge.calc.local_instant import month_edges
from edge.calc.registry import Input, method


@dataclass(frozen=True)
class Projection:
    """Where a period ends if it goes on as it began.

    Attributes:
        emission_t, output_t: of the whole period; output 0 when none was given.
        allowance_t: fixed, or projected output × benchmark.
        is_over: all of the period has passed: nothing is projected.
    """

    emission_t: Fraction
    output_t: Fraction
    allowance_t: Fraction
    is_over: bool = False

    @property
    def balance_t(self) -> Fraction:
        """Allowance less emission: below zero it does not suffice."""
        return self.allowance_t - self.emission_t

    def as_map(self) -> dict[str, Any]:
        """Decimal strings; tonnes to 2 decimals."""
        balance = self.balance_t
        texts = {
            "emission_t": self.emission_t, "allowance_t": self.allowance_t, "balance_t": balance
        }  # fmt: skip
        result: dict[str, Any] = {key: rounded_text(v, 2) for key, v in texts.items()}
        if self.output_t:
            result["output_t"] = rounded_text(self.output_t, 2)
        what = "Emitted:" if self.is_over else "Going on as until now:"
        end = "short" if balance < 0 else "left over"
        sentence = (
            f"{what} {result['emission_t']} t against an allowance of {result['allowance_t']} t, "
            f"{rounded_text(abs(balance), 2)} t {end}."
        )
        return {**result, "sentence": sentence}


def project(
    emission_t: Fraction,
    days: tuple[Fraction, Fraction],
    *,
    output_t: Fraction = Fraction(0),
    benchmark_t_t: Fraction | None = None,
    allowance_t: Fraction | None = None,
) -> Projection:
    """The whole period by what passed of it.

    Args:
        emission_t: until now.
        days: that are over, and of the whole period.
        output_t: until now.
        benchmark_t_t: allowance per tonne of output; it or the next.
        allowance_t: of the whole period.

    Raises:
        InputError: keys elapsed_days, allowance_t, output_t.
    """
    passed, whole = days
    if not 0 < passed <= whole:
        raise InputError(["elapsed_days: must be above zero and at most the whole period's"])
    if (benchmark_t_t is None) == (allowance_t is None):
        raise InputError(["allowance_t: give exactly one of allowance_t and benchmark_t_t"])
    if benchmark_t_t is not None and not output_t:
        raise InputError(["output_t: a benchmark is per tonne of output: missing, or zero"])
    scale = whole / passed
    fixed = allowance_t if allowance_t is not None else Fraction(0)
    by_output = output_t * scale * benchmark_t_t if benchmark_t_t is not None else fixed
    return Projection(emission_t * scale, output_t * scale, by_output, passed == whole)


def elapsed_days(source: Mapping[str, Any]) -> Fraction:
    """Days of its month that a statement's input covers: all, or an interim one's `period`.

    Raises:
        InputError: key period, of an interim statement that has none.
    """
    first, last = month_edges(source["month"])
    if source.get("closing") != "interim":
        return _days(last - first)
    try:
        period = source["period"]
        span = datetime.fromisoformat(period["to"]) - datetime.fromisoformat(period["from"])
    except (KeyError, TypeError, ValueError):
        raise InputError(["period: an interim month needs from and to to be projected"]) from None
    return _days(span)


def whole_days(month: str, *, is_year: bool = False) -> Fraction:
    """Days of a month, or of its year."""
    year = month[:4]
    if is_year:
        return _days(month_edges(f"{year}-12")[1] - month_edges(f"{year}-01")[0])
    first, last = month_edges(month)
    return _days(last - first)


def _days(span: timedelta) -> Fraction:
    return Fraction(span.days * 86_400 + span.seconds, 86_400)


@method(
    "allowance.project",
    version=1,
    source="Proportion of days; allowance = output × benchmark (allocation plan of 2024 and 2025)",
    inputs={
        "emission_t": Input("tCO2e"),
        "elapsed_days": Input("d", low="0", high="366"),
        "whole_days": Input("d", low="1", high="366"),
        "output_t": Input("t", low="0", optional=True),
        "benchmark_t_t": Input("tCO2e/t", low="0", optional=True),
        "allowance_t": Input("tCO2e", low="0", optional=True),
    },
    outputs={"emission_t": "tCO2e", "allowance_t": "tCO2e", "balance_t": "tCO2e"},
)
def allowance_project(
    *, emission_t: Fraction, elapsed_days: Fraction, whole_days: Fraction, **more: Fraction
) -> dict[str, Any]:
    """Where a month or year ends against its allowance if it goes on as it began.

    projected [tCO2e] = emission × whole days ÷ elapsed days
    balance [tCO2e] = allowance - projected; allowance = output × whole ÷ elapsed × benchmark

    The allowance is fixed (allowance_t) or by output (benchmark_t_t with the output until now). A
    shutdown to come, or one that is over, is not in it: the projection knows days, no plans.

    Example: 30000 t in 10 of 30 days with 20000 t of output at 1.6 t/t: 90000 t against 60000 × 1.6
    = 96000 t, 6000 t left over (by hand).

    Not confirmed: the benchmarks themselves are given by whoever asks; none is in this program.
    """
    found = project(emission_t, (elapsed_days, whole_days), **more)
    return {
        "emission_t": exact_text(found.emission_t),
        "allowance_t": exact_text(found.allowance_t),
        "balance_t": exact_text(found.balance_t),
    }
