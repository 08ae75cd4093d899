"""What the live page must know of a plant, taken from its signed configuration. Pure.

The result is plain JSON-ready data: the page never sees addresses, keys or device settings.
"""

import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from cloud.live.made import made
from evidence.points import NAME_ID, Point, Provenance, Role
from evidence.time_zones import time_zone


class FactsError(Exception):
    """The configuration lacks something the page needs, or has it in another form."""


@dataclass(frozen=True)
class Input:
    """One input of the month's figure, for the share of trusted data.

    Attributes:
        id: a point id, or a potline id for the pot voltages of that line taken together.
        points: the points that make it up.
        interval_ns: how often it is read.
        states: pot voltages only: state point of each entry of `points` (else empty); pots that
            do not produce are left out.
        producing: the texts of the state that mean "produces".
    """

    id: str
    points: tuple[str, ...]
    interval_ns: int
    states: tuple[str, ...] = ()
    producing: frozenset[str] = frozenset()


@dataclass(frozen=True)
class GatewayFacts:
    """One gateway's share of the plant.

    Attributes:
        plant: id, name, sector, time_zone, rule_set, simulated.
        zone: the plant's time zone.
        interval_ns: how often a live message is due (fastest schedule, at least one second).
        points: point id -> JSON-ready facts.
        totalisers: ids of points that only count up.
        recorded: ids whose last ten minutes are kept for the page's traces.
        potlines: JSON-ready, as in the configuration.
        pots: (potline, pot) of each; an effect of any other is none.
        inputs: inputs of the month's figure this gateway reads.
        statement: JSON-ready: which points the month's figure is made of.
        made: JSON-ready: how each live emission figure is made (`cloud.live.made`).
        software: name and version of the program that signed the configuration; "" of old ones.
    """

    plant: Mapping[str, Any]
    zone: ZoneInfo
    interval_ns: int
    points: Mapping[str, Mapping[str, Any]]
    totalisers: frozenset[str]
    recorded: frozenset[str]
    potlines: tuple[Mapping[str, Any], ...]
    pots: frozenset[tuple[str, str]]
    inputs: tuple[Input, ...]
    statement: Mapping[str, Any]
    made: tuple[Mapping[str, Any], ...] = ()
    software: str = ""


#: computed points drawn as the page's headline traces: each sector has its own
HEADLINES = frozenset(
    {"plant.co2e_t_h", "plant.co2_indicator_t_h", "plant.now_co2_t_h", "plant.month_co2_t_h",
     "plant.fuel_co2_t_h"}
)  # fmt: skip
#: name of the pot state that counts, as the profiles call it (edge.calc.effects.potline)
PRODUCING = "producing"
LIVE_INTERVAL_MIN_NS = 1_000_000_000
#: characters that lists of all plants show of a text that one gateway chose
SOFTWARE_MAX, TEXT_MAX = 64, 200
#: how points that hold an identifier are called in the profiles of firmware_configs
_NAMES = re.compile(r"(^|[._])(serial|meter_number|version_code|device_identifier)(_[a-z]+)?$")


def gateway_facts(gateway: str, config: Mapping[str, Any]) -> GatewayFacts:
    """The page's facts out of one signed configuration.

    Raises:
        FactsError: the configuration is not of the form this program knows.
    """
    try:
        return _facts(gateway, config)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise FactsError(
            f"configuration of gateway {gateway}: {type(error).__name__}: {error}"
        ) from error


def _facts(gateway: str, config: Mapping[str, Any]) -> GatewayFacts:
    points = [Point.from_map(row) for row in config["points"]]
    intervals = [int(row["interval_ns"]) for row in config["schedules"]]
    if not all(1 <= interval < 2**63 for interval in intervals):
        raise ValueError("interval_ns must be 1 to 2^63 - 1")
    of_point = _intervals(config["groups"], intervals, len(points))
    states = {p.id: p.states for p in points if p.role is Role.STATE}
    potlines = tuple(_potline(row, states) for row in config.get("potlines", ()))
    voltages = {pot["voltage"] for line in potlines for pot in line["pots"]}
    alike = dict[Hashable, Mapping[str, Any]]()  # most points say the same
    return GatewayFacts(
        plant=_plant(config["plant"]),
        zone=time_zone(config["plant"]["time_zone"]),
        interval_ns=max(LIVE_INTERVAL_MIN_NS, min(intervals, default=LIVE_INTERVAL_MIN_NS)),
        points={p.id: _point(p, gateway, of_point[n], alike) for n, p in enumerate(points)},
        totalisers=frozenset(p.id for p in points if p.role is Role.TOTALISER),
        recorded=frozenset(voltages | (HEADLINES & {p.id for p in points})),
        potlines=potlines,
        pots=frozenset((line["id"], pot["id"]) for line in potlines for pot in line["pots"]),
        inputs=_inputs(
            config.get("statement", {}), potlines, {p.id: of_point[n] for n, p in enumerate(points)}
        ),
        statement=_statement(config.get("statement", {})),
        made=tuple(made(config)),
        software=str(config.get("software", ""))[:SOFTWARE_MAX],
    )


