"""The conditions: what is so at a plant just then, as signals. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from cloud.alarms.core import SECOND_NS, Key, Signal, Verdict
from cloud.alarms.counters import counter_signals
from cloud.alarms.effects import effect_signals
from cloud.alarms.facts import DAY_NS, Level, PlantFacts
from cloud.alarms.rules import Rules
from edge.calc.local_time import clock_of
from evidence.month_state import PASSED
from evidence.quality import Quality

#: quality -> kind of alarm about the device; maintenance and calibration are none
OF_QUALITY = {
    Quality.NO_ANSWER: "meter-silent", Quality.NOT_CONNECTED: "meter-silent",
    Quality.DEVICE_REFUSED: "meter-silent", Quality.WRONG_ANSWER: "meter-silent",
    Quality.SENTINEL: "meter-fault", Quality.NOT_A_NUMBER: "meter-fault",
    Quality.SENSOR_FAULT: "meter-fault", Quality.OUT_OF_RANGE: "meter-range",
    Quality.STALE: "meter-stale", Quality.STUCK: "meter-stuck",
}  # fmt: skip
CONFIG_CHANGED = "config-changed"
OFFLINE, AWAY, UNKEPT = "gateway-offline", "broker-away", "broker-unkept"
OF_BROKER, OF_SEALS, BEHIND = "certificate-broker", "certificate-collector", "broker-behind"
#: those that are known although a gateway is silent, by how they begin: what its log says stays
OF_THE_COLLECTOR = ("certificate", "collector", "broker", "counter-", CONFIG_CHANGED)
#: beside what the collector tells, those that are known without a configuration of the plant
OF_THE_WHOLE = frozenset({AWAY, UNKEPT, OF_BROKER, OF_SEALS, BEHIND})
#: told by the collector's own words too; the condition here says which month
_SAID_BETTER = "month-late"
_NAMES_MAX = 3
#: devices of one gateway that each have an alarm of a kind: of more it is the gateway's, one alarm
METERS_MAX = 200
_AWAITED = "awaited"


def signals(facts: PlantFacts, rules: Rules) -> list[Signal]:
    """All that is so."""
    return [
        *_gateways(facts, rules),
        *_meters(facts, rules),
        *_told(facts),
        *_level(facts, rules),
        *_certificates(facts, rules),
        *_months(facts),
        *effect_signals(facts, rules),
        *counter_signals(facts, rules),
        *_configured(facts),
    ]


def blindness(facts: PlantFacts, rules: Rules) -> Callable[[Key], bool]:
    """Of which alarms nothing can be known: a silent gateway's meters, effects and own alarms.

    Without a broker nobody is heard, and who would be silent otherwise is not known either.
    So an outage raises one alarm and not one for each of its meters, and a restart of the collector
    clears none before the gateways are heard again. Of a plant whose configuration is not known, as
    of one that was damaged at the start, only what is the collector's own is.
    """
    silent = silent_gateways(facts, rules)
    points = facts.snapshot["points"]

    def is_blind(key: Key) -> bool:
        # a broker that keeps nothing is started again and again, and away in between
        if key.kind == UNKEPT or (key.kind == OFFLINE and facts.is_configured):
            return facts.broker_away_ns is not None
        if not facts.is_configured:
            return key.kind not in OF_THE_WHOLE and not key.kind.startswith("collector")
        if key.kind.startswith(OF_THE_COLLECTOR):
            return False
        if key.kind == "emission":
            if facts.level is not None and facts.level.mean is None:
                return True  # too little was heard yet, as after a start
            return key.about in points and points[key.about]["gateway"] in silent
        return key.gateway in silent

    return is_blind


def silent_gateways(facts: PlantFacts, rules: Rules) -> set[str]:
    """Ids of the gateways that are not heard; without a configuration those that had effects."""
    if not facts.is_configured:
        return {one.gateway for one in facts.effects}
    rows = facts.snapshot["gateways"]
    return {row["id"] for row in rows if _is_silent(row, facts.now_ns, rules)}


def _is_silent(row: Mapping[str, Any], now_ns: int, rules: Rules) -> bool:
    heard_ns = _heard_ns(row)
    if row["online"] is False or heard_ns is None:
        return True
    limit = "silent_one_way_s" if _is_one_way(row) else "silent_s"
    longest_ns = max(3 * row["interval_ns"], rules.limit(OFFLINE, limit) * SECOND_NS)
    return bool(now_ns - heard_ns > longest_ns)


def _is_one_way(row: Mapping[str, Any]) -> bool:
    """Its frames come, and not one word of its own: neither birth nor live values."""
    return row["online"] is None and row["received_ns"] is None and bool(row["receipt_ns"])


def _heard_ns(row: Mapping[str, Any]) -> int | None:
    """By which it is known to be there: its newest live message, at a one-way site its frames."""
    heard_ns: int | None = row["receipt_ns"] if _is_one_way(row) else row["received_ns"]
    return heard_ns


def _gateways(facts: PlantFacts, rules: Rules) -> Iterator[Signal]:
    if facts.broker_away_ns is not None:
        yield Signal(Key(facts.plant, AWAY, "", ""), {"away_ns": facts.broker_away_ns})
    elif facts.broker_unkept_ns is not None:
        yield Signal(Key(facts.plant, UNKEPT, "", ""), {"kept_ns": facts.broker_unkept_ns})
    if facts.is_broker_behind:
        yield Signal(Key(facts.plant, BEHIND, "", ""), {})
    for row in facts.snapshot["gateways"]:
        if facts.broker_away_ns is None and _is_silent(row, facts.now_ns, rules):
            values = {"heard_ns": _heard_ns(row)}
            yield Signal(Key(facts.plant, OFFLINE, row["id"], ""), values)
        oldest_ns = (row["spool"] or {}).get("oldest_ns")
        if oldest_ns is None:
            continue
        age_s, rule = (facts.now_ns - oldest_ns) / SECOND_NS, rules.of("backlog")
        verdict = _above(age_s, rule.limits["raise_s"], rule.limits["clear_s"])
        if verdict is not None:
            values = {"oldest_ns": oldest_ns, "frames": row["spool"]["frames"]}
            yield Signal(Key(facts.plant, "backlog", row["id"], ""), values, verdict)


def _above(value: float, raise_at: float, clear_at: float) -> Verdict | None:
    if value > raise_at:
        return Verdict.ON
    return Verdict.BETWEEN if value > clear_at else None


# -- meters ---------------------------------------------------------------------------------------


def _meters(facts: PlantFacts, rules: Rules) -> Iterator[Signal]:
    """One signal a device and kind, however many of its points are concerned; of many devices one.

    "" is the device of such a one: all of the gateway.
    """
    found: defaultdict[Key, list[str]] = defaultdict(list)
    of_device: defaultdict[tuple[str, str], int] = defaultdict(int)
    awaited: set[tuple[str, str]] = set()
    stale = rules.of("meter-stale").limits
    for point, row in facts.snapshot["points"].items():
        if row["computed"] or not row["device"]:
            continue
        device, whole = (row["gateway"], row["device"]), (row["gateway"], "")
        of_device[device] += 1
        of_device[whole] += 1
        kind = _kind_of(facts, point, row, stale)
        if kind == _AWAITED:
            awaited |= {device, whole}
        elif kind is not None:
            found[Key(facts.plant, kind, *device)].append(point)
    found = _together(found)
    for key, points in found.items():
        names, of = ", ".join(points[:_NAMES_MAX]), of_device[key.gateway, key.about]
        yield Signal(key, {"points": len(points), "of": of, "names": names})
    for device in awaited:  # nothing of it was heard yet: what was, stays
        for kind in dict.fromkeys(OF_QUALITY.values()):
            if (key := Key(facts.plant, kind, *device)) not in found:
                yield Signal(key, {}, Verdict.BETWEEN)


def _together(found: Mapping[Key, list[str]]) -> defaultdict[Key, list[str]]:
    """Where too many devices of a gateway have an alarm of one kind, the gateway has it."""
    counts = Counter((key.gateway, key.kind) for key in found)
    made: defaultdict[Key, list[str]] = defaultdict(list)
    for key, points in found.items():
        many = counts[key.gateway, key.kind] > METERS_MAX
        made[key._replace(about="") if many else key] += points
    return made


def _kind_of(
    facts: PlantFacts, point: str, row: Mapping[str, Any], stale: Mapping[str, float]
) -> str | None:
    """Of which kind of alarm a point is; `_AWAITED` while it may come yet, after a start."""
    # by the gateway's own ticks: its clock may differ from ours
    newest_ns, first_ns = facts.ticks.get(row["gateway"], (0, 0))
    known = facts.snapshot["values"].get(point)
    behind_ns = newest_ns - (first_ns if known is None else known[2])
    if behind_ns > max(stale["stale_intervals"] * row["interval_ns"], stale["least_s"] * SECOND_NS):
        return "meter-stale"
    return _AWAITED if known is None else OF_QUALITY.get(known[1])


# -- what others told -----------------------------------------------------------------------------


def _told(facts: PlantFacts) -> Iterator[Signal]:
    """Alarms of gateways and of the collector, as the live page has them."""
    for row in facts.snapshot["alarms"]:
        reason = str(row["reason"])
        if reason == _SAID_BETTER:
            continue
        kind = reason if reason.startswith("edge.") else f"collector.{reason}"
        names = ("count", "first", "last", "file", "month", "places")
        values = {name: row[name] for name in names if name in row}
        yield Signal(Key(facts.plant, kind, str(row["gateway"]), ""), values)


def _configured(facts: PlantFacts) -> Iterator[Signal]:
    for one in facts.configured:
        values = {"at_ns": one.at_ns, "count": one.count, "changes": "; ".join(one.named)}
        key = Key(facts.plant, CONFIG_CHANGED, one.gateway, "")
        yield Signal(key, values, members=one.configs)


# -- the emission rate ----------------------------------------------------------------------------


def _level(facts: PlantFacts, rules: Rules) -> Iterator[Signal]:
    level = facts.level
    if level is None or level.mean is None or level.band is None:
        return
    verdict = _outside(level, rules.limit("emission", "clear_percent"))
    if verdict is not None:
        band = level.band
        values = {
            "mean": round(level.mean, 2), "unit": level.unit, "low": round(band.low, 2),
            "high": round(band.high, 2), "is_learned": band.is_learned,
        }  # fmt: skip
        yield Signal(Key(facts.plant, "emission", "", level.point), values, verdict)


def _outside(level: Level, clear_percent: float) -> Verdict | None:
    """On beyond the band; over when it is inside by a part of the band's width."""
    if level.band is None or level.mean is None:
        return None
    low, high = level.band.low, level.band.high
    if not low <= level.mean <= high:
        return Verdict.ON
    margin = (high - low) * clear_percent / 100
    return None if low + margin <= level.mean <= high - margin else Verdict.BETWEEN


