"""What pages and programs are told of a plan: plain values, texts in both languages. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from edge.calc.decimal_text import exact_text, rounded_text
from evidence.plan.certificates import TONNES_PLACES, Certificate, Doubt, limit_of
from evidence.plan.departures import Departure
from evidence.plan.due import Due, Expected
from evidence.plan.plan import Plan
from evidence.plan.sentences import said

_OPTIONAL = ("as_found", "as_left", "limit")


def plan_row(plan: Plan) -> dict[str, Any]:
    """A plan as its file has it; a text is {"zh", "en"}."""
    return asdict(plan)


def certificate_row(one: Certificate, plan: Plan) -> dict[str, Any]:
    """A certificate; errors in % as decimal text, None where it states none."""
    meter = plan.meter(one.meter)
    limit = one.limit if meter is None else limit_of(meter, one)
    beyond = one.as_found is not None and limit is not None and abs(one.as_found) > limit
    return {
        **asdict(one), "day": one.day.isoformat(), "due": one.due.isoformat(),
        **{name: _percent(one, name) for name in _OPTIONAL}, "is_beyond_limit": beyond,
    }  # fmt: skip


def _percent(one: Certificate, name: str) -> str | None:
    value = getattr(one, name)
    return None if value is None else exact_text(value)


def departure_row(one: Departure) -> dict[str, Any]:
    """A departure, with what is so and what mends it."""
    texts = {language: said(one, language) for language in ("zh", "en")}
    return {
        "code": one.code, "about": one.about, "facts": dict(one.facts),
        "sentence": {language: so for language, (so, _) in texts.items()},
        "mends": {language: mends for language, (_, mends) in texts.items()},
    }  # fmt: skip


def doubt_row(one: Doubt) -> dict[str, Any]:
    """A month in doubt; tonnes as decimal text with their sign, None where not known."""
    tonnes = {
        name: None if value is None else rounded_text(value, TONNES_PLACES)
        for name, value in (("emission_t", one.emission_t), ("effect_t", one.effect_t))
    }
    return {
        "meter": one.meter, "month": one.month, "as_found_percent": exact_text(one.as_found),
        "found_on": one.found_on.isoformat(),
        "last_good": None if one.last_good is None else one.last_good.isoformat(), **tonnes,
    }  # fmt: skip


def due_row(one: Due, today: str) -> dict[str, Any]:
    """Something that falls due."""
    day = one.day.isoformat()
    return {**asdict(one), "day": day, "is_late": day < today}


def expected_rows(rows: Sequence[Expected]) -> list[Mapping[str, Any]]:
    """Who owes what."""
    return [{**asdict(one), "by": None if one.by is None else one.by.isoformat()} for one in rows]
