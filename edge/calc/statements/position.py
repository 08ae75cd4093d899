"""A plant's allowances against its emission of a year, what that is worth, and what if. Pure.

Emission is output × intensity; an allowance by benchmark is output × benchmark (allocation by
intensity), a fixed one stays what it is. Surplus is above zero, what is short below. Money is a
decimal with its currency, rounded half up to the hundredth; whose price it is, the asker knows.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text, parse_decimal, rounded_text
from edge.calc.errors import InputError
from edge.calc.factors import Row, rule_set
from edge.calc.methods.allowance import elapsed_days, whole_days
from edge.calc.statements.annual import YEAR_RULES, lacking_in

CHANGES = ("output", "intensity", "price")
CURRENCY = re.compile(r"[A-Z]{3}")
_CHANGE = re.compile(r"([+-])([0-9]{1,6}(?:\.[0-9]{1,6})?)%")
_LOSS_PERCENT_MAX = 100
#: what is said by people, none of it below zero
_GIVEN = ("allowance_t", "benchmark_t_t", "held_t", "verified_before_t", "price")


@dataclass(frozen=True)
class Year:
    """What a position is made of.

    Attributes:
        year: "YYYY".
        emission_t: tCO2e of the whole year, projected or counted.
        output_t: main product, t; None where it has no figure.
        allowance_t: fixed; or
        benchmark_t_t: tCO2e of allowance per tonne of output; or neither, for a year whose
            allowances are its verified emission.
        held_t: allowances on the account, None where nobody said.
        verified_before_t: verified emission of the year before, for what is issued beforehand.
        price: of an allowance, None where nobody said.
        currency: ISO 4217.
        days: over which it was counted, where it is projected by days (`allowance.project`).
        lacks: what belongs to the emission and is not in it: the balance looks better than it is.
    """

    year: str
    emission_t: Fraction
    output_t: Fraction | None = None
    allowance_t: Fraction | None = None
    benchmark_t_t: Fraction | None = None
    held_t: Fraction | None = None
    verified_before_t: Fraction | None = None
    price: Fraction | None = None
    currency: str = "CNY"
    days: Fraction | None = None
    lacks: tuple[str, ...] = ()


def position(year: Year, changes: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The position, and beside it what it would be with other figures.

    Args:
        year: what it is made of.
        changes: "output", "intensity" or "price" -> "+5%", "-2.5%", or the value itself.

    Returns:
        Decimal strings: emission, output, intensity, allowance with its basis, balance (t, and
        percent of the emission), "worth" with its currency; "what_if" of the same with its
        "difference" where changes are given.

    Raises:
        InputError: no allowance can be told of this year; a figure below zero; a change that is
            none.
    """
    if not CURRENCY.fullmatch(year.currency):
        raise InputError([f"currency: {year.currency!r} is no code like CNY"])
    if below := [name for name in _GIVEN if (getattr(year, name) or 0) < 0]:
        raise InputError([f"{name}: below zero" for name in below])
    now = _position(year)
    if not changes:
        return now
    then = _position(_changed(year, changes))
    both = [key for key in ("emission_t", "allowance_t", "balance_t", "worth") if key in now]
    apart = {key: rounded_text(Fraction(then[key]) - Fraction(now[key]), 2) for key in both}
    return {**now, "what_if": {"changes": dict(changes), **then, "difference": apart}}


def is_change(text: str) -> bool:
    """A change such as +5%, or a value that is not below zero."""
    try:
        _value("", text, Fraction(1))
    except InputError:
        return False
    return True


def whole_year(statement: Mapping[str, Any], sources: Sequence[Mapping[str, Any]]) -> Year:
    """The year of some months, projected by days where they are not all of it.

    Args:
        statement: of `annual.annual_statement`.
        sources: inputs of its months' statements.

    Raises:
        InputError: an interim month does not say what it covers, or covers nothing.
    """
    passed = sum(map(elapsed_days, sources), Fraction(0))
    if passed <= 0:
        raise InputError(["period: the months cover no time yet"])
    scale = whole_days(f"{statement['year']}-01", is_year=True) / passed
    output = statement.get("output_t")
    return Year(
        statement["year"],
        Fraction(statement["totals"]["total_t"]) * scale,
        None if output is None else Fraction(output) * scale,
        days=passed,
        lacks=tuple(lacking_in(statement["flags"])),
    )