# -- certificates and months ----------------------------------------------------------------------


def _certificates(facts: PlantFacts, rules: Rules) -> Iterator[Signal]:
    for one in facts.certificates:
        left_ns = one.not_after_ns - facts.now_ns
        for kind in ("certificate-ends", "certificate"):
            if left_ns <= rules.limit(kind, "days") * DAY_NS:
                values = {"ends_ns": one.not_after_ns}
                yield Signal(Key(facts.plant, kind, one.gateway, ""), values)
                break  # the urgent one says it all
    ends_ns = facts.collector_ends_ns
    if ends_ns is not None and ends_ns - facts.now_ns <= rules.limit(OF_SEALS, "days") * DAY_NS:
        yield Signal(Key(facts.plant, OF_SEALS, "", ""), {"ends_ns": ends_ns})
    for name, ends_ns in facts.broker_ends.items():
        if ends_ns - facts.now_ns <= rules.limit(OF_BROKER, "days") * DAY_NS:
            yield Signal(Key(facts.plant, OF_BROKER, "", name), {"ends_ns": ends_ns})
    for row in facts.calibrations:
        due, days = date.fromisoformat(row["due"]), rules.limit("calibration", "days")
        if (due - _today(facts)).days <= days:
            values = {"due": row["due"], "number": row["number"]}
            yield Signal(Key(facts.plant, "calibration", "", row["device"]), values)


