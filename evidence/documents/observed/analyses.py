"""Analyses that contradict themselves or each other: bases, closure, moisture. Pure.

C_ar = C_ad (100 − M_t) / (100 − M_ad); d = ad · 100 / (100 − M_ad); daf = d · 100 / (100 − A_d);
M + A + V + FC = 100 on one basis (GB/T 483, GB/T 35985; ISO 1170). Net heat is left out: it takes
hydrogen too.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from evidence.documents.observed.limits import LIMITS
from evidence.documents.observed.observation import Observation
from evidence.documents.observed.stories import COMPOSED, RESULT, Step, Stories, Story
from evidence.documents.standing import Logged

#: names of values that are understood; others are left alone
TOTAL, AIR_DRIED = "total-moisture", "moisture"
MOISTURES = frozenset({TOTAL, AIR_DRIED})
SCALED = frozenset({"carbon", "ash", "volatile", "fixed-carbon", "sulphur", "gcv"})
_PERCENT = ("%", "％")
_HUNDRED = Decimal(100)
_PARAMETER = "parameter"

_Key = tuple[str, str]


def observe_analyses(stories: Stories, parameters: Iterable[Logged]) -> Iterator[Observation]:
    """What analyses show.

    Args:
        stories: of the plant.
        parameters: its standing documents of kind parameter.
    """
    moistures = [one for one in parameters if one.document.body["name"] in MOISTURES]
    for story in stories.values():
        for step in story.of(RESULT):
            yield from _bases(story, step)
            yield from _closure(story, step)
        yield from _dailies(story, stories, moistures)


def _values(step: Step) -> dict[_Key, tuple[Decimal, str]]:
    """(name, basis) -> value and unit."""
    return {
        (row["name"], row.get("basis", "")): (Decimal(row["value"]), row["unit"])
        for row in step.document.body["values"]
    }


def total_moisture(step: Step) -> Decimal | None:
    """Of a result, in percent; None when it has none."""
    return _percent(_values(step), ((TOTAL, ""), (TOTAL, "ar"), (AIR_DRIED, "ar")))


def _percent(values: Mapping[_Key, tuple[Decimal, str]], keys: Iterable[_Key]) -> Decimal | None:
    for key in keys:
        if key in values and values[key][1] in _PERCENT and 0 <= values[key][0] < _HUNDRED:
            return values[key][0]
    return None


def _bases(story: Story, step: Step) -> Iterator[Observation]:
    values = _values(step)
    total = total_moisture(step)
    dried = _percent(values, ((AIR_DRIED, "ad"),))
    if total is not None and dried is not None and total < dried:
        facts = {"name": TOTAL, "given": str(total), "expected": f"≥ {dried}", "basis": "ar"}
        yield story.saw("S-BASES", step, report=step.document.body["report"], **facts)
        return
    ash = values.get(("ash", "d"))
    for (name, basis), (value, unit) in values.items():
        if name not in SCALED or basis not in _FACTORS:
            continue
        for other, (given, other_unit) in (
            (key, held) for key, held in values.items() if key[0] == name and key[1] in _FACTORS
        ):
            factor = _factor(basis, other[1], total, dried, None if ash is None else ash[0])
            if unit != other_unit or factor is None:
                continue
            expected = value * factor
            slack = LIMITS.bases * abs(expected) + _half_digit(given) + _half_digit(value) * factor
            if abs(given - expected) > slack:
                facts = {
                    "name": name, "basis": other[1], "given": str(given),
                    "expected": f"{expected:.4g}",
                }  # fmt: skip
                yield story.saw("S-BASES", step, report=step.document.body["report"], **facts)
                return


#: bases from which others follow, in the order of drying
_FACTORS = ("ar", "ad", "d", "daf")


def _factor(
    basis: str, other: str, total: Decimal | None, dried: Decimal | None, ash: Decimal | None
) -> Decimal | None:
    """What a figure on one basis is multiplied by for a drier one; None when that is not known."""
    if _FACTORS.index(basis) >= _FACTORS.index(other):
        return None
    dry = {"ar": total, "ad": dried, "d": Decimal(0), "daf": Decimal(0)}
    wet, less = dry[basis], dry[other]
    if wet is None or less is None:
        return None
    factor = (_HUNDRED - less) / (_HUNDRED - wet)
    if other == "daf":
        if ash is None or not 0 <= ash < _HUNDRED:
            return None
        factor *= _HUNDRED / (_HUNDRED - ash)
    return factor


def _half_digit(value: Decimal) -> Decimal:
    """Half a unit of its last digit."""
    exponent = value.as_tuple().exponent
    return Decimal(5).scaleb((exponent if isinstance(exponent, int) else 0) - 1)


def _closure(story: Story, step: Step) -> Iterator[Observation]:
    values = _values(step)
    for basis in ("ar", "ad"):
        moisture = total_moisture(step) if basis == "ar" else _percent(values, ((AIR_DRIED, "ad"),))
        rest = [_percent(values, ((name, basis),)) for name in ("ash", "volatile", "fixed-carbon")]
        parts = [part for part in (moisture, *rest) if part is not None]
        if len(parts) == 4 and abs(sum(parts) - _HUNDRED) > LIMITS.closure_points:
            facts = {"basis": basis, "total": str(sum(parts))}
            yield story.saw("S-CLOSURE", step, report=step.document.body["report"], **facts)


def _dailies(story: Story, stories: Stories, parameters: Iterable[Logged]) -> Iterator[Observation]:
    """Total moisture that was used, against the mean of what the daily samples had."""
    composed = story.first(COMPOSED)
    mean = None if composed is None else _mean(composed, stories)
    if mean is None or composed is None:
        return
    for step in story.of(RESULT):
        total = total_moisture(step)
        if total is not None and abs(total - mean) > LIMITS.moisture_points:
            facts = {"given": str(total), "expected": f"{mean:.2f}", "paper": RESULT}
            yield story.saw("S-MOISTURE-DAILIES", step, composed, **facts)
    outer = composed.document.body
    for one in parameters:
        body = one.document.body
        touches = body["from_ns"] < outer["to_ns"] and body["to_ns"] > outer["from_ns"]
        is_wet = body["name"] == TOTAL or body.get("basis") == "ar"
        if one.document.about != story.source or not touches or not is_wet:
            continue
        given = Decimal(body["value"])
        if body["unit"] in _PERCENT and abs(given - mean) > LIMITS.moisture_points:
            facts = {"given": str(given), "expected": f"{mean:.2f}", "paper": _PARAMETER}
            yield story.saw("S-MOISTURE-DAILIES", Step(one, one), composed, **facts)


def _mean(composed: Step, stories: Stories) -> Decimal | None:
    """Weighted mean of the parts' total moisture; None where fewer than half have one."""
    rows = composed.document.body["parts"]
    found = list[tuple[Decimal, Decimal]]()
    for row in rows:
        part = stories.get(row["sample"])
        result = None if part is None else part.first(RESULT)
        total = None if result is None else total_moisture(result)
        if total is not None:
            found.append((Decimal(row["weight"]), total))
    whole = sum((weight for weight, _ in found), Decimal())
    if len(found) * 2 < len(rows) or not whole:
        return None
    return sum((weight * total for weight, total in found), Decimal()) / whole
