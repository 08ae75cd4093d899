"""A year's figures as rows in both languages, for workbooks and terminals alike. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cloud.outputs.figures import name_of
from cloud.outputs.sealed import SealedMonth
from cloud.outputs.sheets import Cell, headline_of, number
from cloud.outputs.words import both, in_both, word, word_or
from cloud.year.sealed_year import SealedYear
from edge.calc.factors import RuleSet
from edge.calc.flags import Flag
from evidence.month_state import MonthState

Rows = list[list[Cell]]


def _flag(text: str) -> str:
    """A flag's sentence in both languages."""
    return in_both(Flag(text).sentence)


def bands(year: SealedYear) -> Rows:
    """What must be seen before any figure."""
    told = [both("band.simulated")] if year.simulated else []
    if lacking := year.statement["months_lacking"]:
        told.append(both("year.lacking", months=" ".join(lacking)))
    told += [
        both("year.interim", month=month.month)
        for month in year.months
        if month.closing == "interim"
    ]
    told += [headline_of(month) for month in year.months if month.state.beside_total("en")]
    return [[Cell(text, look="band")] for text in told]


def beside(state: MonthState) -> list[Cell]:
    """The cell beside a total: what it lacks; none for nothing."""
    told = in_both(state.beside_total)
    return [Cell(told, look="band")] if told else []


def head(*keys: str) -> list[Cell]:
    """A row of headings."""
    return [Cell(both(f"year.{key}"), look="head") for key in keys]


def statement_rows(year: SealedYear) -> Rows:
    """Months, lines, totals, threshold, differences, flags."""
    made = year.statement
    rows = bands(year)
    rows.append(head("month", "closing", "total", "amended", "archive"))
    rows += [
        [Cell(m.month), Cell(both(f"closing.{m.closing}")), number(m.output["totals"]["total_t"]),
         Cell(m.replaces[:12]), Cell(m.sha256), *beside(m.state)]
        for m in year.months
    ]  # fmt: skip
    rows.append(head("line", "amount", "unit", "emission", "factor", "mean", "unit"))
    for line in made["lines"]:
        rows += _line(line, year.newest.rules)
    rows.append(head("figure", "value", "unit"))
    totals = [[Cell(name), number(value), Cell(unit)] for name, value, unit in _totals(made)]
    totals[list(made["totals"]).index("total_t")] += beside(year.state)
    rows += totals
    rows += _entity(made["key_entity"])
    rows += list(_differences(made.get("differences", [])))
    rows += [[Cell(_flag(f)), Cell(f)] for f in made["flags"]]
    rows.append([Cell(both("year.sum-rule"))])
    rows.append([Cell(both("year.means"))])
    return rows


def _line(line: Mapping[str, Any], rules: RuleSet) -> Rows:
    label = Cell(" · ".join(filter(None, [kind_name(rules, line), line.get("unit", "")])))
    amount = [number(line["quantity"]), Cell(line["quantity_unit"])]
    first = [label, *amount, number(line["emission_t"])]
    rows = [first]
    for name, mean in line["factors"].items():
        told = [Cell(both_or(f"parameter.{name}", name)), number(mean["value"]), Cell(mean["unit"])]
        rows.append([label, *[Cell("")] * 3, *told])
    return rows


def kind_name(rules: RuleSet, line: Mapping[str, Any]) -> str:
    """A line's category and material in both languages."""
    zh = name_of(rules, line["category"], line["kind"])
    known = word_or(f"kind.{line['kind']}", "zh", zh)
    en = word_or(f"kind.{line['kind']}", "en", line["kind"])
    return f"{both('category.' + line['category'])} · {known} {en}"


def both_or(key: str, otherwise: str) -> str:
    """Both languages of a text, or what stands for it where the table has none."""
    return f"{word_or(key, 'zh', otherwise)} {word_or(key, 'en', '')}".rstrip()


