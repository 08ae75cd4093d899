"""Chinese names of factor rows, put together from the names of their parts.

A row's id is words with dots between; kinds (fuels, materials, …) bring their own names.
"""

from collections.abc import Mapping

from edge.calc.factors import Kind, Row, RuleSet

_WORDS = {
    "ncv": "低位发热量",
    "carbon_content": "单位热值含碳量",
    "oxidation_percent": "碳氧化率",
    "factor_t_tj": "单位热值二氧化碳排放因子",
    "solid": "固体燃料",
    "liquid": "液体燃料",
    "gas": "气体燃料",
    "kiln": "水泥窑",
    "power-boiler": "电站锅炉",
    "industrial-boiler": "工业锅炉",
    "other": "其他设施",
    "carbon": "碳",
    "co2_ratio": "二氧化碳与碳的分子量之比",
    "anode": "阳极",
    "loss_percent": "损耗率",
    "sulfur_percent": "含硫量",
    "ash_percent": "灰分",
    "pfc": "全氟化碳",
    "cf4_kg_t": "CF4 排放因子",
    "c2f6_kg_t": "C2F6 排放因子",
    "purity_percent": "纯度",
    "slope": "斜率法",
    "overvoltage": "过电压法",
    "cf4": "四氟化碳",
    "c2f6": "六氟乙烷",
    "c2f6_fraction": "C2F6 与 CF4 质量比",
    "sar": "第二次评估报告",
    "ar4": "第四次评估报告",
    "ar5": "第五次评估报告",
    "ar6": "第六次评估报告",
    "aluminium": "铝",
    "faraday": "法拉第产量常数",
    "co2": "二氧化碳",
    "molar_mass": "摩尔质量",
    "molar_volume": "摩尔体积",
    "CWPB": "中间下料预焙槽",
    "SWPB": "边部下料预焙槽",
    "VSS": "上插自焙槽",
    "HSS": "侧插自焙槽",
    "PFPB-L": "点式下料预焙槽（早期）",
    "PFPB-M": "点式下料预焙槽（现代）",
}
#: what the last word means in rows of materials: a factor, or what a substitute saves
_FACTORS = {"substitute": "扣减系数", "clinker": "过程排放因子", "product": "产品扣除因子"}
_FACTOR = "排放因子"


def row_name_zh(rules: RuleSet, row: Row) -> str:
    """A row's Chinese name; a part that has none stays as it is in the id."""
    if row.zh:
        return row.zh
    table, *rest = row.id.split(".")
    kinds = _kinds(rules).get(table)
    if kinds is None:
        return "，".join(_WORDS.get(word, word) for word in (table, *rest))
    named = []
    for word in rest:
        if word == "factor":
            named.append(_FACTORS.get(table, _FACTOR))
        else:
            named.append(kinds[word].zh if word in kinds else _WORDS.get(word, word))
    return "，".join(named)


def _kinds(rules: RuleSet) -> Mapping[str, Mapping[str, Kind]]:
    return {
        "fuel": rules.fuels,
        "carbonate": rules.carbonates,
        "process": rules.materials,
        "product": rules.products,
        "clinker": rules.clinkers,
        "substitute": rules.substitutes,
    }
