"""Which quantities of a plant belong together, by its configuration and its statement. Pure.

A totaliser and the rate of the same meter; metal, current and electricity of a potline; fuel, raw
meal and clinker of a kiln; what a reviewer says enters and leaves a network; each fuel against what
is made. What cannot be told from the configuration is left out.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np

from edge.calc.factors import rule_set
from edge.calc.screening.month import Floats, ScreenedMonth, is_measured
from edge.calc.screening.ranges import Relation
from evidence.points import Point, Role

TOTALISER, INTENSITY = "totaliser", "intensity"
#: kind and unit of a rate -> kind and unit of its total -> totals in an hour's rate of one
_PAIRED: Mapping[tuple[str, str], tuple[tuple[str, ...], Mapping[str, float]]] = {
    ("mass-flow", "t/h"): (("mass", "solid-fuel-mass"), {"t": 1, "kg": 1000}),
    ("mass-flow", "kg/h"): (("mass", "solid-fuel-mass"), {"t": 0.001, "kg": 1}),
    ("gas-flow", "Nm3/h"): (("gas-volume",), {"Nm3": 1, "10^4 Nm3": 1e-4}),
    ("gas-flow", "m3/h"): (("gas-volume",), {"m3": 1}),
    ("power", "kW"): (("energy",), {"kWh": 1, "MWh": 0.001, "Wh": 1000}),
    ("power", "MW"): (("energy",), {"kWh": 1000, "MWh": 1, "Wh": 1e6}),
    ("power", "W"): (("energy",), {"kWh": 0.001, "MWh": 1e-6, "Wh": 1}),
}
_TONNES = {"t": 1.0, "kg": 0.001, "t/h": 1.0, "kg/h": 0.001}
_KWH = {"kWh": 1.0, "MWh": 1000.0, "Wh": 0.001}
_KA = {"kA": 1.0, "A": 0.001}
_VOLT = {"V": 1.0, "mV": 0.001}
#: less or more than this, and a meter is evidently not of the potline alone
_OF_THE_LINE = 0.5, 2.0
_PERCENT = 100.0


def relations(month: ScreenedMonth) -> list[Relation]:
    """All that can be told of a month, made once for all who ask."""
    made: list[Relation] | None = month.__dict__.get("_relations")
    if made is None:
        made = [
            *_totalisers(month), *_potlines(month), *_kiln(month), *_balances(month),
            *_intensities(month),
        ]  # fmt: skip
        month.__dict__["_relations"] = made
    return made


@cache
def _range(name: str) -> Mapping[str, Any]:
    rows = rule_set("screening")
    return {"low": rows.row(f"{name}.low"), "high": rows.row(f"{name}.high")}


def _ratio(over: Floats, under: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(under > 0, over / under, np.nan)
    return found


def _entries(month: ScreenedMonth, *tables: str) -> Iterator[Mapping[str, Any]]:
    """Entries of the configuration's statement section that have a meter."""
    said = month.config["statement"]
    for table in tables:
        found = said.get(table, ())
        for entry in [found] if isinstance(found, dict) else found:
            if month.row(str(entry.get("point", ""))) is not None:
                yield entry


def _point(month: ScreenedMonth, point_id: str) -> Point:
    row = month.row(point_id)
    assert row is not None  # noqa: S101 - callers ask for points that are kept
    return month.quarters.points[row]


def _amount(month: ScreenedMonth, point_id: str, units: Mapping[str, float]) -> Floats | None:
    """Days of a point in the unit that `units` makes 1; None where its unit is none of them."""
    row = month.row(point_id)
    if row is None:
        return None
    times = units.get(month.quarters.points[row].quantity.unit)
    return None if times is None else month.days(row) * times