def _totals(made: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for key, value in made["totals"].items():
        yield both_or(f"total.{key}", key), value, "tCO2(e)"
    for key, value in made["gases"].items():
        yield both_or(f"gas.{key}", key), value, "t" if key.endswith("_t") else "kg"
    if "output_t" in made:
        yield both("year.output"), made["output_t"], "t"
        yield both("intensity"), made["intensity"], "tCO2(e)/t"


def _entity(told: Mapping[str, Any]) -> Rows:
    confidence = both(f"confidence.{told['confidence']}")
    state = both(f"year.entity.{told['state']}")
    return [
        [Cell(both("year.entity")), number(told["threshold_t"]), Cell("tCO2e"), Cell(state),
         Cell(confidence), Cell(told["source"])]
    ]  # fmt: skip


def _differences(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[Cell]]:
    if rows:
        yield head("figure", "months-sum", "annual", "rate", "state", "verified", "rate", "state")
    for row in rows:
        told = row.get("verified")
        beside = [] if told is None else [number(told["value"]), *_judged(told)]
        yield [
            Cell(row["figure"]), number(row["months"]), number(row["annual"]), *_judged(row),
            *beside,
        ]  # fmt: skip


def _judged(told: Mapping[str, Any]) -> list[Cell]:
    state = both(f"year.rate.{told['state']}")
    limit = f" ({told['threshold_percent']} %)" if "threshold_percent" in told else ""
    return [number(told.get("rate_percent", "")), Cell(state + limit)]


def footprint_rows(year: SealedYear, told: Mapping[str, Any]) -> Rows:
    """Each unit, its sources, and the meters they were read by."""
    rows = bands(year)
    rows.append(head("unit-of", "share", "line", "points", "amount", "unit", "emission", "month"))
    for unit in told["units"]:
        name = unit["unit"] or both("year.whole-plant")
        rows.append(
            [Cell(name), number(unit["percent"]), Cell(both("year.all")), Cell(""), Cell(""),
             Cell(""), number(unit["emission_t"])]
        )  # fmt: skip
        for row in unit["sources"]:
            points = " ".join(row["points"]) or both("year.no-points")
            rows.append(
                [Cell(name), Cell(""), Cell(kind_name(year.newest.rules, row)), Cell(points),
                 number(row["quantity"]), Cell(row["quantity_unit"]), number(row["emission_t"]),
                 Cell(f"{len(row['months'])}/12")]
            )  # fmt: skip
    total = [Cell(both("year.total")), *[Cell("")] * 5, number(told["total_t"])]
    rows.append([*total, *beside(year.state)])
    return rows


def inventory_rows(year: SealedYear, told: Mapping[str, Any]) -> Rows:
    """An ISO 14064-1 inventory."""
    rows = bands(year)
    for flag in told["left_out"]:
        rows.append([Cell(_flag(flag), look="band")])
    rows.append([Cell(both("inventory.how", set=told["gwp_set"].upper()))])
    rows.append(head("figure", "value", "unit", "state", "source"))
    direct = told["category_1"]
    total = [Cell(both("inventory.category-1")), number(direct["total_t"]), Cell("tCO2e")]
    rows.append([*total, *beside(year.state)])
    for name, value in direct["subcategories"].items():
        rows.append([Cell(both(f"inventory.{name}")), number(value), Cell("tCO2e")])
    for gas in direct["gases"]:
        label = f"{gas['gas'].upper()} {gas['mass_t']} t × {gas['gwp']}"
        confidence = Cell(both(f"confidence.{gas['confidence']}"))
        rows.append(
            [Cell(label), number(gas["co2e_t"]), Cell("tCO2e"), confidence, Cell(gas["source"])]
        )
    indirect = told["category_2"]
    rows.append(
        [Cell(both("inventory.category-2")), number(indirect.get("co2_t", "")), Cell("tCO2"),
         Cell(both(f"inventory.electricity.{indirect['state']}")), Cell(indirect.get("source", ""))]
    )  # fmt: skip
    if "electricity_mwh" in indirect:
        rows.append(
            [Cell(both("inventory.mwh")), number(indirect["electricity_mwh"]), Cell("MWh"),
             Cell(f"{len(indirect['months'])}/12")]
        )  # fmt: skip
    rows.append([Cell(both("inventory.biogenic")), Cell(""), Cell("tCO2"),
                 Cell(both("inventory.not-answered"))])  # fmt: skip
    sealed = [Cell(both("inventory.sealed")), number(told["sealed_total_t"]), Cell("tCO2(e)")]
    rows += [sealed, *_base_year(told["base_year"]), *_sure(told)]
    return rows + _unanswered("inventory", told)


def _base_year(told: Mapping[str, str]) -> Rows:
    label = Cell(both("inventory.base-year"))
    if told["state"] == "not-given":
        return [[label, Cell(""), Cell("tCO2e"), Cell(both("inventory.not-given"))]]
    change = f"{told['change_percent']} %" if "change_percent" in told else ""
    return [[label, number(told["total_t"]), Cell("tCO2e"), Cell(told["year"]), Cell(change)]]


def _sure(told: Mapping[str, Any]) -> Rows:
    label = Cell(both("report.uncertainty"))
    if "uncertainty" not in told:
        return [[label, Cell(""), Cell(""), Cell(both("inventory.not-assessed"))]]
    total = told["uncertainty"]["totals"].get("total_t", {})
    return [[label, number(total.get("expanded_t", "")), Cell(f"t, k = {told['uncertainty']['k']}"),
             Cell(" ".join(total.get("months", ())))]]  # fmt: skip


def _unanswered(of: str, told: Mapping[str, Any]) -> Rows:
    rows = [[Cell(both("year.unanswered"), look="head")]]
    return rows + [[Cell(both(f"{of}.unanswered.{key}"))] for key in told["unanswered"]]


def embedded_rows(year: SealedYear, told: Mapping[str, Any]) -> Rows:
    """Specific embedded emissions of the product."""
    rows = bands(year)
    rows.append([Cell(both("cbam.how"), look="band")])
    goods = word(f"cbam.goods.{told['product']['goods']}", "zh")
    named = f"{goods} {told['product']['goods']} (CN {told['product']['cn']})"
    rows.append(head("figure", "value", "unit", "state", "source"))
    rows.append([Cell(both("cbam.product")), Cell(named)])
    total = [Cell(both("cbam.emission")), number(told["emission_t"]), Cell("tCO2e")]
    rows.append([*total, *beside(year.state)])
    rows.append([Cell(both("cbam.activity")), number(told.get("activity_t", "")), Cell("t")])
    direct, indirect = told["direct"], told["indirect"]
    left = " ".join(direct.get("left_out", ()))
    rows.append(
        [Cell(both("cbam.direct")), number(direct.get("t_t", "")), Cell("tCO2e/t"),
         Cell(both(f"cbam.state.{direct['state']}")), Cell(left)]
    )  # fmt: skip
    rows.append(
        [Cell(both("cbam.electricity")), number(indirect.get("mwh_t", "")), Cell("MWh/t"),
         Cell(both(f"cbam.state.{indirect['state']}")), Cell(indirect.get("source", ""))]
    )  # fmt: skip
    rows.append([Cell(both("cbam.indirect")), number(indirect.get("t_t", "")), Cell("tCO2e/t")])
    for key, value in told["shares"].items():
        rows.append([Cell(both(f"cbam.{key}")), number(value), Cell("%")])
    for row in told["precursors"]:
        rows.append([Cell(both("cbam.precursor")), number(row["quantity"]), Cell(row["unit"]),
                     Cell(row["kind"])])  # fmt: skip
    rows.append(head("month", "emission", "output", "rules", "why"))
    for row in told["months"]:
        rows.append(
            [Cell(row["month"]), number(row["emission_t"]), number(row.get("output_t", "")),
             Cell(both(f"cbam.by.{row['by']}") + f" {row['rule_set']}"),
             Cell(both_or(f"cbam.why.{row['reason']}", row["reason"]) if "reason" in row else "")]
        )  # fmt: skip
    return rows + _unanswered("cbam", told)


def position_rows(told: Mapping[str, Any]) -> Rows:
    """Allowances against emission, and what it would be with other figures."""
    then = told.get("what_if", {})
    rows = [head("figure", "value", *(["what-if", "difference"] if then else []))]
    keys = ("emission_t", "output_t", "intensity", "allowance_t", "balance_t", "balance_percent",
            "held_t", "still_to_hold_t", "price", "worth")  # fmt: skip
    for key in keys:
        if key in told or key in then:
            unit = (
                f" {told['currency']}" if key in ("price", "worth") and "currency" in told else ""
            )
            row = [Cell(both(f"position.{key}") + unit), number(told.get(key, ""))]
            if then:
                row += [number(then.get(key, "")), number(then["difference"].get(key, ""))]
            rows.append(row)
    basis = told["basis"]
    rows.append([Cell(both(f"position.basis.{basis['how']}")), Cell(basis.get("source", ""))])
    if projection := told.get("projection"):
        days = f"{projection['days']}/{projection['of_days']}"
        rows.append([Cell(both(f"position.{projection['method']}")), Cell(days)])
    rows.append([Cell(both(f"position.state.{told['state']}"), look="band")])
    rows += [[Cell(_flag(f)), Cell(f)] for f in told["lacks"]]
    if issued := told.get("preallocated"):
        confidence = both(f"confidence.{issued['confidence']}")
        rows.append([Cell(both("position.preallocated")), number(issued["t"]), Cell(confidence)])
    return rows


def material_rows(months: Sequence[tuple[SealedMonth, Sequence[Any]]]) -> Rows:
    """Which supporting material each month's archive holds."""
    rows = [[*head("material"), *(Cell(month.month, look="head") for month, _ in months)]]
    by_id: dict[str, list[Any]] = {}
    for _, ones in months:
        for one in ones:
            by_id.setdefault(one.id, []).append(one)
    for ones in by_id.values():
        names = ones[0].names
        states = [Cell(f"{both('material.' + o.state)} {o.count or ''}".rstrip()) for o in ones]
        rows.append([Cell(f"{names['zh']} {names['en']}"), *states])
    return rows
