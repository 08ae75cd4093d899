"""What a statement would be with other inputs: line by line, what each emission would differ by."""

import re
from collections.abc import Mapping
from copy import deepcopy
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import rounded_text
from edge.calc.errors import InputError
from edge.calc.statements.line import COUNTS, EMISSION_PLACES
from edge.calc.statements.statement import compute

_STEP = re.compile(r"([a-z0-9_]+)(?:\[([0-9]{1,4})\])?")


def what_if(source: Mapping[str, Any], changes: Mapping[str, str]) -> dict[str, Any]:
    """The statement before and after changes of its input.

    Args:
        source: the input of `statement.compute`.
        changes: path -> new value, like "fuel[0].ncv" -> "25.5". The table must be there; the key
            may be new, so that a default can be tried against a value of one's own.

    Returns:
        "changes" (from, to), "lines" that differ and "totals" that differ (before, after,
        difference; a line's counts as it does in the total), and the "sentence".

    Raises:
        InputError: a path leads nowhere; and as `compute` raises, before and after.
    """
    before = compute(source)
    told, changed = [], deepcopy(dict(source))
    for path, value in changes.items():
        place, key = place_of(changed, path)
        told.append({"path": path, "from": str(place.get(key, "")), "to": value})
        place[key] = value
    after = compute(changed)
    pairs = zip(before["lines"], after["lines"], strict=True)
    lines = [
        {
            **{key: one[key] for key in ("category", "kind", "unit") if key in one},
            **_apart(one["emission_t"], two["emission_t"], COUNTS[one["category"]][2]),
        }
        for one, two in pairs
        if one["emission_t"] != two["emission_t"]
    ]
    totals = {
        key: _apart(value, after["totals"][key])
        for key, value in before["totals"].items()
        if value != after["totals"][key]
    }
    total = _apart(before["totals"]["total_t"], after["totals"]["total_t"])
    more = "more" if not total["difference"].startswith("-") else "less"
    sentence = (
        f"The total would be {total['after']} t, {total['difference'].lstrip('-')} t {more} than "
        f"{total['before']} t."
    )
    return {"changes": told, "lines": lines, "totals": totals, "sentence": sentence}


def place_of(source: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """The table that a path leads to, and the key in it. InputError: it leads nowhere."""
    *tables, key = path.split(".")
    place: Any = source
    for step in tables:
        found = _STEP.fullmatch(step)
        inner = place.get(found[1]) if found is not None and isinstance(place, dict) else None
        if found is not None and found[2] is not None:
            index = int(found[2])
            inner = inner[index] if isinstance(inner, list) and index < len(inner) else None
        if not isinstance(inner, dict):
            raise InputError([f"{path}: the input has no table {step}"])
        place = inner
    if not tables or not _STEP.fullmatch(key) or isinstance(place.get(key), dict | list):
        raise InputError([f"{path}: must lead to one value, like fuel[0].ncv or clinker.quantity"])
    return place, key


def _apart(before: str, after: str, sign: int = 1) -> dict[str, str]:
    difference = sign * (Fraction(after) - Fraction(before))
    return {
        "before": before, "after": after, "difference": rounded_text(difference, EMISSION_PLACES)
    }  # fmt: skip