def _months(facts: PlantFacts) -> Iterable[Signal]:
    kinds = {"urgent": "month-risk", "alarm": "month-late"}
    for row in facts.months:
        if row["level"] in kinds:
            values = {
                "deadline": row["deadline"],
                "days_left": row["days_left"],
                "owed": sum(1 for one in row["owed"] if one["blocks"]),
            }
            yield Signal(Key(facts.plant, kinds[row["level"]], "", row["month"]), values)
        yield from _archive(facts.plant, row)


def _archive(plant: str, row: Mapping[str, Any]) -> Iterator[Signal]:
    """State of a month's sealed archive; of one that waits for its verdict nothing ends."""
    sealed, kinds = row["sealed"], ("month-failed", "month-incomplete")
    if sealed is None:
        if row["archives"]:
            for kind in kinds:
                yield Signal(Key(plant, kind, "", row["month"]), {}, Verdict.BETWEEN)
    elif sealed["verdict"] != PASSED:
        values = {"headline": sealed["headline"], "code": sealed["code"] or None}
        yield Signal(Key(plant, kinds[0], "", row["month"]), values)
    elif sealed["incomplete"]:
        values = {"headline": sealed["headline"]}
        yield Signal(Key(plant, kinds[1], "", row["month"]), values)


def _today(facts: PlantFacts) -> date:
    zone = clock_of(facts.snapshot["plant"]["time_zone"])
    return datetime.fromtimestamp(facts.now_ns // SECOND_NS, UTC).astimezone(zone).date()
