"""[clinker] of a statement: its quantity as given, or by stock-taking with its parts."""

from edge.calc.decimal_text import exact_text
from edge.calc.errors import InputError
from edge.calc.methods.clinker_stock import FORMULA, NEEDED, PARTS, clinker_made
from edge.calc.parameter import Parameter, calculated
from edge.calc.statements.net_amount import NetAmount, of_month, with_record
from edge.calc.statements.statement_table import Table

RAW_MEAL = "raw_meal_t"


def clinker_amount(table: Table, unit: str = "t") -> NetAmount | None:
    """`quantity`, or despatched + used + closing - opening - purchased; None when it is wrong.

    `unit`: of every mass. `raw_meal_t` beside it is for the cross-check only, and in t.
    """
    quantity = table.number("quantity", unit)
    parts = table.numbers(dict.fromkeys(PARTS, unit))
    given = [key for key in PARTS if table.has(key)]
    amount = None
    if table.has("quantity") and given:
        table.problem("quantity", f"give either it or {' '.join(given)}")
    elif given:
        amount = _by_stock(table, parts, unit)
    elif quantity is not None:
        amount = NetAmount(quantity, {}, ())
    elif not table.has("quantity") and not table.has("recorded"):
        table.problem("quantity", f"missing (or by stock-taking: {' '.join(NEEDED)})")
    if table.has("period") and not table.has("quantity") and not given:
        table.problem("period", "is of quantity or stocks; a record's is recorded_period")
    amount = with_record(table, of_month(table, "period", amount), unit)
    meal = table.number(RAW_MEAL, "t")
    if amount is None or meal is None:
        return amount
    parts = {**amount.parts, RAW_MEAL: meal}
    return NetAmount(amount.quantity, parts, amount.notes, amount.counted)


def _by_stock(table: Table, parts: dict[str, Parameter], unit: str) -> NetAmount | None:
    missing = [key for key in NEEDED if not table.has(key)]
    for key in missing:
        table.problem(key, "missing: stock-taking needs all of " + " ".join(NEEDED))
    if missing or not set(NEEDED) <= set(parts):
        return None
    try:
        made = clinker_made({key: part.value for key, part in parts.items()})
    except InputError as error:
        key, _, reason = error.problems[0].partition(": ")
        table.problem(key, reason)
        return None
    told = calculated(made, exact_text(made), unit, FORMULA)
    counted = {key: sign for key, sign in PARTS.items() if key in parts}
    return NetAmount(told, parts, ("stock-taking",), counted)
