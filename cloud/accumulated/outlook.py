"""Where a month and its year end against their allowance if they go on as they began. Pure.

By days alone (`allowance.project`): what was counted so far × days of the whole ÷ days counted.
It knows no plans, no shutdowns, no seasons. Nothing is projected of less than an hour. A month of
which a part is missing is projected without it, says so, and is compared with no allowance: it
would look better than it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import rounded_text
from edge.calc.methods.allowance import project, whole_days

_DAY_NS = 86_400 * 10**9
LEAST_DAYS = Fraction(1, 24)
_ALL_COVERED = "100.00"


@dataclass(frozen=True)
class Allowance:
    """What a plant may emit; one of both, or neither where nobody said.

    Attributes:
        year_t: fixed, tCO2e of a calendar year.
        benchmark_t_t: tCO2e per tonne of output.
    """

    year_t: Fraction | None = None
    benchmark_t_t: Fraction | None = None


@dataclass(frozen=True)
class PlantSaid:
    """What CLOUD.toml says of a plant's figures.

    Attributes:
        allowance: what it may emit.
        accuracy: how sure its meters and factors are, None where nothing is said.
    """

    allowance: Allowance = Allowance()
    accuracy: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Counted:
    """What was counted in some days.

    Attributes:
        days: over which.
        emission_t: tCO2e, or tCO2 where no other gas is counted.
        output_t: main product; None where it has no figure.
        is_whole: nothing that belongs to it is missing.
    """

    days: Fraction
    emission_t: Fraction
    output_t: Fraction | None
    is_whole: bool = True


def counted_of(period: Mapping[str, Any], through_ns: int) -> Counted | None:
    """A period of `LiveSums.as_map` until its newest tick; None where it has no total."""
    if period["total_t"] is None:
        return None
    output = period["output_t"]
    return Counted(
        Fraction(through_ns + 1 - period["since_ns"], _DAY_NS),
        Fraction(period["total_t"]),
        Fraction(output) if output is not None else None,
        not period["missing"],
    )


def with_indicator(period: Mapping[str, Any], through_ns: int) -> Counted | None:
    """The same with the clinker that a kiln feed indicates; None where nothing has that."""
    beside = period.get("indicator", {})
    if "total_t" not in beside:
        return None
    lacking = [] if beside["covered_percent"] == _ALL_COVERED else ["kiln feed"]
    return counted_of({**period, "total_t": beside["total_t"], "missing": lacking}, through_ns)


def outlook(
    month: str, now: Counted | None, before: Mapping[str, Counted], allowance: Allowance
) -> dict[str, Any]:
    """Projection of a month and of its calendar year, JSON-ready.

    Args:
        month: "YYYY-MM".
        now: what was counted of it.
        before: months of that year before it whose final statement is sealed.
        allowance: of the plant.
    """
    if now is None:
        return {"month": {"reason": "no-total"}, "year": {"reason": "no-total"}}
    year, due = month[:4], int(month[5:]) - 1
    earlier = [f"{year}-{n:02}" for n in range(1, due + 1)]
    days = whole_days(month), whole_days(month, is_year=True)
    of_month = None if allowance.year_t is None else allowance.year_t * days[0] / days[1]
    whole = _sum([*(before[m] for m in earlier if m in before), now])
    return {
        "month": _projected(now, days[0], of_month, allowance.benchmark_t_t),
        "year": {
            **_projected(whole, days[1], allowance.year_t, allowance.benchmark_t_t),
            "sealed_months": [m for m in earlier if m in before],
            "months_not_counted": [m for m in earlier if m not in before],
        },
    }


def _sum(parts: Sequence[Counted]) -> Counted:
    outputs = [part.output_t for part in parts if part.output_t is not None]
    return Counted(
        sum((part.days for part in parts), Fraction(0)),
        sum((part.emission_t for part in parts), Fraction(0)),
        sum(outputs, Fraction(0)) if len(outputs) == len(parts) else None,
        all(part.is_whole for part in parts),
    )


def _projected(
    now: Counted, whole: Fraction, fixed_t: Fraction | None, benchmark: Fraction | None
) -> dict[str, Any]:
    days = {"days": rounded_text(now.days, 4), "of_days": rounded_text(whole, 4)}
    if now.days < LEAST_DAYS:
        return {"reason": "too-soon", **days}
    passed = min(now.days, whole)
    result: dict[str, Any] = {"method": "by-days", **days, "is_whole": now.is_whole}
    result["emission_t"] = rounded_text(now.emission_t * whole / passed, 2)
    if now.output_t:
        result["output_t"] = rounded_text(now.output_t * whole / passed, 2)
    if fixed_t is None and benchmark is None:
        return {**result, "no_allowance": "not-given"}
    if not now.is_whole:
        return {**result, "no_allowance": "incomplete"}
    if benchmark is not None and not now.output_t:
        return {**result, "no_allowance": "no-output"}
    made = project(
        now.emission_t, (passed, whole), output_t=now.output_t or Fraction(0),
        benchmark_t_t=benchmark, allowance_t=fixed_t,
    )  # fmt: skip
    shown = {"allowance_t": made.allowance_t, "balance_t": made.balance_t}
    if benchmark is not None:
        result["benchmark_t_t"] = rounded_text(benchmark, 4)
    return {**result, **{key: rounded_text(value, 2) for key, value in shown.items()}}
