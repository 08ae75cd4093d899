"""CO2 of a smelter's carbon: anodes, Søderberg paste, baking, and what stands for missing data.

Beside the statement's own anode line (CETS-AG-04.01): the same chemistry by 40 CFR 98, IPCC 2006
Tier 2 and the NDRC guideline of 2013.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.errors import InputError
from edge.calc.factors import RuleSet, rule_set
from edge.calc.parameter import Parameter, default, given
from edge.calc.registry import Input, method

_CO2 = Fraction(44, 12)  # tCO2/tC, as 40 CFR 98 and IPCC 2006 print it
_F, _NDRC = "us-40cfr98-f", "ndrc-2013-aluminium"
_KG_A_TONNE = 1000
_METAL = Input("t", low="0")
_PERCENT = Input("%", low="0", high="100", optional=True)
_SHARE = Input("t/t aluminium", low="0", high="2")
_OUTPUTS = {"emission_t": "tCO2", "parameters": ""}
FURNACES = ("riedhammer", "other")
_PITCH = ("pitch_sulfur_percent", "pitch_ash_percent", "pitch_hydrogen_percent")
_COKE = ("coke_sulfur_percent", "coke_ash_percent")
#: parameter of Eq. F-7 and F-8 (IPCC 2006 Eq. 4.22, 4.23) -> its row
BAKING_ROWS = {
    "hydrogen_percent": "baking.hydrogen_percent",
    "packing_coke_t_t": "baking.coke_t_t",
    "coke_sulfur_percent": "baking.coke_sulfur_percent",
    "coke_ash_percent": "baking.coke_ash_percent",
}
TAR_ROW = "baking.riedhammer.tar_percent"


@method(
    "aluminium.prebaked_anodes",
    version=1,
    source="40 CFR 98.63 Eq. F-5; IPCC 2006 Vol. 3 Eq. 4.21; NDRC 2013 aluminium guideline",
    inputs={
        "rule_set": Input(is_text=True),
        "metal_t": _METAL,
        "net_anode_t_t": Input(_SHARE.unit, _SHARE.low, _SHARE.high, optional=True),
        "sulfur_percent": _PERCENT,
        "ash_percent": _PERCENT,
    },
    outputs=_OUTPUTS,
)
def prebaked_anodes(*, rule_set: str, metal_t: Fraction, **own: Fraction) -> dict[str, Any]:
    """CO2 from the net consumption of prebaked anodes.

    CO2 [t] = NAC [t/t] × metal [t] × (100 - S - ash [%]) ÷ 100 × 44/12

    rule_set: us-40cfr98-f or ndrc-2013-aluminium. NAC: net anode consumption per t of aluminium,
    butts taken off, 0..2; by 40 CFR 98 it is the plant's own and must be given, the NDRC guideline
    has a default of 0.42. S and ash in % of the anode; left out they are the rule set's.

    Example: 1 t, NAC 0.42, NDRC 2013: 0.42 × 0.976 × 44/12 = 1.50304 t (by hand). The draft of
    CETS-AG-04.01 is quoted with 1.424 t: that is NAC 0.398 with the same S and ash.

    Not confirmed: the NDRC guideline's own text could not be read; the equations of 40 CFR 98 are
    drawings, their variables are text.
    """
    rules = _rules(rule_set, (_F, _NDRC))
    used = {
        name: _own(rules, f"anode.{row}", own.get(name), unit)
        for name, row, unit in (
            ("net_anode_t_t", "net_t_t", "t/t"),
            ("sulfur_percent", "sulfur_percent", "%"),
            ("ash_percent", "ash_percent", "%"),
        )
    }
    carbon = metal_t * used["net_anode_t_t"].value * _rest(used, "sulfur_percent", "ash_percent")
    return _result(carbon, used)


@method(
    "aluminium.soderberg_paste",
    version=1,
    source="40 CFR 98.63 Eq. F-6 and Table F-2; IPCC 2006 Vol. 3 section 4.4",
    inputs={
        "metal_t": _METAL,
        "paste_t_t": _SHARE,
        "technology": Input(is_text=True),
        "paste": Input(is_text=True),
    },
    outputs=_OUTPUTS,
)
def soderberg_paste(
    *, metal_t: Fraction, paste_t_t: Fraction, technology: str, paste: str
) -> dict[str, Any]:
    """CO2 from the paste of Søderberg cells.

    C [t] = PC × MP - CSM × MP ÷ 1000 - BC ÷ 100 × PC × MP × (Sp + Ashp + Hp) ÷ 100
            - (100 - BC) ÷ 100 × PC × MP × (Sc + Ashc) ÷ 100 - MP × CD
    CO2 [t] = C × 44/12

    PC: paste [t/t aluminium], 0..2; MP: metal [t]. technology: VSS or HSS (CSM, cyclohexane-soluble
    matter, 0.5 or 4.0 kg/t); paste: dry or wet (BC, binder, 24 or 27 %). The rest is Table F-2's:
    pitch S 0.6, ash 0.2, H 3.3 %; coke S 1.9, ash 0.2 %; dust CD 0.01 tC/t.

    Example: 1 t, VSS, dry, PC 0.55: C = 0.55 - 0.0005 - 0.005412 - 0.008778 - 0.01 = 0.52531, CO2
    1.926136… t (by hand; no published example was found).

    Not confirmed: the equation is a drawing in every copy read; its form is that of the GHG
    Protocol's tool, whose program and defaults were read.
    """
    problems = [
        f"{key}: {value!r} unknown; known: {' '.join(known)}"
        for key, value, known in (
            ("technology", technology, ("VSS", "HSS")), ("paste", paste, ("dry", "wet")),
        )
        if value not in known
    ]  # fmt: skip
    if problems:
        raise InputError(problems)
    rules = rule_set(_F)
    used = {name: default(rules.row(row)) for name, row in paste_rows(technology, paste).items()}
    carbon = paste_carbon_t(metal_t * paste_t_t, metal_t, used)
    if carbon < 0:
        raise InputError(["paste_t_t: less carbon than leaves as tar and dust"])
    return _result(carbon, used)


def paste_rows(technology: str, paste: str) -> dict[str, str]:
    """Row of each parameter of Eq. F-6 (IPCC 2006 Eq. 4.24), by technology and kind of paste."""
    names = (*_PITCH, *_COKE, "dust_t_t")
    return {
        "csm_kg_t": f"paste.{technology}.csm_kg_t",
        "binder_percent": f"paste.{paste}.binder_percent",
        **{name: f"paste.{name}" for name in names},
    }


def paste_carbon_t(paste_t: Fraction, metal_t: Fraction, used: Mapping[str, Parameter]) -> Fraction:
    """Carbon that leaves a Søderberg line as CO2: paste less impurities, tar and dust. May be < 0.

    Raises:
        InputError: impurities are more than the pitch or the coke.
    """
    binder = used["binder_percent"].value / 100
    carbon = paste_t * (binder * _rest(used, *_PITCH) + (1 - binder) * _rest(used, *_COKE))
    return carbon - metal_t * (used["csm_kg_t"].value / _KG_A_TONNE + used["dust_t_t"].value)


@method(
    "aluminium.anode_baking",
    version=1,
    source="40 CFR 98.63 Eq. F-7 and F-8, Table F-2; IPCC 2006 Vol. 3 section 4.4",
    inputs={
        "green_t": Input("t", low="0"),
        "baked_t": Input("t", low="0"),
        "furnace": Input(is_text=True),
        "packing_coke_t_t": Input("t/t baked", low="0", high="1", optional=True),
    },
    outputs={"pitch_t": "tCO2", "packing_t": "tCO2", "emission_t": "tCO2", "parameters": ""},
)
def anode_baking(
    *, green_t: Fraction, baked_t: Fraction, furnace: str,
    packing_coke_t_t: Fraction | None = None,
) -> dict[str, Any]:  # fmt: skip
    """CO2 from baking anodes: pitch volatiles and packing coke; not the furnace's fuel.

    pitch [tCO2] = (GA - Hw - BA - WT) × 44/12;  Hw = 0.005 × GA; WT = 0.005 × GA or 0
    packing [tCO2] = PCC × BA × (100 - S - ash [%]) ÷ 100 × 44/12

    GA: green anodes loaded [t]; BA: baked anodes [t]. furnace: riedhammer (waste tar WT 0.5 % of
    GA) or other (none). PCC: packing coke, 0.015 t/t when left out; its S 2.0 and ash 2.5 %.

    Example: GA 1055, BA 1000, other: (1055 - 5.275 - 1000) × 44/12 = 182.325 t; packing 0.015 ×
    1000 × 0.955 × 44/12 = 52.525 t (by hand; no published example was found).

    Not confirmed: sulfur and ash of packing coke were read in the GHG Protocol's tool only.
    """
    if furnace not in FURNACES:
        raise InputError([f"furnace: {furnace!r} unknown; known: {' '.join(FURNACES)}"])
    rules, own = rule_set(_F), {"packing_coke_t_t": packing_coke_t_t}
    used = {name: _own(rules, row, own.get(name), "t/t") for name, row in BAKING_ROWS.items()}
    if furnace == FURNACES[0]:
        used["tar_percent"] = default(rules.row(TAR_ROW))
    pitch, packing = baking_carbon_t(green_t, baked_t, used)
    if pitch < 0:
        raise InputError(["baked_t: more than green_t less its hydrogen and tar"])
    return {
        "pitch_t": exact_text(pitch * _CO2),
        "packing_t": exact_text(packing * _CO2),
        **_result(pitch + packing, used),
    }


def baking_carbon_t(
    green_t: Fraction, baked_t: Fraction, used: Mapping[str, Parameter]
) -> tuple[Fraction, Fraction]:
    """Carbon that leaves as CO2 when anodes are baked: of their pitch (may be < 0), of the coke.

    Raises:
        InputError: impurities are more than the packing coke.
    """
    lost = used["hydrogen_percent"].value
    lost += used["tar_percent"].value if "tar_percent" in used else 0
    pitch = green_t * (1 - lost / 100) - baked_t
    packing = used["packing_coke_t_t"].value * baked_t
    return pitch, packing * _rest(used, "coke_sulfur_percent", "coke_ash_percent")


@method(
    "aluminium.missing_carbon_data",
    version=1,
    source="40 CFR 98.65 Eq. F-9; IPCC 2006 Vol. 3 section 4.4 (Tier 1)",
    inputs={"prebake_metal_t": _METAL, "soderberg_metal_t": _METAL},
    outputs=_OUTPUTS,
)
def missing_carbon_data(
    *, prebake_metal_t: Fraction, soderberg_metal_t: Fraction
) -> dict[str, Any]:
    """CO2 of anodes and paste where their consumption is missing. A substitute, never measured.

    CO2 [t] = 1.6 × metal of prebake cells [t] + 1.7 × metal of Søderberg cells [t]

    Example: 1000 t prebake and 100 t Søderberg: 1600 + 170 = 1770 t (by hand; the factors are
    printed in 98.65).

    Not confirmed: nothing of this; the factors stand in the rule's text.
    """
    rules = rule_set(_F)
    used = {name: default(rules.row(f"missing.{name}")) for name in ("prebake", "soderberg")}
    mass = used["prebake"].value * prebake_metal_t + used["soderberg"].value * soderberg_metal_t
    return {"emission_t": exact_text(mass), "parameters": _maps(used)}


def _rules(name: str, known: tuple[str, ...]) -> RuleSet:
    if name not in known:
        raise InputError([f"rule_set: {name!r} has no such values; known: {' '.join(known)}"])
    return rule_set(name)


def _own(rules: RuleSet, row_id: str, value: Fraction | None, unit: str) -> Parameter:
    """The caller's value, or the rule set's row; a row it has not must be given."""
    if value is not None:
        return given(value, exact_text(value), unit)
    if row_id not in rules.rows:
        raise InputError([f"net_anode_t_t: missing, {rules.id} has no default for it"])
    return default(rules.row(row_id))


def _rest(used: Mapping[str, Parameter], *names: str) -> Fraction:
    """The share that is left when so many percent are no carbon."""
    percent = sum((used[name].value for name in names), Fraction(0))
    if percent > 100:
        raise InputError([f"{names[0]}: with {' and '.join(names[1:])} more than the whole"])
    return 1 - percent / 100


def _result(carbon: Fraction, used: Mapping[str, Parameter]) -> dict[str, Any]:
    return {"emission_t": exact_text(carbon * _CO2), "parameters": _maps(used)}


def _maps(used: Mapping[str, Parameter]) -> dict[str, Any]:
    return {name: parameter.as_map() for name, parameter in used.items()}
