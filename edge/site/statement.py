"""The `[[potline]]` and `[statement]` tables of the site file: which points make which figure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from edge.site.entries import read_entries, read_source
from edge.site.points import SitePoints, Uses, check_point, read_point, read_totaliser
from evidence.points import NAME_ID, exact
from firmware_configs.fields import Fields

TECHNOLOGIES = ("CWPB", "SWPB", "VSS", "HSS", "PFPB-L", "PFPB-M", "PFPB-MW")
SITE = "site"
EDITIONS = ("ipcc-2006", "ipcc-2019", "ndrc-2013", SITE)
SLOPE_MAX = 10
GWP_SETS = ("sar", "ar4", "ar5", "ar6")
OVERVOLTAGE_MODES = ("positive", "algebraic")
POTS_MAX = 1_000

#: Wider than any plant and far from what a count of 64 bits cannot hold.
GROSS_KG_PER_T_MIN, GROSS_KG_PER_T_MAX = 1, 2_000
VOLTS_MAX, SECONDS_MAX, SECOND_DECIMALS = 1_000, 3_600, 3

_MARK = re.compile(r"\{n(?::0([1-9]))?\}")

#: Anode-effect rule in force when the site file names none. Plants use 6-10 V; the rule is part
#: of the signed configuration, so a statement always shows which one was applied.
ANODE_EFFECT_DEFAULTS = {
    "v_start_v": "8", "t_start_s": "2", "v_end_v": "8", "t_end_s": "2", "t_merge_s": "10",
    "target_v": "4.2",
}  # fmt: skip


def read_potlines(root: Fields, points: SitePoints) -> tuple[Mapping[str, Any], ...]:
    """All potlines, in the form of the signed configuration."""
    lines: list[Mapping[str, Any]] = []
    uses = Uses()
    for index, fields in enumerate(root.children("potline")):
        place = f"potline[{index}]"
        line = _read_potline(fields, points, uses, place)
        _claim_pots(fields, place, line["pots"], uses)
        if any(line["id"] == other["id"] for other in lines):
            fields.complain("id", f"{line['id']!r} is used by an earlier potline")
        lines.append(line)
    return tuple(lines)


def _read_potline(fields: Fields, points: SitePoints, uses: Uses, place: str) -> Mapping[str, Any]:
    line_id = fields.text("id", why="lower-case letters, digits and -")
    fields.label = line_id
    if line_id and not NAME_ID.fullmatch(line_id):
        fields.complain("id", f"{line_id!r} must match {NAME_ID.pattern}")
    efficiency = fields.decimal("current_efficiency_percent", default="94")
    if not 50 <= exact(efficiency) <= 100:
        fields.complain("current_efficiency_percent", "is percent: 50 to 100, such as 94.5")
    line = {
        "id": line_id,
        "line_current": read_point(fields, "line_current", points, uses, place, kinds=("current",)),
        "pots": _read_pots(fields, points),
        "technology": fields.choice("technology", TECHNOLOGIES),
        "current_efficiency_percent": efficiency,
        "anode_effect": _anode_effect(fields),
        "indicator": _indicator(fields),
    }
    fields.finish()
    return line


def _indicator(fields: Fields) -> Mapping[str, str]:
    """An edition's coefficients, or, with edition "site", those of the site's own measurement."""
    chosen = {
        "edition": fields.choice("indicator_edition", EDITIONS, default="ipcc-2019"),
        "gwp": fields.choice("indicator_gwp", GWP_SETS, default="ar5"),
    }
    own = ("indicator_slope", "indicator_c2f6_fraction", "indicator_source")
    if chosen["edition"] != SITE:
        for key in filter(fields.has, own):
            fields.complain(key, f'only indicator_edition = "{SITE}" takes it')
            fields.raw(key)
        return chosen
    slope = fields.decimal(own[0], why="kg of CF4 per tonne and AE-min/cell-day, as measured")
    fraction = fields.decimal(own[1], why="kg of C2F6 per kg of CF4, as measured")
    if not 0 < exact(slope) <= SLOPE_MAX:
        fields.complain(own[0], f"{slope!r} is not above 0 and at most {SLOPE_MAX}")
    if not 0 <= exact(fraction) <= 1:
        fields.complain(own[1], f"{fraction!r} is not between 0 and 1")
    source = fields.text(own[2], why="where these typed coefficients come from: report and date")
    return {**chosen, "slope": slope, "c2f6_fraction": fraction, "source": source}


def _claim_pots(fields: Fields, place: str, pots: Sequence[Mapping[str, str]], uses: Uses) -> None:
    """A state may be that of a whole section: only what is measured counts twice."""
    for pot in pots:
        if not uses.claim(fields, "pot_voltage", pot["voltage"], f"{place} pot {pot['id']}"):
            break  # one pot's sentence speaks for all


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
    if not all([_is_template(fields, key, name) for key, name in names.items()]):
        return []
    pots: list[Mapping[str, str]] = []
    for n in range(int(first), int(last) + 1):
        voltage, state = (_filled(name, n) for name in names.values())
        for key, point_id, kind in (
            ("pot_voltage", voltage, "voltage"),
            ("pot_state", state, "state"),
        ):
            if not check_point(fields, key, point_id, points, kinds=(kind,)):
                return []  # one pot's sentence speaks for all
        pots.append({"id": f"{n:02}", "voltage": voltage, "state": state})
    return pots


def _is_template(fields: Fields, key: str, text: str) -> bool:
    """True when the braces in it are {n} or {n:02} and nothing else.

    What a person typed is never a format string: "{n:0999999999}" would fill the memory.
    """
    if set("{}") & set(_MARK.sub("", text)):
        fields.complain(key, f"{text!r} may only hold {{n}} or {{n:02}}, with one digit after 0")
        return False
    return bool(text)


def _filled(template: str, n: int) -> str:
    return _MARK.sub(lambda mark: str(n).zfill(int(mark[1] or 0)), template)


def _anode_effect(fields: Fields) -> Mapping[str, str]:
    if not fields.has("anode_effect"):
        return {**ANODE_EFFECT_DEFAULTS, "mode": OVERVOLTAGE_MODES[0]}
    inner = fields.child("anode_effect")
    rule = {key: inner.decimal(key, default=text) for key, text in ANODE_EFFECT_DEFAULTS.items()}
    rule["mode"] = inner.choice("mode", OVERVOLTAGE_MODES, default=OVERVOLTAGE_MODES[0])
    inner.finish()
    for key, text in rule.items():
        if key == "mode":
            continue
        most, unit = (SECONDS_MAX, "s") if key.endswith("_s") else (VOLTS_MAX, "V")
        if not 0 < exact(text) <= most:
            reason = f"{text!r} must be greater than zero and at most {most} {unit}"
            inner.complain(key, reason)
        elif unit == "s" and (exact(text) * 10**SECOND_DECIMALS).denominator != 1:
            inner.complain(key, f"{text!r} has more than {SECOND_DECIMALS} decimals of a second")
    if not inner.flawed and exact(rule["v_end_v"]) > exact(rule["v_start_v"]):
        inner.complain("v_end_v", "must not be above v_start_v")
    return rule


def read_statement(fields: Fields, points: SitePoints) -> Mapping[str, Any]:
    """What the month's figures are made of, in the form of the signed configuration."""
    statement: dict[str, Any] = {}
    uses = Uses()
    if fields.has("metal"):
        metal = fields.child("metal")
        statement["metal"] = read_totaliser(metal, points, uses, "statement.metal", kinds=("mass",))
        metal.finish()
    if fields.has("anode"):
        anode = fields.child("anode")
        gross = anode.decimal("gross_kg_per_t", why="kg of anode set for a tonne of metal")
        low, high = GROSS_KG_PER_T_MIN, GROSS_KG_PER_T_MAX
        if not low <= exact(gross) <= high:
            anode.complain("gross_kg_per_t", f"{gross!r} is not in {low}..{high} kg/t")
        source = anode.text("source", why="where this typed figure comes from")
        statement["anode"] = {"gross_kg_per_t": gross, "source": source}
        statement["anode"] |= read_source(anode, "about")
        anode.finish()
    statement |= read_entries(fields, points, uses)
    fields.finish()
    return statement