def _position(year: Year) -> dict[str, Any]:
    allowance, basis = _allowance(year)
    balance = allowance - year.emission_t
    result: dict[str, Any] = {"year": year.year, "emission_t": rounded_text(year.emission_t, 2)}
    if year.output_t:
        result["output_t"] = rounded_text(year.output_t, 2)
        result["intensity"] = rounded_text(year.emission_t / year.output_t, 4)
    result |= {"allowance_t": rounded_text(allowance, 2), "basis": basis}
    if year.days is not None:
        whole = whole_days(f"{year.year}-01", is_year=True)
        told = {"days": rounded_text(year.days, 4), "of_days": rounded_text(whole, 4)}
        result["projection"] = {"method": "by-days" if year.days < whole else "counted", **told}
    if year.benchmark_t_t is not None:
        result["benchmark_t_t"] = exact_text(year.benchmark_t_t)
    result["balance_t"] = rounded_text(balance, 2)
    if year.emission_t:
        result["balance_percent"] = rounded_text(balance / year.emission_t * 100, 2)
    state = "short" if balance < 0 else "surplus" if balance else "even"
    result |= {"state": "incomplete" if year.lacks else state, "lacks": list(year.lacks)}
    if year.held_t is not None:
        owed = year.emission_t - year.held_t
        result |= {"held_t": exact_text(year.held_t), "still_to_hold_t": rounded_text(owed, 2)}
    row = _rows().get(f"allowance.{year.year}.preallocated_share")
    if row is not None and year.verified_before_t is not None:
        issued = year.verified_before_t * row.value
        result["preallocated"] = {"t": rounded_text(issued, 2), **_told(row)}
    if year.price is not None:
        result |= {"price": exact_text(year.price), "currency": year.currency}
        result["worth"] = rounded_text(balance * year.price, 2)
    return result


def _allowance(year: Year) -> tuple[Fraction, dict[str, str]]:
    if year.allowance_t is not None and year.benchmark_t_t is not None:
        raise InputError(["allowance: give a fixed one or a benchmark, not both"])
    if year.allowance_t is not None:
        return year.allowance_t, {"how": "fixed", "confidence": "given"}
    if year.benchmark_t_t is not None:
        if not year.output_t:
            raise InputError(["output: a benchmark is per tonne of output: missing, or zero"])
        return year.output_t * year.benchmark_t_t, {"how": "benchmark", "confidence": "given"}
    row = _rows().get(f"allowance.{year.year}.verified_share")
    if row is None:
        raise InputError(
            [f"allowance: {year.year}'s is in no source that could be read; give the benchmark or "
             "the tonnes of the plant's own notice"]
        )  # fmt: skip
    return year.emission_t * row.value, {"how": "verified-emission", **_told(row)}


def _changed(year: Year, changes: Mapping[str, str]) -> Year:
    if unknown := changes.keys() - set(CHANGES):
        known = " ".join(CHANGES)
        raise InputError([f"{key}: no such change; known: {known}" for key in sorted(unknown)])
    if not year.output_t and (changes.keys() & {"output", "intensity"}):
        raise InputError(["output: it has no figure, so it cannot be changed"])
    if year.price is None and "%" in changes.get("price", ""):
        raise InputError(["price: there is none to change; give it first"])
    output = year.output_t or Fraction(0)
    intensity = year.emission_t / output if output else Fraction(0)
    made = {
        "output": _value("output", changes.get("output"), output),
        "intensity": _value("intensity", changes.get("intensity"), intensity),
    }
    price = changes.get("price")
    return replace(
        year,
        output_t=made["output"] if output else year.output_t,
        emission_t=made["output"] * made["intensity"] if output else year.emission_t,
        price=year.price if price is None else _value("price", price, year.price or Fraction(0)),
    )


def _value(name: str, text: str | None, now: Fraction) -> Fraction:
    """A value given as a share of what it is now, or by itself."""
    if text is None:
        return now
    if share := _CHANGE.fullmatch(text):
        percent = Fraction(share[2]) * (1 if share[1] == "+" else -1)
        if percent >= -_LOSS_PERCENT_MAX:
            return now * (1 + percent / 100)
    try:
        value = parse_decimal(text)
    except ValueError:
        value = Fraction(-1)
    if value < 0 or text.startswith("+"):
        raise InputError([f"{name}: {text!r} is no change: +5%, -2.5%, or the value itself"])
    return value


def _rows() -> Mapping[str, Row]:
    return rule_set(YEAR_RULES).rows


def _told(row: Row) -> dict[str, str]:
    return {"value": row.text, "confidence": row.confidence, "source": row.source}
