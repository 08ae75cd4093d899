"""Totalisers that need somebody: a leap, a drop, a spike, a counter that leaves its own flow. Pure.

What is judged is the signed log, as the month's statement will judge it (`cloud.accumulated`).
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from cloud.accumulated.counters import Apart, CounterTold, Event, amount_text
from cloud.alarms.core import SECOND_NS, Key, Signal
from cloud.alarms.facts import PlantFacts
from cloud.alarms.rules import Rules
from edge.calc.flags import Flag

LEAP, DROP, SPIKE, FLOW = "counter-leap", "counter-drop", "counter-spike", "counter-flow"
#: kinds of alarm about a totaliser
KINDS = (LEAP, DROP, SPIKE, FLOW)
CHECK = "month-check"
_UNEXPLAINED = "leap-unexplained"


def counter_signals(facts: PlantFacts, rules: Rules) -> Iterator[Signal]:
    """All that is so of totalisers; of one point and kind once, of the newest month."""
    seen: dict[Key, Signal] = {}
    for told in facts.counters:  # oldest month first
        row = facts.snapshot["points"].get(told.point)
        gateway = "" if row is None else str(row["gateway"])
        for kind, values in _of(told, facts.now_ns, rules):
            key = Key(facts.plant, kind, gateway, told.point)
            seen[key] = Signal(key, {**values, "unit": told.unit, "month": told.month})
    yield from seen.values()
    for month, text in facts.checks:
        flag, about = Flag(text), text.partition(":")[2]
        sentence = {language: flag.sentence(language) for language in ("en", "zh")}
        values = {"month": month, "sentence": sentence}
        yield Signal(Key(facts.plant, CHECK, "", about), values)


def _of(told: CounterTold, now_ns: int, rules: Rules) -> Iterator[tuple[str, dict[str, Any]]]:
    leap, drop, spike = (told.events.get(name) for name in ("leap", "drop", "spike"))
    if leap is not None and f"{_UNEXPLAINED}:{told.point}" in told.flags:
        yield LEAP, _values(leap)
    if drop is not None and not drop.is_explained and _stands(drop, DROP, now_ns, rules):
        yield DROP, _values(drop)
    if spike is not None and _stands(spike, SPIKE, now_ns, rules):
        yield SPIKE, _values(spike)
    if (apart := _apart(told, rules)) is not None:
        yield FLOW, {"flow_point": told.flow_point, **apart}


def _stands(event: Event, kind: str, now_ns: int, rules: Rules) -> bool:
    return now_ns - event.at_ns <= rules.limit(kind, "stands_s") * SECOND_NS


def _values(event: Event) -> dict[str, Any]:
    return {"at_ns": event.at_ns, "before": event.before, "after": event.after}


def _apart(told: CounterTold, rules: Rules) -> dict[str, Any] | None:
    """Over the last minute, over up to an hour, over the month: the first that is too far apart.

    The shorter the time, the wider the limit: both may count in steps, and at different instants.
    """
    limits = rules.of(FLOW).limits
    for lately in told.lately:
        is_longer = lately.seconds >= limits["longer_s"]
        percent = limits["longer_percent" if is_longer else "minute_percent"]
        steps = abs(lately.totaliser - lately.integral) / told.step
        least = Fraction(str(limits["whole_percent"]))
        is_seen = steps > limits["steps"] and lately.of_whole > least
        if is_seen and lately.percent > Fraction(percent):
            return _compared(lately)
    so_far = told.so_far
    if so_far is None or so_far["result"] != "outside":
        return None
    covered_s = Fraction(so_far["covered_s"])
    return _compared(
        Apart(int(covered_s), Fraction(so_far["totaliser"]), Fraction(so_far["integral"]), None)
    )


def _compared(apart: Apart) -> dict[str, Any]:
    return {
        "minutes": max(round(apart.seconds / 60), 1),
        "totaliser": amount_text(apart.totaliser),
        "integral": amount_text(apart.integral),
    }
