"""A quantity of another period brought to the month: by what a meter counted between the two.

An invoice runs from the 26th to the 25th, silos are taped on the 30th at 16:00. What the meter
counted between the period's end and the month's end is added or subtracted, and stands in the line
with its sign. Instants are the plant's local time, as the ledger has them; a month begins at 00:00.
"""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.errors import InputError
from edge.calc.factors import rule_set
from edge.calc.local_instant import at_text, month_edges, read_instant
from edge.calc.registry import Input, method

_CHECKS = "statement-checks"


@dataclass(frozen=True)
class End:
    """One end of a period against the month's.

    Attributes:
        name: "start" or "end".
        at, edge: the period's instant and the month's.
        sign: +1 when what was metered between them must be added to the period's quantity.
    """

    name: str
    at: datetime
    edge: datetime
    sign: int

    @property
    def gap_s(self) -> int:
        """Seconds between the two."""
        return abs(_seconds(self.at, self.edge))

    @property
    def span(self) -> str:
        """Between which instants the meter counted."""
        first, last = sorted((self.at, self.edge))
        return f"{at_text(first)} to {at_text(last)}"


def ends(month: str, period: tuple[datetime, datetime]) -> tuple[End, End]:
    """Both ends of a period against those of its month."""
    first, last = month_edges(month)
    return (
        End("start", period[0], first, 1 if period[0] > first else -1),
        End("end", period[1], last, 1 if period[1] < last else -1),
    )


@dataclass(frozen=True)
class Bridged:
    """A period's quantity as the month's.

    Attributes:
        quantity: of the month.
        added: by end ("start", "end"), with the sign it was added with.
        share_percent: of the month's quantity that comes from the bridge.
    """

    quantity: Fraction
    added: dict[str, Fraction]
    share_percent: Fraction


def bridge(
    quantity: Fraction,
    month: str,
    period: tuple[datetime, datetime],
    metered: dict[str, Fraction],
) -> Bridged:
    """The month's quantity from a period's.

    Args:
        quantity: of the period.
        month: "2026-06".
        period: its two instants, local time.
        metered: what a meter counted between period and month, by end ("start", "end"); an end
            nearer to the month's than row period.gap_s needs none.

    Raises:
        InputError: keys period, start_metered, end_metered: what is missing, or too much.
    """
    rows = rule_set(_CHECKS)
    first, last = month_edges(month)
    if not period[0] < period[1] or period[1] <= first or period[0] >= last:
        raise InputError([f"period: must end after it begins, and have a part in {month}"])
    gap = rows.row("period.gap_s")
    problems, added = [], {}
    for end in ends(month, period):
        if end.name in metered:
            added[end.name] = end.sign * metered[end.name]
            if not end.gap_s:
                problems.append(f"{end.name}_metered: nothing lies between period and month there")
        elif end.gap_s > gap.value:
            what = "add" if end.sign > 0 else "subtract"
            problems.append(
                f"{end.name}_metered: missing; to make it {month}'s, {what} what a meter counted "
                f"from {end.span}"
            )
    if problems:
        raise InputError(problems)
    return brought(quantity, added)


def brought(quantity: Fraction, added: dict[str, Fraction]) -> Bridged:
    """A quantity with what a meter counted between its period and the month's.

    Raises:
        InputError: more of the month's than row period.bridged_percent would be the meter's.
    """
    limit = rule_set(_CHECKS).row("period.bridged_percent")
    result = quantity + sum(added.values(), Fraction(0))
    moved = sum((abs(value) for value in added.values()), Fraction(0))
    if moved and (not result or moved / abs(result) * 100 > limit.value):
        share = rounded_text(moved / abs(result) * 100, 1) if result else "all"
        raise InputError([
            f"period: {share} % of the month's quantity would come from the meter that bridges, "
            f"more than {limit.text} %: give the meter's own quantity of the month, or another "
            "period's"
        ])  # fmt: skip
    return Bridged(result, added, moved / abs(result) * 100 if moved else Fraction(0))


@method(
    "period.bridge",
    version=1,
    source="Good practice of stock balances; in no guideline that could be read",
    inputs={
        "quantity": Input("t or 10^4 Nm3", low="0"),
        "month": Input(is_text=True),
        "period_from": Input(is_text=True),
        "period_to": Input(is_text=True),
        "start_metered": Input("t or 10^4 Nm3", low="0", optional=True),
        "end_metered": Input("t or 10^4 Nm3", low="0", optional=True),
    },
    outputs={
        "month_quantity": "t or 10^4 Nm3",
        "start_added": "t or 10^4 Nm3",
        "end_added": "t or 10^4 Nm3",
        "bridged_percent": "% of the month's quantity",
    },
)
def period_bridge(
    *, quantity: Fraction, month: str, period_from: str, period_to: str, **metered: Fraction
) -> dict[str, Any]:
    """A quantity of another period brought to the month by what a meter counted in between.

    Q_month [t] = Q_period ± metered at the start ± metered at the end

    Subtracted is what lies in the period and not in the month, added what lies in the month and not
    in the period. Instants are local, like 2026-05-30T16:00; the month begins and ends at 00:00. An
    end within 3600 s of the month's needs no bridge. More than 40 % bridged is refused.

    Example: 12000 t from 2026-05-30T16:00 to 2026-06-30T16:00; the meter counted 530 t before June
    began and 140 t after the period ended: 12000 - 530 + 140 = 11610 t, 670 ÷ 11610 = 5.77 % of it
    bridged (by hand).

    Not confirmed: both limits are choices of this program (table statement-checks).
    """
    try:
        period = read_instant(period_from), read_instant(period_to)
        month_edges(month)
    except ValueError as error:
        raise InputError([f"period: {error}"]) from error
    by_end = {name.partition("_")[0]: value for name, value in metered.items()}
    found = bridge(quantity, month, period, by_end)
    return {
        "month_quantity": exact_text(found.quantity),
        "start_added": exact_text(found.added.get("start", Fraction(0))),
        "end_added": exact_text(found.added.get("end", Fraction(0))),
        "bridged_percent": exact_text(found.share_percent),
    }


def _seconds(before: datetime, after: datetime) -> int:
    span = after - before
    return span.days * 86_400 + span.seconds
