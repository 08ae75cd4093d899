"""What a configuration may say: both verifiers take the same ones, and neither ends on another."""

import copy
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from evidence import cbor
from evidence.blocks import compress
from evidence.configuration import decode_configuration
from evidence.errors import EvidenceError, LimitError, MalformedError, UnsupportedError
from evidence.points import KINDS
from evidence.recompute import Recomputation
from tests.independent.other import RULE_SETS, run_node
from tests.independent.random_configurations import mutated, ruled
from tests.unit.evidence.small_plant import configuration

SEEDS = range(150, 1650)

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("npm")]


def said_here(payload: bytes) -> str | None:
    """The code of the finding, None for what figures can be made by."""
    try:
        config = decode_configuration(payload)
    except (MalformedError, LimitError):
        return "E-CFG"
    except UnsupportedError:
        return "C-FORMAT"
    try:
        Recomputation().configure(b"x", config)
    except EvidenceError as error:
        return "C-RULES" if isinstance(error, UnsupportedError) else "E-CFG"
    return None


def said_there(payloads: Iterable[bytes], folder: Path) -> list[tuple[str, str] | None]:
    file = folder / "payloads"
    file.write_text("".join(f"{payload.hex()}\n" for payload in payloads))
    return run_node("configs.mjs", RULE_SETS, file)


def code(answer: tuple[str, str] | None) -> str | None:
    return answer[0] if answer else None


def test_both_take_the_same_configurations(tmp_path: Path, times: int) -> None:
    payloads = {}
    for seed in SEEDS[: 600 * times]:
        try:
            payloads[seed] = compress(cbor.encode(mutated(seed)))
        except EvidenceError:
            continue  # no CBOR of this format
    here = {seed: said_here(payload) for seed, payload in payloads.items()}
    there = said_there(payloads.values(), tmp_path)
    assert [
        (seed, here[seed], answer)
        for seed, answer in zip(payloads, there, strict=True)
        if code(answer) != here[seed]
    ] == []
    assert {None, "E-CFG", "C-FORMAT", "C-RULES"} <= Counter(here.values()).keys()


def _line(config: Any) -> Any:
    return config["potlines"][0]


def _site(config: Any, **changes: str | None) -> None:
    """Coefficients of the site's own, with some of them changed or left out."""
    own = {"slope": "0.1", "c2f6_fraction": "0.06", "source": "measured 2026-03"} | changes
    told = {key: text for key, text in own.items() if text is not None}
    _line(config)["indicator"] = {"edition": "site", "gwp": "ar5", **told}


def _point(config: Any, point_id: str) -> Any:
    return next(point for point in config["points"] if point["id"] == point_id)


def _second_fuel(config: Any, **fields: str) -> None:
    config["statement"]["fuels"].append({**config["statement"]["fuels"][0], **fields})


def _another_state(config: Any) -> None:
    _point(config, "pot-02.state")["states"] = [[0, "producing"], [1, "unknown"]]


def _no_computed_points(config: Any) -> None:
    group = config["groups"].pop()
    del config["points"][group["points"][0] :]