def _totalisers(month: ScreenedMonth) -> Iterator[Relation]:
    pairs = {
        (entry["point"], flow): None
        for entry in _entries(month, "fuels", "auxiliary", "process", "products", "raw_materials")
        if (flow := entry.get("flow_point") or entry.get("power_point"))
        and month.row(flow) is not None
    }
    pairs |= dict.fromkeys(_of_one_device(month))
    high = rule_set("screening").row("totaliser.percent")
    for total_id, rate_id in pairs:
        total, rate = _point(month, total_id), _point(month, rate_id)
        known = _PAIRED.get((rate.quantity.kind, rate.quantity.unit))
        if known is None or total.quantity.unit not in known[1]:
            continue
        by_rate = _amount(month, rate_id, {rate.quantity.unit: known[1][total.quantity.unit]})
        by_total = _amount(month, total_id, {total.quantity.unit: 1})
        if by_rate is not None and by_total is not None:
            yield Relation(
                TOTALISER, f"{total_id} / {rate_id}", "1", _ratio(by_total, by_rate), high=high
            )


def _of_one_device(month: ScreenedMonth) -> Iterator[tuple[str, str]]:
    """The only totaliser and the only rate of a kind that a device has, of one reference state."""
    points = [p for p in month.quarters.points if p.device]
    for rate in points:
        known = _PAIRED.get((rate.quantity.kind, rate.quantity.unit))
        if known is None or not is_measured(rate):
            continue
        same = [p for p in points if p.device == rate.device and p.role is Role.TOTALISER]
        of = [
            p for p in same
            if p.quantity.kind in known[0] and p.quantity.reference == rate.quantity.reference
            and p.quantity.moisture == rate.quantity.moisture
        ]  # fmt: skip
        rates = Counter(
            p.quantity.kind
            for p in points
            if p.device == rate.device
            and is_measured(p)
            and p.quantity.reference == rate.quantity.reference
        )
        if len(of) == 1 and rates[rate.quantity.kind] == 1:
            yield of[0].id, rate.id


def _potlines(month: ScreenedMonth) -> Iterator[Relation]:
    said, lines = month.config["statement"].get("metal"), month.config.get("potlines") or []
    if not isinstance(said, dict) or len(lines) != 1:
        return
    line = lines[0]
    metal = _amount(month, said.get("point", ""), _TONNES)
    ampere_hours = _amount(month, line["line_current"], _KA)
    if metal is None or ampere_hours is None:
        return
    pots, where = len(line["pots"]), f"{said['point']} / {line['line_current']}"
    faraday = float(rule_set("physics").row("aluminium.faraday").value) / 24 / 1000
    efficiency = _PERCENT * _ratio(metal, faraday * pots * ampere_hours)
    yield Relation(
        "current-efficiency", where, "%", efficiency, **_range("aluminium.current_efficiency")
    )
    rows = [month.row(pot["voltage"]) for pot in line["pots"] if pot.get("voltage")]
    current = month.row(line["line_current"])
    kept = [row for row in rows if row is not None]
    if not kept or len(kept) < pots or current is None:
        return
    volts = sum(
        (
            month.days(row) / 24 * _VOLT.get(month.quarters.points[row].quantity.unit, np.nan)
            for row in kept
        ),
        np.zeros_like(ampere_hours),
    )
    dc_kwh = volts * ampere_hours
    yield Relation(
        "dc-energy", where, "kWh/t", _ratio(dc_kwh, metal), **_range("aluminium.dc_energy")
    )
    for entry in _entries(month, "auxiliary"):
        ac_kwh = _amount(month, entry["point"], _KWH)
        if ac_kwh is None or entry.get("kind") != "electricity":
            continue
        ratio = _ratio(ac_kwh, dc_kwh)
        known = ratio[np.isfinite(ratio)]
        if known.size and _OF_THE_LINE[0] < float(np.median(known)) < _OF_THE_LINE[1]:
            yield Relation("ac-dc", str(entry["point"]), "1", ratio, **_range("aluminium.ac_dc"))


