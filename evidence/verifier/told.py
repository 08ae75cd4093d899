"""What a statement says of itself, for the head of a report: no file's name says it. Pure.

It holds where everything passes: figures and counts are compared with what the readings give.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from evidence.findings import shown
from evidence.groups import is_uint
from evidence.verifier.completeness import percent_of

#: no month has so many readings; a hostile one is not to be printed
COUNT_MAX = 10**15


def month_of(statement: Mapping[str, Any]) -> dict[str, str]:
    """As `Report.month`; "?" for what it does not say."""
    given, totals = statement["input"], statement["output"].get("totals")
    told = {key: given.get(key) for key in ("plant", "month", "closing")}
    told["total_t"] = totals.get("total_t") if isinstance(totals, dict) else None
    return {key: "?" if value is None else shown(str(value)) for key, value in told.items()}


def values_of(statement: Mapping[str, Any]) -> dict[str, Any]:
    """As `Report.values`; empty where it counts none."""
    counted = statement["input"].get("completeness")
    rows = [
        (row["usable"], row["expected"], point)
        for point, row in (counted.items() if isinstance(counted, dict) else ())
        if isinstance(row, dict)
        and all(is_uint(row.get(key)) for key in ("usable", "expected"))
        and 0 < row["expected"] < COUNT_MAX > row["usable"]
    ]
    if not rows:
        return {}
    usable, due = sum(row[0] for row in rows), sum(row[1] for row in rows)
    some, of, point = min(rows, key=lambda row: (Fraction(row[0], row[1]), row[2]))
    return {
        "usable": usable,
        "due": due,
        "percent": percent_of(usable, due),
        "point": shown(point),
        "least": percent_of(some, of),
    }