#: rule of FIGURES.md §1 or FORMAT.md §5 -> how it is broken
BROKEN: dict[str, Callable[[Any], Any]] = {
    "a rule that is no number": lambda c: _line(c)["anode_effect"].update(v_start_v="high"),
    "a voltage too fine": lambda c: _line(c)["anode_effect"].update(v_end_v="7.9999"),
    "an end above the start": lambda c: _line(c)["anode_effect"].update(v_end_v="8.001"),
    "a target above the end": lambda c: _line(c)["anode_effect"].update(target_v="8"),
    "a merge time below 1.5 samples": lambda c: _line(c)["anode_effect"].update(t_merge_s="1.499"),
    "no such overvoltage": lambda c: _line(c)["anode_effect"].update(mode="upward"),
    "a time below 0": lambda c: _line(c)["anode_effect"].update(t_end_s="-1"),
    "no such flow": lambda c: c["statement"]["fuels"][0].update(flow_point="nothing"),
    "no such power": lambda c: c["statement"]["auxiliary"][0].update(power_point="nothing"),
    "a computed power": lambda c: c["statement"]["auxiliary"][0].update(
        power_point="line-1.aef_day"
    ),
    "no such current": lambda c: _line(c).update(line_current="nothing"),
    "a current in V": lambda c: _line(c).update(line_current="pot-01.voltage"),
    "one total for two fuels": lambda c: _second_fuel(c, kind="coke-oven-gas"),
    "one flow for two fuels": lambda c: _second_fuel(c, point="line.metal"),
    "one voltage for two pots": lambda c: _line(c)["pots"][1].update(voltage="pot-01.voltage"),
    "states that are not alike": _another_state,
    "a state of decimals": lambda c: _point(c, "pot-01.state").update(decimals=1),
    "a state that is scaled": lambda c: _point(c, "pot-01.state").update(scaling={"ct_ratio": "5"}),
    "a state that is moved": lambda c: _point(c, "pot-01.state").update(scaling={"offset": "1"}),
    "a state in volts": lambda c: _line(c)["pots"][0].update(state="line.current"),
    "an efficiency of 0.945": lambda c: _line(c).update(current_efficiency_percent="0.945"),
    "an efficiency of 101": lambda c: _line(c).update(current_efficiency_percent="101"),
    "no such edition": lambda c: _line(c)["indicator"].update(edition="ipcc-2050"),
    "no slope in the edition": lambda c: _line(c)["indicator"].update(edition="physics"),
    "coefficients beside an edition's": lambda c: _line(c)["indicator"].update(slope="0.1"),
    "a site without a source": lambda c: _site(c, source=None),
    "a site without a slope": lambda c: _site(c, slope=None),
    "a slope of 0": lambda c: _site(c, slope="0"),
    "a slope above 10": lambda c: _site(c, slope="10.001"),
    "a fraction above 1": lambda c: _site(c, c2f6_fraction="4/3"),
    "a fraction below 0": lambda c: _site(c, c2f6_fraction="-0.1"),
    "a site of no technology": lambda c: _site(c) or _line(c).update(technology="PFPB"),
    "no such gwp": lambda c: _line(c)["indicator"].update(gwp="ar9"),
    "no such technology": lambda c: _line(c).update(technology="PFPB"),
    "a volume as a flow": lambda c: _point(c, "gas.flow").update(
        quantity=_point(c, "gas.volume")["quantity"]
    ),
    "gas at 20 degrees": lambda c: _point(c, "gas.volume")["quantity"].update(
        reference="20C-101.325kPa"
    ),
    "wet gas": lambda c: _point(c, "gas.flow")["quantity"].update(moisture="wet"),
    "a fuel of another unit": lambda c: c["statement"]["fuels"][0].update(kind="diesel"),
    "no such fuel": lambda c: c["statement"]["fuels"][0].update(kind="peat"),
    "no anode at all": lambda c: c["statement"]["anode"].update(gross_kg_per_t="0"),
    "no such kind": lambda c: _point(c, "ac.power")["quantity"].update(kind="strength"),
    "no such unit": lambda c: _point(c, "ac.power")["quantity"].update(unit="PS"),
    "a qualifier too many": lambda c: _point(c, "ac.power")["quantity"].update(moisture="dry"),
    "no such provenance": lambda c: _point(c, "ac.power").update(provenance="rumour"),
    "an id in capitals": lambda c: _point(c, "ac.power").update(id="AC.power"),
    "a state in floats": lambda c: _point(c, "ac.power").update(role="state"),
    "a scale of 0": lambda c: _point(c, "ac.power").update(scaling={"scale": "0"}),
    "no computed points": _no_computed_points,
    "a time zone in small letters": lambda c: c["plant"].update(time_zone="asia/shanghai"),
    "a machine's own time zone": lambda c: c["plant"].update(time_zone="localtime"),
    "a time zone of no place": lambda c: c["plant"].update(time_zone="Factory"),
    "a time zone with leap seconds": lambda c: c["plant"].update(time_zone="right/Asia/Shanghai"),
    "an offset for a time zone": lambda c: c["plant"].update(time_zone="+08:00"),
    "a schedule without groups": lambda c: c["schedules"].append({"interval_ns": 10**9}),
    "two devices of one id": lambda c: c["devices"][1].update(id="pots"),
    "a computed point of other decimals": lambda c: _point(c, "line-1.aef_day").update(
        decimals=3, scaling={"raw_decimals": 3}
    ),
    "a computed point that is scaled": lambda c: _point(c, "line-1.aef_day").update(
        scaling={"raw_decimals": 3}
    ),
}  # fmt: skip
BROKEN |= {
    name: lambda c, point=point, fields=fields: _point(c, point).update(fields)
    for name, point, fields in (
        ("a jump of 0", "gas.flow", {"rules": {"jump": "0"}}),
        ("a rate that is no number", "gas.flow", {"rules": {"rate_per_s": "fast"}}),
        ("a tolerance of nothing", "gas.flow", {"rules": {"stuck_tolerance": "1"}}),
        ("an unknown limit", "gas.flow", {"rules": {"spike": "1"}}),
        ("a stuck totaliser", "line.metal", {"rules": {"stuck_after_s": "1"}}),
        ("a jump of a totaliser", "line.metal", {"rules": {"jump": "1"}}),
        ("a rate of a state", "pot-01.state", {"rules": {"rate_per_s": "1"}}),
        ("marks of nothing", "pot-01.state", {"marks": [[0, 134]]}),
        ("nothing said of a point", "pot-01.state", {"speaks_of": ["gas.flow"]}),
        ("a gauge that marks", "gas.flow", {"marks": [[0, 134]], "speaks_of": ["ac.power"]}),
        ("a mark of another code", "pot-01.state",
         {"marks": [[0, 135]], "speaks_of": ["pot-01.voltage"]}),
        ("two marks of one value", "pot-01.state",
         {"marks": [[0, 134], [0, 139]], "speaks_of": ["pot-01.voltage"]}),
        ("a state that speaks of a state", "pot-01.state",
         {"marks": [[0, 134]], "speaks_of": ["pot-02.state"]}),
        ("a state that speaks of nobody", "pot-01.state",
         {"marks": [[0, 134]], "speaks_of": ["nobody"]}),
        ("a state that speaks twice", "pot-01.state",
         {"marks": [[0, 134]], "speaks_of": ["gas.flow", "gas.flow"]}),
        ("a state of another device", "pot-01.state",
         {"marks": [[0, 134]], "speaks_of": ["gas.flow"], "device": "pots"}),
    )
}  # fmt: skip
#: what may stand there too
GOOD: dict[str, Callable[[Any], Any]] = {
    "a site's own coefficients": _site,
    "a site of no edition's technology": lambda c: _site(c) or _line(c).update(
        technology="PFPB-MW"
    ),
    "an algebraic overvoltage": lambda c: _line(c)["anode_effect"].update(mode="algebraic"),
    "one state for two pots": lambda c: _line(c)["pots"][1].update(state="pot-01.state"),
    "a state that is scaled and counts as it is": lambda c: _point(c, "pot-01.state").update(
        decimals=1, scaling={"raw_decimals": 1}
    ),
    "a time zone by its old name": lambda c: c["plant"].update(time_zone="PRC"),
    "a fuel's Chinese name": lambda c: c["statement"]["fuels"][0].update(kind="天然气"),
    "numbers as in scaling": lambda c: _line(c).update(current_efficiency_percent="189/2"),
    "an exponent": lambda c: _line(c)["anode_effect"].update(v_start_v="80e-1"),
    "limits and marks": lambda c: c.update(points=ruled()["points"]),
    "limits as ratios": lambda c: _point(c, "gas.flow").update(rules={"rate_per_s": "1/3"}),
    "a merge time of 1.5 samples": lambda c: _line(c)["anode_effect"].update(t_merge_s="1.5"),
    "two words for producing": lambda c: [
        _point(c, f"pot-{n}.state").update(states=[[1, "producing"], [4, "producing"]])
        for n in ("01", "02")
    ],
}  # fmt: skip


