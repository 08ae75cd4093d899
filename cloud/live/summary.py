"""A plant in one line: what it emits now, whether that is trusted, what is in effect. Pure."""

from typing import Any

from cloud.live.state import PlantState
from evidence.quality import FIRST_BAD

#: what is told of a plant, the first that it has: the figure of record before its indicators
HEADLINE = (
    "plant.co2e_t_h", "plant.now_co2_t_h", "plant.co2_indicator_t_h", "plant.fuel_co2_t_h",
)  # fmt: skip
#: a value is old after three of its intervals, and never before this
STALE_MIN_NS = 5_000_000_000
STALE_INTERVALS = 3


def summary(state: PlantState, now_ns: int) -> dict[str, Any]:
    """JSON-ready: the plant's facts, its headline, trusted share, effects, gateways."""
    facts = [gateway.facts for gateway in state.gateways.values()]
    heard = [gateway for gateway in state.gateways.values() if gateway.received_ns is not None]
    silent = sum(
        now_ns - (gateway.received_ns or 0)
        > max(STALE_MIN_NS, STALE_INTERVALS * gateway.facts.interval_ns)
        for gateway in heard
    )
    shares = [
        (value, name)
        for gateway in state.gateways.values()
        for name, share in gateway.shares.items()
        if (value := share.value(now_ns)) is not None
    ]
    running = [e for e in state.effects() if e["end_ns"] is None and not e["lost"]]
    return {
        "plant": dict(facts[0].plant) if facts else {"id": state.plant},
        "headline": _headline(state, now_ns),
        "trusted": None
        if not shares
        else {
            "share": round(sum(value for value, _ in shares) / len(shares), 4),
            "lowest": min(shares)[1],
            "lowest_share": round(min(shares)[0], 4),
        },
        "effects": [{"potline": e["potline"], "pot": e["pot"], "start_ns": e["start_ns"]}
                    for e in running],
        "gateways": {
            "all": len(state.gateways),
            "offline": sum(gateway.online is not True for gateway in state.gateways.values()),
            "silent": silent,
        },
        "alarms": len(state.alarms) + sum(len(g.alarms) for g in state.gateways.values()),
    }  # fmt: skip


def _headline(state: PlantState, now_ns: int) -> dict[str, Any] | None:
    """The emission now with unit, age and quality; None where the plant has no such point."""
    for ident in HEADLINE:
        for gateway in state.gateways.values():
            point = gateway.facts.points.get(ident)
            if point is None:
                continue
            told = {"point": ident, "unit": point["unit"], "value": None, "quality": None}
            found = state.value(ident)
            if found is None or gateway.received_ns is None or gateway.live is None:
                return {**told, "age_ns": None, "grade": "none"}
            value, tick_ns = found
            age_ns = now_ns - gateway.received_ns + gateway.live.sent_ns - tick_ns
            old = age_ns > max(STALE_MIN_NS, STALE_INTERVALS * point["interval_ns"])
            bad = value.value is None or value.quality >= FIRST_BAD
            grade = "bad" if bad else "stale" if old else "reserved" if value.quality else "good"
            return {
                **told, "value": None if bad else value.value, "quality": value.quality,
                "age_ns": age_ns, "grade": grade,
            }  # fmt: skip
    return None
