"""What was used of a fuel or material in a month: given as one number, or by its stock."""

from dataclasses import dataclass
from fractions import Fraction

from edge.calc.decimal_text import exact_text
from edge.calc.parameter import Parameter, calculated
from edge.calc.statement_table import Table

_STOCK = {"opening": 1, "purchased": 1, "closing": -1, "output": -1}


@dataclass(frozen=True)
class NetAmount:
    """The net consumption.

    Attributes:
        quantity: of the line; below zero when more left than came.
        parts: what it was made of, by key; empty when it was given as one number.
        notes: flags of the line.
    """

    quantity: Parameter
    parts: dict[str, Parameter]
    notes: tuple[str, ...]

    @property
    def parameters(self) -> dict[str, Parameter]:
        """All of it, for the line."""
        return {**self.parts, "quantity": self.quantity}


def net_amount(table: Table, unit: str) -> NetAmount | None:
    """`quantity`, or opening + purchased - closing - output; None when neither is right.

    Args:
        table: notes what is wrong in it.
        unit: of every number.
    """
    quantity = table.number("quantity", unit)
    parts = table.numbers(dict.fromkeys(_STOCK, unit))
    stock_given = [key for key in _STOCK if table.has(key)]
    if table.has("quantity") and stock_given:
        table.problem("quantity", f"give either it or {' '.join(stock_given)}")
    elif not table.has("quantity") and not stock_given:
        table.problem("quantity", "missing (or opening, purchased, closing, output)")
    if quantity is not None:
        return NetAmount(quantity, {}, ())
    return _of_stock(parts, unit) if parts else None


def _of_stock(parts: dict[str, Parameter], unit: str) -> NetAmount:
    value = sum((parts[k].value * sign for k, sign in _STOCK.items() if k in parts), Fraction(0))
    net = calculated(value, exact_text(value), unit, "opening + purchased - closing - output")
    notes: tuple[str, ...] = ("net-output",) if value < 0 else ()
    if not {"opening", "closing"} <= set(parts):
        notes += ("stock-incomplete",)  # an omitted stock counts as none: said, never silent
    return NetAmount(net, parts, notes)
