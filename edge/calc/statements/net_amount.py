"""What was used of a fuel or material in a month: metered, by its stock, or by what a record says.

Priority: the quantity (a meter's, typed or by `readings`) or the stock balance is the figure; a
`recorded` one (invoice, ledger) beside it is the second source and is compared. A record alone is
the figure, and the statement says that no meter stands behind it. Quantities of another period than
the month are bridged, never taken as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from edge.calc.decimal_text import exact_text
from edge.calc.parameter import Parameter, calculated
from edge.calc.statements.dated_amount import DatedAmount, amount_of_period, amount_of_readings
from edge.calc.statements.statement_table import Table

_STOCK = {"opening": 1, "purchased": 1, "closing": -1, "output": -1}
RECORDED = "recorded"


@dataclass(frozen=True)
class NetAmount:
    """The net consumption.

    Attributes:
        quantity: of the line; below zero when more left than came.
        parts: what it was made of, by key; empty when it was given as one number.
        notes: flags of the line.
        counted: names of the parameters that the quantity is the sum of, with their signs.
    """

    quantity: Parameter
    parts: dict[str, Parameter]
    notes: tuple[str, ...]
    counted: Mapping[str, int] = field(default_factory=lambda: {"quantity": 1})

    def of(self, parameters: Mapping[str, Parameter]) -> Fraction:
        """The quantity that these parameters make, by the names of this amount's."""
        values = (parameters[name].value * sign for name, sign in self.counted.items())
        return sum(values, Fraction(0))

    @property
    def parameters(self) -> dict[str, Parameter]:
        """All of it, for the line."""
        return {**self.parts, "quantity": self.quantity}


def net_amount(table: Table, unit: str) -> NetAmount | None:
    """`quantity`, `readings`, or opening + purchased - closing - output; `recorded` beside it.

    Args:
        table: notes what is wrong in it.
        unit: of every number.

    Returns:
        None when none of them is right.
    """
    quantity = table.number("quantity", unit)
    parts = table.numbers(dict.fromkeys(_STOCK, unit))
    stock_given = [key for key in _STOCK if table.has(key)]
    readings = table.subtable("readings")
    if table.has("quantity") and stock_given:
        table.problem("quantity", f"give either it or {' '.join(stock_given)}")
    if readings is not None and (table.has("quantity") or stock_given):
        table.problem("readings", "give either them, or quantity, or stocks")
    if not stock_given and not any(table.has(k) for k in ("quantity", "readings", RECORDED)):
        table.problem("quantity", "missing (or opening, purchased, closing, output)")
    if table.has("period") and not (table.has("quantity") or stock_given):
        table.problem("period", "is of quantity or stocks; a record's is recorded_period")
    amount = None
    if quantity is not None:
        amount = NetAmount(quantity, {}, ())
    elif readings is not None:
        amount = _dated(None, amount_of_readings(readings, unit))
    elif parts:
        amount = _of_stock(parts, unit)
    return with_record(table, of_month(table, "period", amount), unit)


def with_record(table: Table, amount: NetAmount | None, unit: str) -> NetAmount | None:
    """The amount with its second source; the record itself when there is no other."""
    record = table.number(RECORDED, unit)
    if not table.has(RECORDED):
        for key in ("recorded_period", "recorded_by"):
            if table.has(key):
                table.problem(key, "has no meaning without recorded")
        return amount
    by = table.text("recorded_by")
    if by is None:
        table.problem("recorded_by", "missing: what it stands in (invoice, ledger, 205-1 form)")
    own = NetAmount(record, {}, ()) if record is not None else None
    brought = of_month(table, "recorded_period", own)
    if brought is None or by is None:
        return None
    second = brought.quantity
    if amount is None:
        only = calculated(second.value, second.text, second.unit, f"recorded: {by}; no meter")
        notes = (*brought.notes, "record-only")
        return NetAmount(only, brought.parts, notes, brought.counted)
    told = calculated(second.value, second.text, second.unit, f"recorded: {by}; second source")
    parts = {**amount.parts, **{f"recorded_{k}": v for k, v in brought.parts.items()}}
    notes = amount.notes + tuple(note for note in brought.notes if note not in amount.notes)
    return NetAmount(amount.quantity, {**parts, RECORDED: told}, notes, amount.counted)


def of_month(table: Table, key: str, amount: NetAmount | None) -> NetAmount | None:
    """The amount, bridged to the month if the table `key` says that it is another period's."""
    period = table.subtable(key)
    if period is None:
        return amount
    dated = amount_of_period(period, amount.quantity if amount is not None else None)
    return _dated(amount, dated) if amount is not None else None


def _dated(amount: NetAmount | None, dated: DatedAmount | None) -> NetAmount | None:
    """An amount as `dated` has brought it to the month; None: `dated` counted it itself."""
    if dated is None:
        return None
    parts, notes = (amount.parts, amount.notes) if amount is not None else ({}, ())
    bridges: dict[str, int] = {
        name: 1 for name in ("start_bridge", "end_bridge") if name in dated.parts
    }
    own = "period_quantity" if bridges else "quantity"
    counted = (
        amount.counted if amount is not None and "quantity" not in amount.counted else {own: 1}
    )
    return NetAmount(
        dated.quantity,
        {**parts, **dated.parts},
        (*notes, *dated.notes),
        {**counted, **bridges},
    )


def _of_stock(parts: dict[str, Parameter], unit: str) -> NetAmount:
    value = sum((parts[k].value * sign for k, sign in _STOCK.items() if k in parts), Fraction(0))
    net = calculated(value, exact_text(value), unit, "opening + purchased - closing - output")
    notes: tuple[str, ...] = ("net-output",) if value < 0 else ()
    if not {"opening", "closing"} <= set(parts):
        notes += ("stock-incomplete",)  # an omitted stock counts as none: said, never silent
    return NetAmount(net, parts, notes, {k: sign for k, sign in _STOCK.items() if k in parts})
