"""A plant in one line: what it emits now, whether that is trusted, what is in effect. Pure."""

from collections.abc import Sequence
from typing import Any

from cloud.live.state import Gateway, PlantState
from evidence.quality import FIRST_BAD, sentence

#: what is told of a plant, the first that it has: the figure of record before its indicators
HEADLINE = (
    "plant.co2e_t_h", "plant.now_co2_t_h", "plant.co2_indicator_t_h", "plant.fuel_co2_t_h",
)  # fmt: skip
#: another view of the same emission, never added to it: steel's, as its month counts
BESIDE = ("plant.month_co2_t_h",)
#: a value is old after three of its intervals, and never before this
STALE_MIN_NS = 5_000_000_000
STALE_INTERVALS = 3
#: of an age: its gateway says both instants, and whoever reads lists has 64 bits for it
AGE_MAX_NS = 2**63 - 1


def summary(state: PlantState, now_ns: int) -> dict[str, Any]:
    """JSON-ready: the plant's facts, what it emits now, trusted share, running effects, gateways.

    `trusted` is of the month's inputs in the last ten minutes; `points` of all that is measured,
    so that a dead analyser which the month does not use is told as well.

    Of an effect of a gateway that is not heard nobody knows whether it runs still. A gateway that
    is online and not heard is silent; one that is offline is counted there alone.
    """
    facts = [gateway.facts for gateway in state.gateways.values()]
    online = {name: gateway for name, gateway in state.gateways.items() if gateway.online is True}
    heard = {name for name, gateway in online.items() if not _is_silent(gateway, now_ns)}
    shares = [
        (value, name)
        for gateway in state.gateways.values()
        for name, share in gateway.shares.items()
        if (value := share.value(now_ns)) is not None
    ]
    measured, without, first = state.measured()
    running = [e for e in state.effects() if e["end_ns"] is None and not e["lost"]]
    return {
        "plant": dict(facts[0].plant) if facts else {"id": state.plant},
        "headline": next(iter(_rates(state, HEADLINE, now_ns)), None),
        "beside": _rates(state, BESIDE, now_ns),
        "trusted": None
        if not shares
        else {
            "share": round(sum(value for value, _ in shares) / len(shares), 4),
            "lowest": min(shares)[1],
            "lowest_share": round(min(shares)[0], 4),
        },
        "points": {"measured": measured, "without": without, "first": first},
        "effects": [{**{name: e[name] for name in ("potline", "pot", "start_ns")},
                     "heard": e["gateway"] in heard} for e in running],
        "gateways": {
            "all": len(state.gateways),
            "offline": len(state.gateways) - len(online),
            "silent": len(online) - len(heard),
        },
    }  # fmt: skip


def _is_silent(gateway: Gateway, now_ns: int) -> bool:
    longest_ns = max(STALE_MIN_NS, STALE_INTERVALS * gateway.facts.interval_ns)
    return gateway.received_ns is None or now_ns - gateway.received_ns > longest_ns


def _rates(state: PlantState, points: Sequence[str], now_ns: int) -> list[dict[str, Any]]:
    """Those of these rates that the plant has, each with unit, age and quality."""
    return [
        _rate(state, gateway, ident, now_ns)
        for ident in points
        for gateway in state.gateways.values()
        if ident in gateway.facts.points
    ]


def _rate(state: PlantState, gateway: Gateway, ident: str, now_ns: int) -> dict[str, Any]:
    point, found = gateway.facts.points[ident], state.value(ident)
    told: dict[str, Any] = {"point": ident, "unit": point["unit"], "value": None, "quality": None}
    if found is None or gateway.received_ns is None or gateway.live is None:
        return {**told, "age_ns": None, "grade": "none"}
    value, tick_ns = found
    told_ns = now_ns - gateway.received_ns + gateway.live.sent_ns - tick_ns
    age_ns = min(told_ns, AGE_MAX_NS)
    old = age_ns > max(STALE_MIN_NS, STALE_INTERVALS * point["interval_ns"])
    bad = value.value is None or value.quality >= FIRST_BAD
    grade = "bad" if bad else "stale" if old else "reserved" if value.quality else "good"
    if bad:
        told["why"] = {name: sentence(value.quality, name) for name in ("en", "zh")}
    return {
        **told, "value": None if bad else value.value, "quality": value.quality,
        "age_ns": age_ns, "grade": grade,
    }  # fmt: skip
