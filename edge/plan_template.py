"""A control plan to start from: the site file's meters and entries, the sector's figures. Pure.

What only the plant knows is "?": `stackproof plan check` names what is left.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from edge.calc.factors import RuleSet, find_kind, kind_words, rule_set
from edge.calc.methods.combustion import oxidation_row
from edge.calc.methods.missing import treatments
from edge.signed import signed_configuration
from edge.site.config import Site
from edge.site.devices import DeviceConfig
from evidence.plan.departures import Entry, Rules, entries_of
from evidence.plan.plan import FORMAT

#: figure of an entry -> (Chinese, English)
_FIGURES: Mapping[str, tuple[str, str]] = {
    "quantity": ("量", "quantity"),
    "stock": ("月末库存", "stock at the month's end"),
    "ncv": ("低位发热量", "net calorific value"),
    "carbon_content": ("单位热值含碳量", "carbon content per energy"),
    "oxidation_percent": ("碳氧化率", "oxidation rate"),
    "factor": ("排放因子", "emission factor"),
    "gross_kg_per_t": ("阳极毛耗", "gross anode consumption"),
    "loss_percent": ("阳极损失率", "anode loss rate"),
    "sulfur_percent": ("阳极含硫量", "anode sulfur"),
    "ash_percent": ("阳极灰分", "anode ash"),
    "cf4_kg_t": ("CF4 排放因子", "CF4 emission factor"),
    "c2f6_kg_t": ("C2F6 排放因子", "C2F6 emission factor"),
}
#: an entry without a kind -> (Chinese, English, unit)
_ALONE: Mapping[str, tuple[str, str, str]] = {
    "metal": ("铝液", "molten aluminium", "t"),
    "anode": ("阳极", "anodes", "kg/t"),
    "output": ("主产品", "main product", "t"),
    "auxiliary": ("电量", "electricity", "MWh"),
    "pfc": ("全氟化碳", "PFC", "kg/t"),
}
#: sector -> table that no works of it is without -> (kind, figure, unit, document), if not metered
_TOLD: Mapping[str, Mapping[str, tuple[str, str, str, str]]] = {
    "aluminium": {"metal": ("", "quantity", "t", "count")},
    "cement": {"clinker": ("portland", "quantity", "t", "stock-take")},
    "steel": {"product": ("crude-steel", "quantity", "t", "count")},
}


@dataclass(frozen=True)
class _Row:
    """One parameter of the template."""

    entry: Entry
    figure: str
    unit: str
    source: str
    value: str = ""
    document: str = ""


def template(site: Site, year: int) -> str:
    """The text of a plan of one year for a site.

    Args:
        site: that can be signed.
        year: of the plan.

    Raises:
        SiteConfigError: the site cannot be signed.
    """
    config = signed_configuration(site, collector_key_sha256=bytes(32), software="plan")
    rules = rule_set(site.plant.rule_set)
    entries = list(dict.fromkeys(entries_of(config, rules_of(site.plant.rule_set))))
    merged = _merged(entries)
    rows = [row for entry in merged for row in _rows(rules, entry)]
    rows += _told(rules, site.plant.sector, merged)
    used = {point.partition(".")[0] for row in rows for point in row.entry.points}
    intervals = {device.id: device.interval_ns for device in site.devices}
    parts = [_head(site, year)]
    parts += [_meter(device) for device in site.devices if device.id in used] or [_no_meter()]
    parts += [_parameter(rules, row, intervals) for row in rows]
    return "\n".join([*parts, _CHECKS])


def rules_of(rule_set_id: str) -> Rules:
    """What of a rule set a plan is compared with."""
    return Rules(kind_words(rule_set(rule_set_id)), treatments(rule_set_id))


def _merged(entries: Sequence[Entry]) -> list[Entry]:
    """One of each kind, with the points of all of them."""
    points: dict[tuple[str, str], frozenset[str]] = {}
    for entry in entries:
        key = (entry.table, entry.kind)
        points[key] = points.get(key, frozenset()) | entry.points
    return [Entry(table, kind, found) for (table, kind), found in points.items()]


def _rows(rules: RuleSet, entry: Entry) -> Iterator[_Row]:
    """An entry's quantity, then the rule set's figures of it."""
    kind = find_kind(rules.kinds(entry.table), entry.kind)
    unit = kind.unit if kind else _ALONE[entry.table][2]
    if entry.points:
        yield _Row(entry, "quantity", unit, "meter")
    elif entry.table == "anode":
        yield _Row(entry, "gross_kg_per_t", "kg/t", "record", document="parameter")
    bare = Entry(entry.table, entry.kind, frozenset())
    start = f"{entry.table}.{entry.kind}." if entry.kind else f"{entry.table}."
    for row_id, row in rules.rows.items():
        if row_id.startswith(start) and row_id.removeprefix(start) in _FIGURES:
            yield _Row(bare, row_id.removeprefix(start), row.unit, "default", row.text)
    burnt = oxidation_row(rules, kind) if entry.table == "fuel" and kind is not None else None
    if burnt is not None:
        yield _Row(bare, "oxidation_percent", burnt.unit, "default", burnt.text)
    if entry.table == "fuel" and rules.record == "mass-balance":  # bought, less what is left
        yield _Row(bare, "stock", unit, "record", document="stock-take")
    if entry.table == "metal":
        yield from _rows(rules, Entry("pfc", "", frozenset()))


def _told(rules: RuleSet, sector: str, entries: Sequence[Entry]) -> Iterator[_Row]:
    there = {entry.table for entry in entries}
    for table, (kind, figure, unit, document) in _TOLD[sector].items():
        if table not in there:
            entry = Entry(table, kind, frozenset())
            yield _Row(entry, figure, unit, "record", document=document)
            yield from _rows(rules, entry)


# -- text -----------------------------------------------------------------------------------------


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"


def _head(site: Site, year: int) -> str:
    plant = site.plant
    return f"""# 数据质量控制计划, the control plan of one plant and year. What is "?" is yours:
# `stackproof plan check PLAN.toml --site SITE.toml` names what is left, and what the site does
# otherwise. What each key is, and where it is from: docs/control-plan.md.
format = {FORMAT}
plant = {_text(plant.id)}
sector = {_text(plant.sector)}
rule_set = {_text(plant.rule_set)}
year = {year}
revision = 1

[about]                             # en may be left out
enterprise = {{ zh = "?", en = "?" }}   # 单位简介
products = {{ zh = "?", en = "?" }}     # 主营产品
process = {{ zh = "?", en = "?" }}      # 生产工艺
boundary = {{ zh = "?", en = "?" }}     # 核算边界和主要排放设施
quality_assurance = {{ zh = "?", en = "?" }}  # 数据内部质量控制和质量保证

[[revisions]]                       # 版本及修订: one more for each revision, with its reason
number = 1
day = "?"
reason = {{ zh = "首次制定", en = "first version" }}
"""


def _meter(device: DeviceConfig) -> str:
    serial = [s.name for s in device.profile.settings if s.means == "serial"]
    stated = next((device.stated[name][-1][0] for name in serial if name in device.stated), "?")
    return f"""[[meter]]
id = {_text(device.id)}
name = {{ zh = "?", en = "?" }}
place = {{ zh = "?", en = "?" }}        # 安装位置
device = {_text(device.id)}
profile = {_text(device.profile.id)}
model = {_text(device.profile.id.replace("/", " "))}
number = {_text(stated)}            # as on its plate
accuracy = "?"                      # such as "0.5S"
check = "?"                         # verification (检定), calibration (校准), own-check (自校)
every_months = 12
limit_percent = "?"                 # what an as-found error may be, % of the reading
covers = {{ zh = "?", en = "?" }}       # what of the loop its certificate is of
"""


def _no_meter() -> str:
    return "# no meter of the site file counts for the month: add what weighs and measures here\n"


def _parameter(rules: RuleSet, row: _Row, intervals: Mapping[str, int]) -> str:
    entry, (zh, en) = row.entry, _FIGURES[row.figure]
    kind = find_kind(rules.kinds(entry.table), entry.kind)
    of_zh, of_en = (kind.zh, kind.id.replace("-", " ")) if kind else _ALONE[entry.table][:2]
    points = sorted(entry.points)
    devices = sorted({point.partition(".")[0] for point in points})
    lines = [
        "[[parameter]]",
        f"id = {_text('.'.join(part for part in (entry.table, entry.kind, row.figure) if part))}",
        f"name = {{ zh = {_text(of_zh + zh)}, en = {_text(f'{of_en}: {en}')} }}",
        f"table = {_text(entry.table)}",
        *([f"kind = {_text(entry.kind)}"] if entry.kind else []),
        f"figure = {_text(row.figure)}",
        f"unit = {_text(row.unit)}",
        f"source = {_text(row.source)}",
    ]
    if points:
        longest_s = max(intervals[device] for device in devices) / 1e9
        lines += [f"points = {_list(points)}", f"meters = {_list(devices)}"]
        lines += ['frequency = "continuous"', f'interval_s = "{longest_s:g}"', 'recorded = "daily"']
    elif row.document:
        about = entry.kind or entry.table
        lines += [f"documents = {_list([row.document])}", f"about = {_text(about)}"]
        lines += ['frequency = "monthly"', 'recorded = "monthly"']
    else:
        lines += [f"value = {_text(row.value)}", 'frequency = "yearly"', 'recorded = "yearly"']
    missing = "none" if row.source == "default" else "?"
    lines += [
        f"missing = {_text(missing)}" + ("" if missing == "none" else _MISSING),
        'department = { zh = "?", en = "?" }',
        'responsible = "?"                   # account id',
    ]
    return "\n".join(lines) + "\n"


_MISSING = "                       # default, mean, estimate, none; missing_how says more"
_CHECKS = """[[internal_check]]                  # 内部质量控制: one for each
id = "monthly-review"
name = { zh = "月度数据内部审核", en = "internal review of the month's data" }
frequency = "monthly"
responsible = "?"
"""