def test_each_rule_is_held_by_both(tmp_path: Path) -> None:
    changes = {**BROKEN, **GOOD}
    payloads = []
    for change in changes.values():
        config = copy.deepcopy(configuration())
        change(config)
        payloads.append(compress(cbor.encode(config)))
    there = said_there(payloads, tmp_path)
    wanted = dict.fromkeys(BROKEN, "E-CFG") | dict.fromkeys(GOOD)
    assert dict(zip(changes, map(said_here, payloads), strict=True)) == wanted
    assert dict(zip(changes, map(code, there), strict=True)) == wanted


def test_both_know_the_same_units_of_each_kind(tmp_path: Path) -> None:
    """Every unit that any kind has, at every kind: taken by both or by neither."""
    qualifiers = {
        "reference": "20C-101.325kPa", "moisture": "wet", "heating": "lhv", "fuel_basis": "ar",
    }  # fmt: skip
    known = sorted(set().union(*(units for units, _ in KINDS.values())))
    tried = [(kind, unit) for kind in KINDS for unit in known]
    payloads = []
    for kind, unit in tried:
        config = copy.deepcopy(configuration())
        named = {name: qualifiers[name] for name in KINDS[kind][1]}
        del config["statement"]["auxiliary"][0]["power_point"]  # so that ac.power may be anything
        _point(config, "ac.power")["quantity"] = {"kind": kind, "unit": unit, **named}
        payloads.append(compress(cbor.encode(config)))
    wanted = {(kind, unit): None if unit in KINDS[kind][0] else "E-CFG" for kind, unit in tried}
    assert dict(zip(tried, map(said_here, payloads), strict=True)) == wanted
    assert dict(zip(tried, map(code, said_there(payloads, tmp_path)), strict=True)) == wanted