def _plant(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("id", "name", "sector", "time_zone", "rule_set")
    texts = {name: _plain(str(row[name])) for name in names}
    return texts | {"simulated": row["simulated"] is True}


def _intervals(groups: Iterable[Mapping[str, Any]], intervals: list[int], count: int) -> list[int]:
    result = [max(intervals, default=LIVE_INTERVAL_MIN_NS)] * count
    for group in groups:
        for number in group["points"]:
            result[number] = intervals[group["schedule"]]
    return result


def _point(
    point: Point, gateway: str, interval_ns: int, alike: dict[Hashable, Mapping[str, Any]]
) -> Mapping[str, Any]:
    told = point.quantity, point.decimals, point.role, point.provenance, point.device, point.states
    is_identifier = _is_identifier(point)
    if (known := alike.get((told, interval_ns, is_identifier))) is not None:
        return known
    made = alike[told, interval_ns, is_identifier] = {
        **point.quantity.as_map(),
        "decimals": point.decimals,
        "role": point.role.value,
        "provenance": point.provenance.value,
        "computed": point.provenance is Provenance.COMPUTED,
        "device": _plain(point.device),
        "gateway": gateway,
        "interval_ns": interval_ns,
        "states": [[value, name] for value, name in point.states],
        "identifier": is_identifier,
    }
    return made


def _is_identifier(point: Point) -> bool:
    """A number that names something (serial number, version): pages never group its digits.

    Told by the profiles' own names; nothing else in a configuration says it.
    """
    is_whole = point.quantity.kind == "count" and point.role is Role.GAUGE and not point.decimals
    return is_whole and bool(_NAMES.search(point.id))


def _potline(
    row: Mapping[str, Any], states: Mapping[str, tuple[tuple[int, str], ...]]
) -> dict[str, Any]:
    pots = [
        {"id": _id(p["id"]), "voltage": str(p["voltage"]), "state": str(p["state"])}
        for p in row["pots"]
    ]
    return {
        "id": _id(row["id"]),
        "line_current": str(row["line_current"]),
        "pots": pots,
        # raw states, as the values' texts, in which a pot counts
        "producing": sorted(
            {str(v) for p in pots for v, name in states[p["state"]] if name == PRODUCING}
        ),
        "technology": str(row["technology"]),
        "anode_effect": {k: str(v) for k, v in row["anode_effect"].items()},
        "indicator": {k: str(v) for k, v in row["indicator"].items()},
    }


def _plain(text: str) -> str:
    """As pages, mails and lists may have it: of one line."""
    return "".join(
        one if one.isprintable() else " " if one.isspace() else "\N{REPLACEMENT CHARACTER}"
        for one in text[:TEXT_MAX]
    )


def _id(text: object) -> str:
    """Of a potline or pot: it stands in lists, tables for spreadsheets and alarms of all plants."""
    if not NAME_ID.fullmatch(str(text)):
        raise ValueError(f"{str(text)[:40]!r} must match {NAME_ID.pattern}")
    return str(text)


def _statement(row: Mapping[str, Any]) -> dict[str, Any]:
    def streams(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
        names = ("kind", "point", "flow_point", "power_point")
        return [{n: str(r[n]) for n in names if r.get(n) is not None} for r in rows]

    metal = row.get("metal") or {}
    return {
        "metal": str(metal["point"]) if metal.get("point") is not None else None,
        "fuels": streams(row.get("fuels", ())),
        "auxiliary": streams(row.get("auxiliary", ())),
    }


def _inputs(
    statement: Mapping[str, Any],
    potlines: tuple[Mapping[str, Any], ...],
    interval_of: Mapping[str, int],
) -> tuple[Input, ...]:
    tables = [rows if isinstance(rows, list) else [rows] for rows in statement.values() if rows]
    ids = [
        str(row[key])
        for rows in tables
        for row in rows
        for key in ("point", "purchased", "output")
        if key in row
    ]
    lines = [
        Input(
            id=line["id"],
            points=tuple(pot["voltage"] for pot in line["pots"]),
            interval_ns=max(interval_of[pot["voltage"]] for pot in line["pots"]),
            states=tuple(pot["state"] for pot in line["pots"]),
            producing=frozenset(line["producing"]),
        )
        for line in potlines
    ]
    single = [Input(i, (i,), interval_of[i]) for i in dict.fromkeys(ids)]
    return (*single, *lines)