def _kiln(month: ScreenedMonth) -> Iterator[Relation]:
    said = month.config["statement"].get("kiln_feed")
    if not isinstance(said, dict):
        return
    feed = _amount(month, str(said.get("flow_point", "")), _TONNES)
    if feed is None:
        return
    clinker = feed / float(said["meal_per_clinker"])
    fuels = list(_entries(month, "fuels"))
    heat = np.zeros_like(clinker)
    used: list[str] = []
    for entry in fuels:
        ncv = _ncv(month, str(entry["point"]))
        tonnes = _amount(month, str(entry["point"]), _TONNES)
        if ncv is None or tonnes is None:
            return
        heat, used = heat + ncv * tonnes, [*used, str(entry["point"])]
    if used:
        limits = dict(_range("clinker.heat"))
        if _other_fuel(month, used):
            limits["low"] = None
        yield Relation("clinker-heat", " + ".join(used), "GJ/t", _ratio(heat, clinker), **limits)
    made = month.statement["input"].get("clinker") or []
    tonnes_made = sum(float(row["quantity"]) for row in made if "quantity" in row)
    if tonnes_made and np.isfinite(feed).all():
        ratios = feed * len(feed) / tonnes_made
        yield Relation(
            "raw-meal", str(said["flow_point"]), "t/t", ratios, **_range("clinker.raw_meal")
        )


def _other_fuel(month: ScreenedMonth, used: list[str]) -> bool:
    """A fuel is weighed that no line of the statement burns, by another device than the lines'."""
    devices = {_point(month, one).device for one in used}
    return any(
        p.quantity.kind == "solid-fuel-mass" and p.device not in devices
        for p in month.quarters.points
    )


def _ncv(month: ScreenedMonth, point_id: str) -> float | None:
    """Net heating value of the statement's line that a point makes, GJ/t."""
    for line in month.statement["output"].get("lines", ()):
        parameters = line.get("parameters", {})
        frames = parameters.get("quantity", {}).get("provenance", {}).get("frames", {})
        if frames.get("point") == point_id and "ncv" in parameters:
            return float(parameters["ncv"]["value"])
    return None


def _balances(month: ScreenedMonth) -> Iterator[Relation]:
    """What a reviewer says enters and leaves: % that is not found again."""
    high = rule_set("screening").row("gas_network.percent")
    for balance in month.balances:
        rows = [month.row(one) for one in (*balance.enters, *balance.leaves)]
        if any(row is None for row in rows):
            continue
        enters, leaves = (
            sum((_in_balance(month, one) for one in ids), np.zeros(month.quarter_count // 96))
            for ids in (balance.enters, balance.leaves)
        )
        residual = _PERCENT * _ratio(enters - leaves, enters)
        yield Relation("balance", balance.name, "%", residual, high=high)


def _in_balance(month: ScreenedMonth, point_id: str) -> Floats:
    row = month.row(point_id)
    assert row is not None  # noqa: S101 - looked up just before
    return month.days(row)


def _intensities(month: ScreenedMonth) -> Iterator[Relation]:
    """Each metered fuel, material and electricity against what is made, for months' comparison."""
    made, name = _made(month)
    if made is None:
        return
    for entry in _entries(month, "fuels", "auxiliary"):
        row = month.row(str(entry["point"]))
        if row is not None:
            unit = f"{month.quarters.points[row].quantity.unit}/t"
            ratios = _ratio(month.days(row), made)
            yield Relation(INTENSITY, f"{entry['point']} / {name}", unit, ratios)


def _made(month: ScreenedMonth) -> tuple[Floats | None, str]:
    """Tonnes made each day: metal, raw meal fed, or products together."""
    said = month.config["statement"]
    if isinstance(said.get("metal"), dict):
        point = str(said["metal"].get("point", ""))
        return _amount(month, point, _TONNES), point
    if isinstance(said.get("kiln_feed"), dict):
        point = str(said["kiln_feed"].get("flow_point", ""))
        return _amount(month, point, _TONNES), point
    products = [str(entry["point"]) for entry in _entries(month, "products")]
    amounts = [_amount(month, point, _TONNES) for point in products]
    known = [amount for amount in amounts if amount is not None]
    if not known or len(known) < len(products):
        return None, ""
    return np.sum(known, axis=0), " + ".join(products)
