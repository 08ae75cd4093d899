"""Amounts with instants: another period's quantity, and a totaliser's two readings."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.errors import InputError
from edge.calc.factors import rule_set
from edge.calc.methods.bridge import bridge, ends
from edge.calc.methods.hand_readings import difference
from edge.calc.parameter import Parameter, calculated
from edge.calc.statements.statement_table import Table


@dataclass(frozen=True)
class DatedAmount:
    """The month's quantity and what it was made of.

    Attributes:
        quantity: of the month.
        parts: by name, for the line.
        notes: "bridged", "totaliser-age", "totaliser-rolled".
    """

    quantity: Parameter
    parts: dict[str, Parameter]
    notes: tuple[str, ...]


def amount_of_period(table: Table, quantity: Parameter | None) -> DatedAmount | None:
    """[….period]: `from` and `to` of the quantity; None when something is wrong."""
    at = table.instant("from"), table.instant("to")
    return _bridged(table, quantity, at)


def amount_of_readings(table: Table, unit: str) -> DatedAmount | None:
    """[….readings]: last minus first, with their ages; None when something is wrong."""
    read = table.numbers(dict.fromkeys(("first", "last", "rolls_at"), "as read"))
    if (multiplier := table.number("multiplier", "1", above_zero=True)) is not None:
        read["multiplier"] = multiplier
    at = table.instant("first_at"), table.instant("last_at")
    for key in ("first", "last"):
        if not table.has(key):
            table.problem(key, "missing")
    if not {"first", "last"} <= set(read) or at[0] is None or at[1] is None or not table.month:
        _bridged(table, None, (None, None))
        return None
    rolls_at = read.get("rolls_at")
    try:
        found = difference(
            read["first"].value, read["last"].value, table.month, (at[0], at[1]),
            multiplier=multiplier.value if multiplier is not None else Fraction(1),
            rolls_at=rolls_at.value if rolls_at is not None else None,
        )  # fmt: skip
    except InputError as error:
        _tell(table, error)
        return None
    counted = calculated(found.quantity, exact_text(found.quantity), unit, "last - first")
    brought = _bridged(table, counted, at)
    if brought is None:
        return None
    ages = {
        "first_after_start_s": found.first_after_start_s,
        "last_before_end_s": found.last_before_end_s,
    }
    told = {k: calculated(Fraction(v), str(v), "s", "reading - edge") for k, v in ages.items()}
    notes = list(brought.notes)
    limit = rule_set("statement-checks").row("totaliser.age_s").value
    ends_bridged = (f"{end}_bridge" in brought.parts for end in ("start", "end"))
    if any(
        abs(age) > limit and not is_bridged
        for age, is_bridged in zip(ages.values(), ends_bridged, strict=True)
    ):
        notes.append("totaliser-age")
    if found.rolled:
        notes.append("totaliser-rolled")
    return DatedAmount(brought.quantity, {**read, **told, **brought.parts}, tuple(notes))


def _bridged(
    table: Table, quantity: Parameter | None, at: tuple[datetime | None, datetime | None]
) -> DatedAmount | None:
    """Bridge with `start_metered`, `end_metered` and `meter` of the table, and end it."""
    unit = quantity.unit if quantity is not None else ""
    metered = {
        end: number
        for end in ("start", "end")
        if (number := table.number(f"{end}_metered", unit)) is not None
    }
    meter = table.text("meter")
    table.end()
    if metered and meter is None and not table.has("meter"):
        table.problem("meter", "missing: which meter counted what is added or subtracted")
    if quantity is None or at[0] is None or at[1] is None or not table.month:
        return None
    period = at[0], at[1]
    try:
        values = {end: number.value for end, number in metered.items()}
        found = bridge(quantity.value, table.month, period, values)
    except InputError as error:
        _tell(table, error)
        return None
    if not found.added:
        return DatedAmount(quantity, {}, ())
    parts = {"period_quantity": quantity}
    for end in ends(table.month, period):
        if end.name in found.added:
            did = "added" if end.sign > 0 else "subtracted"
            parts[f"{end.name}_bridge"] = calculated(
                found.added[end.name], exact_text(found.added[end.name]), unit,
                f"{did}: {meter} from {end.span}",
            )  # fmt: skip
    share = found.share_percent
    parts["bridged_percent"] = calculated(
        share, rounded_text(share, 2), "%", "bridged ÷ the month's quantity"
    )
    text = exact_text(found.quantity)
    told = calculated(found.quantity, text, unit, "period_quantity + start_bridge + end_bridge")
    return DatedAmount(told, parts, ("bridged",))


def _tell(table: Table, error: InputError) -> None:
    for problem in error.problems:
        key, _, reason = problem.partition(": ")
        table.problem("" if key == "period" else key, reason)
