"""How each live emission figure is made: formula, inputs, factors with source and confidence. Pure.

The same factors that the edge calculates with, told for people; nothing is calculated here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from edge.calc.errors import CalcError
from edge.calc.factors import DEFAULT_FACTORS, Kind, Row, RuleSet, find_kind, gwp_row, rule_set
from edge.calc.folds.entries import LISTS, Entry
from edge.calc.folds.live_points import CO2E, GAS
from edge.calc.folds.live_rates import CLINKER_CO2, Rate, rates
from edge.calc.folds.plant import PlantFactors, plant_factors, reading_configuration
from edge.calc.method_texts import formula_of
from edge.calc.methods.combustion import fuel_parameters, oxidation_row
from edge.calc.registry import methods
from edge.calc.row_names import row_name_zh

#: confidence of what a person typed into the site file
TYPED = "typed"
FUEL, PFC = "combustion.fuel", "pfc.default_factors"
#: of figures that no registered method makes; symbols as the factor table beside them names them
Formula = dict[str, str]
ANODE = {
    "en": "E [tCO2] = metal [t] × gross [kg/t] ÷ 1000 × (1 − loss) × (1 − sulfur − ash) × 44/12",
    "zh": "E [tCO2] = 铝产量 [t] × 阳极毛耗 [kg/t] ÷ 1000 × (1 − 损失率)"
    " × (1 − 硫分 − 灰分) × 44/12",
}
METAL = {
    "en": "metal [t/h] = current [kA] × producing pots × Faraday [kg/(kA·d)] × CE [%]"
    " ÷ 100 ÷ 24000",
    "zh": "铝产量 [t/h] = 系列电流 [kA] × 在产槽数 × 法拉第常数 [kg/(kA·d)] × 电流效率 [%]"
    " ÷ 100 ÷ 24000",
}
MATERIAL = {
    "en": "E [tCO2] = quantity [t] × factor [tCO2/t]",
    "zh": "E [tCO2] = 消耗量 [t] × 排放因子 [tCO2/t]",
}
CLINKER = {
    "en": "E [tCO2] = kiln feed [t] ÷ meal per clinker [t/t] × factor [tCO2/t]",
    "zh": "E [tCO2] = 入窑生料 [t] ÷ 料耗 [t/t] × 排放因子 [tCO2/t]",
}
#: methods of the registry that a row may name
METHODS = (FUEL, PFC)

Factor = dict[str, Any]


def made(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """JSON-ready rows, totals before their parts; empty where nothing can be calculated.

    A row: `id` of the computed point; `of`, [point, 1 or -1] of the figures it adds up; `inputs`,
    ids of measured points; `factors`; `method`, id of the registry, "" for none; `formula`,
    {"en", "zh"} or None; `name` of what it is about, likewise; `table` of the statement it belongs
    to, "" for a total.
    """
    try:
        with reading_configuration():
            factors = plant_factors(config)
            rows = [*_lines(config, factors), *_rates(config, factors)]
    except CalcError:  # the gateway is older or newer than this program: it has its own say
        return []
    known = {row["id"] for row in config["points"]}
    return sorted((r for r in rows if r["id"] in known), key=lambda row: not row["of"])


def _row(
    ident: str,
    formula: Formula | None = None,
    method: str = "",
    **more: Any,  # noqa: ANN401 - values of JSON
) -> dict[str, Any]:
    if method:
        formula = {name: formula_of(methods()[method], name) for name in ("en", "zh")}
    return {
        "id": ident, "of": [], "inputs": [], "factors": [], "method": method, "formula": formula,
        "name": None, "table": "", **more,
    }  # fmt: skip


# -- aluminium: by potline, and fuels -------------------------------------------------------------


def _lines(config: Mapping[str, Any], factors: PlantFactors) -> Iterator[dict[str, Any]]:
    rules, parts = factors.rules, list[list[Any]]()
    if rules.record != DEFAULT_FACTORS:
        return
    for line in config.get("potlines", ()):
        metal = f"{line['id']}.metal_t_h"
        yield _row(
            metal, METAL, inputs=[line["line_current"], f"{line['id']}.producing"], table="metal",
            factors=[
                _factor(rule_set("physics"), rule_set("physics").row("aluminium.faraday")),
                _typed("current efficiency", "电流效率", line["current_efficiency_percent"], "%"),
            ],
        )  # fmt: skip
        pfc, anode = (f"{line['id']}.{n}" for n in ("pfc_record_tco2e_h", "anode_co2_t_h"))
        gwp = [gwp_row(rules.gwp, gas) for gas in ("cf4", "c2f6")]
        yield _row(
            pfc, method=PFC, inputs=[metal], table="pfc",
            factors=[*_own(rules, "pfc.cf4_kg_t", "pfc.c2f6_kg_t"),
                     *(_factor(rule_set("gwp"), row) for row in gwp)],
        )  # fmt: skip
        parts.append([pfc, 1])
        if said := config["statement"].get("anode"):
            gross = _typed("gross anode", "阳极毛耗", said["gross_kg_per_t"], "kg/t")
            rest = ("loss_percent", "sulfur_percent", "ash_percent")
            yield _row(
                anode, ANODE, inputs=[metal], table="anode",
                factors=[gross | {"source": said["source"]},
                         *_own(rules, *(f"anode.{n}" for n in rest), "carbon.co2_ratio")],
            )  # fmt: skip
            parts.append([anode, 1])
    fuels = factors.of("fuel")
    if fuels:
        given = [factor for fuel in fuels for factor in _of_entry(rules, fuel)]
        flows = [m.flow.id for fuel in fuels for m in fuel.meters if m.flow is not None]
        name = _name(rules, fuels[0]) if len(fuels) == 1 else None
        unique = list({f["id"]: f for f in given}.values())
        yield _row(GAS, method=FUEL, inputs=flows, factors=unique, table="fuel", name=name)
        parts.append([GAS, 1])
    yield _row(CO2E, of=parts)


# -- cement and steel: by entry -------------------------------------------------------------------


def _rates(config: Mapping[str, Any], factors: PlantFactors) -> Iterator[dict[str, Any]]:
    rules = factors.rules
    entries = {
        f"plant.{table}-{n}.{entry.kind}.co2_t_h": entry
        for table, _ in LISTS.values()
        for n, entry in enumerate(factors.of(table), 1)
    }
    burnt = {f"plant.burnt-{n}.{r.kind}.co2_t_h": r.kind for n, r in enumerate(factors.burnt, 1)}
    for rate in rates(factors):
        flows = [point for point, _ in rate.flows]
        if rate.of:
            yield _row(rate.id, of=[list(part) for part in rate.of])
        elif entry := entries.get(rate.id):
            method = FUEL if entry.table == "fuel" else ""
            yield _row(
                rate.id, MATERIAL, method, inputs=flows, table=entry.table,
                factors=_of_entry(rules, entry), name=_name(rules, entry),
            )  # fmt: skip
        elif kind := rules.fuels.get(burnt.get(rate.id, "")):
            yield _row(
                rate.id, method=FUEL, inputs=flows, factors=_of_fuel(rules, kind), table="burnt",
                name={"en": kind.id, "zh": kind.zh},
            )  # fmt: skip
        else:
            yield from _clinker(config, rules, rate)


def _clinker(config: Mapping[str, Any], rules: RuleSet, rate: Rate) -> Iterator[dict[str, Any]]:
    """What the kiln's feed makes of it: an indicator."""
    said = config["statement"]["kiln_feed"]
    ratio = _typed("meal per clinker", "料耗", said["meal_per_clinker"], "t/t")
    factors = [ratio | {"source": said["source"]}]
    kind = find_kind(rules.clinkers, said["kind"])
    if kind is not None and rate.id == CLINKER_CO2:
        factors += _own(rules, f"clinker.{kind.id}.factor")
    yield _row(
        rate.id, CLINKER, inputs=[point for point, _ in rate.flows], factors=factors,
        table="clinker", name=None if kind is None else {"en": kind.id, "zh": kind.zh},
    )  # fmt: skip


