"""The `[[potline]]` and `[statement]` tables of the site file: which points make which figure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evidence.points import NAME_ID, Point, Role, exact
from firmware_configs.fields import Fields

TECHNOLOGIES = ("CWPB", "SWPB", "VSS", "HSS", "PFPB-L", "PFPB-M")
EDITIONS = ("ipcc-2006", "ipcc-2019", "ndrc-2013")
GWP_SETS = ("sar", "ar4", "ar5", "ar6")
POTS_MAX = 1_000
FUEL_KINDS = ("gas-volume", "mass", "solid-fuel-mass")
FLOW_KINDS = ("gas-flow", "mass-flow")

#: Anode-effect rule in force when the site file names none. Plants use 6-10 V; the rule is part
#: of the signed configuration, so a statement always shows which one was applied.
ANODE_EFFECT_DEFAULTS = {
    "v_start_v": "8", "t_start_s": "2", "v_end_v": "8", "t_end_s": "2", "t_merge_s": "10",
    "target_v": "4.2",
}  # fmt: skip


@dataclass(frozen=True)
class SitePoints:
    """The points the devices give.

    Attributes:
        points: by id.
        unclear: ids of devices with a problem of their own: what they would give is not known.
    """

    points: Mapping[str, Point]
    unclear: frozenset[str] = frozenset()

    def lacks(self, point_id: str) -> bool:
        """True when it is certain that no device gives this point."""
        return point_id not in self.points and point_id.partition(".")[0] not in self.unclear


def read_potlines(root: Fields, points: SitePoints) -> tuple[Mapping[str, Any], ...]:
    """All potlines, in the form of the signed configuration."""
    lines: list[Mapping[str, Any]] = []
    for fields in root.children("potline"):
        line = _read_potline(fields, points)
        if any(line["id"] == other["id"] for other in lines):
            fields.complain("id", f"{line['id']!r} is used by an earlier potline")
        lines.append(line)
    return tuple(lines)


def _read_potline(fields: Fields, points: SitePoints) -> Mapping[str, Any]:
    line_id = fields.text("id", why="lower-case letters, digits and -")
    fields.label = line_id
    if line_id and not NAME_ID.fullmatch(line_id):
        fields.complain("id", f"{line_id!r} must match {NAME_ID.pattern}")
    efficiency = fields.decimal("current_efficiency_percent", default="94")
    if not 50 <= exact(efficiency) <= 100:
        fields.complain("current_efficiency_percent", "is percent: 50 to 100, such as 94.5")
    line = {
        "id": line_id,
        "line_current": _point(fields, "line_current", points, kinds=("current",)),
        "pots": _read_pots(fields, points),
        "technology": fields.choice("technology", TECHNOLOGIES),
        "current_efficiency_percent": efficiency,
        "anode_effect": _anode_effect(fields),
        "indicator": {
            "edition": fields.choice("indicator_edition", EDITIONS, default="ipcc-2019"),
            "gwp": fields.choice("indicator_gwp", GWP_SETS, default="ar5"),
        },
    }
    fields.finish()
    return line


def _read_pots(fields: Fields, points: SitePoints) -> list[Mapping[str, str]]:
    text = fields.text("pots", why='a range such as "1-24"')
    names = {
        key: fields.text(key, why='a point id with {n}, such as "pot-gateway.pot-{n:02}.voltage"')
        for key in ("pot_voltage", "pot_state")
    }
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        if text:
            fields.complain("pots", f'{text!r} must be a range of numbers such as "1-24"')
        return []
    if int(last) - int(first) >= POTS_MAX:
        fields.complain("pots", f"{text!r} is more than {POTS_MAX} pots")
        return []
    if not all(names.values()):
        return []
    pots: list[Mapping[str, str]] = []
    for n in range(int(first), int(last) + 1):
        try:
            voltage, state = (name.format(n=n) for name in names.values())
        except (KeyError, ValueError, IndexError, AttributeError, TypeError):
            fields.complain("pot_voltage", "pot_voltage and pot_state may only hold {n} or {n:02}")
            return []
        for key, point_id, kind in (
            ("pot_voltage", voltage, "voltage"),
            ("pot_state", state, "state"),
        ):
            if not _check_point(fields, key, point_id, points, kinds=(kind,)):
                return []  # one pot's sentence speaks for all
        pots.append({"id": f"{n:02}", "voltage": voltage, "state": state})
    return pots


def _anode_effect(fields: Fields) -> Mapping[str, str]:
    if not fields.has("anode_effect"):
        return {**ANODE_EFFECT_DEFAULTS, "mode": "positive"}
    inner = fields.child("anode_effect")
    rule = {key: inner.decimal(key, default=text) for key, text in ANODE_EFFECT_DEFAULTS.items()}
    rule["mode"] = inner.choice("mode", ("positive",), default="positive")
    inner.finish()
    for key, text in rule.items():
        if key != "mode" and exact(text) <= 0:
            inner.complain(key, f"{text!r} must be greater than zero")
    if not inner.flawed and exact(rule["v_end_v"]) > exact(rule["v_start_v"]):
        inner.complain("v_end_v", "must not be above v_start_v")
    return rule


def read_statement(fields: Fields, points: SitePoints) -> Mapping[str, Any]:
    """What the month's figures are made of, in the form of the signed configuration."""
    statement: dict[str, Any] = {}
    if fields.has("metal"):
        metal = fields.child("metal")
        statement["metal"] = _totaliser(metal, points, kinds=("mass",))
        metal.finish()
    if fields.has("anode"):
        anode = fields.child("anode")
        gross = anode.decimal("gross_kg_per_t", why="kg of anode set for a tonne of metal")
        if exact(gross) <= 0:
            anode.complain("gross_kg_per_t", f"{gross!r} must be greater than zero")
        source = anode.text("source", why="where this typed figure comes from")
        statement["anode"] = {"gross_kg_per_t": gross, "source": source}
        anode.finish()
    statement["fuels"] = _meters(
        fields, "fuel", points, kinds=FUEL_KINDS, gauge="flow_point", gauge_kinds=FLOW_KINDS
    )
    statement["auxiliary"] = _meters(
        fields, "auxiliary", points, kinds=("energy",), gauge="power_point", gauge_kinds=("power",)
    )
    fields.finish()
    return statement


