"""Anode effects that need somebody: too long, not quenched, a pot again, a line out of its band.

An effect by itself is an event. Pure.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from typing import Any

from cloud.alarms.core import SECOND_NS, Key, Signal, Verdict
from cloud.alarms.facts import DAY_NS, Effect, PlantFacts
from cloud.alarms.rules import Rules

#: (gateway, potline, pot)
Pot = tuple[str, str, str]
#: fewer effects than this in a day are no rate
LEAST_EFFECTS = 5
#: pots that one sentence names
NAMED_MAX = 8


def effect_signals(facts: PlantFacts, rules: Rules) -> Iterator[Signal]:
    """All that is so of effects."""
    of_pot: defaultdict[Pot, list[Effect]] = defaultdict(list)
    for one in facts.effects:
        of_pot[one.gateway, one.potline, one.pot].append(one)
    for effects in of_pot.values():
        effects.sort(key=lambda one: one.start_ns)
    for pot, effects in of_pot.items():
        yield from _pot(facts, rules, pot, effects)
    yield from _repeats(facts, rules, of_pot)
    for line in facts.snapshot["potlines"]:
        yield from _line(facts, rules, line)


def _pot(facts: PlantFacts, rules: Rules, pot: Pot, effects: Sequence[Effect]) -> Iterator[Signal]:
    gateway, line, name = pot
    newest, about = effects[-1], f"{line}/{name}"
    told = {"line": line, "pot": name, "start_ns": newest.start_ns, "v_max": newest.v_max}
    lasted_s = (_clock_of(facts, gateway) - newest.start_ns) / SECOND_NS
    longest_s = rules.limit("effect-long", "longest_s")
    if newest.is_running and lasted_s > longest_s:
        values = {**told, "longest_s": int(longest_s)}
        yield Signal(Key(facts.plant, "effect-long", gateway, about), values)
    age_s = (facts.now_ns - newest.start_ns) / SECOND_NS
    runs = incidents(effects, rules.limit("quench-failed", "within_s"))
    again = len(runs[-1]) - 1
    if again and (newest.is_running or age_s <= rules.limit("quench-failed", "stands_s")):
        values = {**told, "again": again}
        yield Signal(Key(facts.plant, "quench-failed", gateway, about), values)


def _repeats(
    facts: PlantFacts, rules: Rules, of_pot: Mapping[Pot, Sequence[Effect]]
) -> Iterator[Signal]:
    """One signal a line: its pots that came again, those with most first."""
    limits, within_s = rules.of("pot-repeat").limits, rules.limit("quench-failed", "within_s")
    of_line: defaultdict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for (gateway, line, name), effects in of_pot.items():
        begun_ns = [run[0].start_ns for run in incidents(effects, within_s)]
        before_ns = begun_ns[-1] - int(limits["within_s"] * SECOND_NS)
        times = sum(1 for one in begun_ns if before_ns <= one)
        stands_ns = begun_ns[-1] + int(limits["stands_s"] * SECOND_NS)
        if times >= limits["times"] and facts.now_ns <= stands_ns:
            of_line[gateway, line].append((-times, name))
    for (gateway, line), found in of_line.items():
        found.sort()
        pots = [f"{name} ({-less})" for less, name in found[:NAMED_MAX]]
        more = f" +{len(found) - NAMED_MAX}" if len(found) > NAMED_MAX else ""
        values = {
            "line": line, "pots": f"{', '.join(pots)}{more}", "n": len(found),
            "times": int(limits["times"]), "hours": f"{limits['within_s'] / 3_600:g}",
        }  # fmt: skip
        members = frozenset(name for _, name in found)
        yield Signal(Key(facts.plant, "pot-repeat", gateway, line), values, members=members)


def incidents(effects: Sequence[Effect], within_s: float) -> list[list[Effect]]:
    """Effects of one pot, oldest first, by incident: one that follows soon belongs to the last."""
    found: list[list[Effect]] = []
    for one in effects:
        if found:
            before = found[-1][-1]
            end_ns = before.end_ns or before.start_ns + before.polarised_ns
            if one.start_ns - end_ns <= within_s * SECOND_NS:
                found[-1].append(one)
                continue
        found.append([one])
    return found


def _clock_of(facts: PlantFacts, gateway: str) -> int:
    """Now, by the clock that stamps the effects: the gateway's newest tick."""
    for row in facts.snapshot["gateways"]:
        if row["id"] == gateway and row["tick_ns"] is not None:
            return int(row["tick_ns"])
    return facts.now_ns


def _line(facts: PlantFacts, rules: Rules, line: Mapping[str, Any]) -> Iterator[Signal]:
    """A day's effects against the band times the pots that produce now."""
    limits = rules.of("line-rate").limits
    since_ns = facts.now_ns - DAY_NS
    effects = sum(
        1 for one in facts.effects
        if (one.gateway, one.potline) == (line["gateway"], line["id"]) and one.start_ns >= since_ns
    )  # fmt: skip
    pots = producing(facts.snapshot, line)
    high, low = limits["high_per_pot_day"] * pots, limits["low_per_pot_day"] * pots
    above = (effects - high) / sqrt(high) if high else 0.0
    is_known = facts.known_from.get(line["gateway"], facts.now_ns) <= since_ns
    below = (low - effects) / sqrt(low) if low and is_known else 0.0
    sigmas = max(below, above if effects >= LEAST_EFFECTS else 0.0)
    if sigmas <= limits["clear_sigmas"]:
        return
    verdict = Verdict.ON if sigmas > limits["raise_sigmas"] else Verdict.BETWEEN
    values = {
        "line": line["id"], "effects": effects, "pots": pots,
        "low": limits["low_per_pot_day"], "high": limits["high_per_pot_day"],
        "rate": round(effects / pots, 2) if pots else None,
    }  # fmt: skip
    yield Signal(Key(facts.plant, "line-rate", line["gateway"], line["id"]), values, verdict)


def producing(snapshot: Mapping[str, Any], line: Mapping[str, Any]) -> int:
    """How many pots of a line produce now; one of unknown state is not excused."""
    values, counts = snapshot["values"], {*line["producing"], None}
    return sum(1 for pot in line["pots"] if values.get(pot["state"], (None,))[0] in counts)