# -- factors --------------------------------------------------------------------------------------


def _of_entry(rules: RuleSet, entry: Entry) -> list[Factor]:
    if entry.table != "fuel":
        return _own(rules, f"{entry.table}.{entry.kind}.factor")
    return _of_fuel(rules, rules.fuels[entry.kind], entry.words.get("use", ""))


def _of_fuel(rules: RuleSet, kind: Kind, use: str = "") -> list[Factor]:
    names = [n for n in fuel_parameters(rules, kind, {}, use=use) if n != "oxidation_percent"]
    burns = oxidation_row(rules, kind, use)
    oxidation = [] if burns is None else [burns.id]
    return _own(rules, *(f"fuel.{kind.id}.{n}" for n in names), *oxidation, "carbon.co2_ratio")


def _own(rules: RuleSet, *ids: str) -> list[Factor]:
    return [_factor(rules, rules.row(ident)) for ident in ids]


def _factor(rules: RuleSet, row: Row) -> Factor:
    return {
        "id": row.id, "name": {"en": row.id, "zh": row_name_zh(rules, row)}, "value": row.text,
        "unit": row.unit, "confidence": row.confidence, "source": row.source, "from": row.rule_set,
    }  # fmt: skip


def _typed(en: str, zh: str, value: str, unit: str) -> Factor:
    return {
        "id": en, "name": {"en": en, "zh": zh}, "value": value, "unit": unit, "confidence": TYPED,
        "source": "", "from": "",
    }  # fmt: skip


def _name(rules: RuleSet, entry: Entry) -> dict[str, str] | None:
    kind = find_kind(rules.kinds(entry.table), entry.kind)
    return None if kind is None else {"en": kind.id, "zh": kind.zh}