def _meters(
    fields: Fields,
    key: str,
    points: SitePoints,
    *,
    kinds: tuple[str, ...],
    gauge: str,
    gauge_kinds: tuple[str, ...],
) -> list[Mapping[str, str]]:
    entries: list[Mapping[str, str]] = []
    for inner in fields.children(key):
        entry = {"kind": inner.text("kind", why="such as natural-gas or electricity")}
        entry |= _totaliser(inner, points, kinds=kinds)
        if inner.has(gauge):
            entry[gauge] = _point(inner, gauge, points, kinds=gauge_kinds)
        inner.finish()
        entries.append(entry)
    return entries


def _totaliser(fields: Fields, points: SitePoints, *, kinds: tuple[str, ...]) -> dict[str, str]:
    point_id = _point(fields, "point", points, kinds=kinds)
    rule = fields.choice("rule", ("totaliser",), default="totaliser")
    point = points.points.get(point_id)
    if point is not None and point.quantity.kind in kinds and point.role is not Role.TOTALISER:
        fields.complain("point", f"{point_id!r} is a {point.role.value}, not a totaliser")
    return {"point": point_id, "rule": rule}


def _point(fields: Fields, key: str, points: SitePoints, *, kinds: tuple[str, ...]) -> str:
    point_id = fields.text(key, why="a point id, <device>.<register>")
    if point_id:
        _check_point(fields, key, point_id, points, kinds=kinds)
    return point_id


def _check_point(
    fields: Fields, key: str, point_id: str, points: SitePoints, *, kinds: tuple[str, ...]
) -> bool:
    """Complain unless the point exists and is of one of these kinds; True when it is."""
    point = points.points.get(point_id)
    if point is None:
        if points.lacks(point_id):
            fields.complain(key, f"{point_id!r} is no point of any device")
        return False
    if point.quantity.kind not in kinds:
        needed = " or ".join(kinds)
        fields.complain(key, f"{point_id!r} is {point.quantity.kind}; {needed} is needed")
        return False
    return True
