"""The report's drawings with what they are drawn of: sources, days, anode effects. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from cloud.outputs.blocks import Block, heading, picture, table, text
from cloud.outputs.headline import line_name
from cloud.outputs.plots import bars, shares
from cloud.outputs.reported import Checked
from cloud.outputs.words import word
from edge.calc.decimal_text import parse_decimal, rounded_text
from edge.calc.local_time import Day
from edge.calc.statements.line import COUNTS
from evidence.recompute import instant_ns

#: amounts of a line that a totaliser may count, the first of them that is there
_AMOUNTS = ("quantity", "gross_t", "net_t", "metal_t")


def sources_of(checked: Checked, language: str) -> Iterator[Block]:
    """The lines' emissions beside each other; what is subtracted has another colour."""
    month = checked.month
    rows = []
    for line in month.output["lines"]:
        sign = COUNTS[line["category"]][2]
        emission = line["emission_t"]
        value = sign * parse_decimal(emission)
        shown = f"-{emission}" if value < 0 else emission
        rows.append((line_name(month.rules, line, language), shown, value))
    if rows:
        yield heading(word("report.sources", language))
        yield picture(shares(rows, "t"))


def trend_of(checked: Checked, language: str) -> Iterator[Block]:
    """Emissions day by day: each line's, shared out by what its meters counted."""
    month, days = checked.month, _days(checked)
    sums: list[Fraction | None] = [None] * len(days)
    without = []
    for line in month.output["lines"]:
        daily = _daily(checked, line, days)
        if daily is None:
            without.append(line_name(month.rules, line, language))
            continue
        sign = COUNTS[line["category"]][2]
        for n, part in enumerate(daily):
            if part is not None:
                sums[n] = (sums[n] or Fraction(0)) + sign * part
    if all(value is None for value in sums):
        return
    yield heading(word("report.trend", language))
    shown = [None if value is None else max(value, Fraction(0)) for value in sums]
    yield picture(bars(_labels(days), shown, unit=word("report.trend.unit", language)))
    yield text(word("report.trend.how", language), "small")
    if without:
        yield text(word("report.trend.without", language, lines="; ".join(without)), "small")


def _daily(
    checked: Checked, line: Mapping[str, Any], days: Sequence[Day]
) -> list[Fraction | None] | None:
    """A line's emission day by day; None where no totaliser counts its amount."""
    parameters = line["parameters"]
    amount: Mapping[str, Any] = next(
        (parameters[name] for name in _AMOUNTS if name in parameters), {}
    )
    frames = amount.get("provenance", {}).get("frames", {})
    meters = [checked.hours.meters.get(point) for point in str(frames.get("point", "")).split()]
    if frames.get("rule") != "totaliser" or not meters or None in meters:
        return None
    counted = [
        [meter.counted(day.start_ns, day.end_ns) for meter in meters if meter is not None]
        for day in days
    ]
    sums = [None if None in parts else sum(part or 0 for part in parts) for parts in counted]
    total = sum(part or 0 for part in sums)
    emission = parse_decimal(line["emission_t"])
    # what counted nothing has nothing to share out
    share = emission / total if total else Fraction(0)
    return [None if part is None else share * part for part in sums]


def effects_of(checked: Checked, language: str) -> Iterator[Block]:
    """Anode effects by potline, and how many began on each day."""
    potlines = checked.month.given.get("potlines") or []
    if not potlines:
        return
    yield heading(word("report.effects", language))
    keys = ("effect_count", "aef_per_cell_day", "aed_min", "aem_min_per_cell_day",
            "producing_cell_days")  # fmt: skip
    rows = [
        [str(line["id"]), str(line.get("technology", "")), *(str(line.get(k, "–")) for k in keys)]
        for line in potlines
    ]
    head = ["potline", "technology", *keys]
    yield table(
        [word(f"effects.{key}", language) for key in head], rows,
        widths=[1.2, 1.2, 1, 1.8, 1.6, 1.8, 1.8], align="llrrrrr", size=7,
    )  # fmt: skip
    days = _days(checked)
    begun = Counter(
        n
        for line in potlines
        for effect in line.get("effects", [])
        for n, day in enumerate(days)
        if day.start_ns <= effect["start_ns"] < day.end_ns
    )
    values: list[Fraction | None] = [Fraction(begun[n]) for n in range(len(days))]
    yield picture(bars(_labels(days), values, unit=word("effects.per_day", language)))
    indicator = checked.month.output.get("pfc", {}).get("indicator")
    if indicator is not None:
        told = {key: str(indicator[key]) for key in ("cf4_kg", "c2f6_kg", "co2e_t", "edition")}
        yield text(word("effects.indicator", language, **told), "small")


def completeness_of(checked: Checked, language: str) -> Iterator[Block]:
    """Usable readings of those that were due, day by day and stream by stream."""
    period = checked.month.given["period"]
    kept = checked.hours.days(instant_ns(period["from"]), instant_ns(period["to"]))
    yield heading(word("report.completeness", language))
    values = [Fraction(100 * day.usable, day.due) if day.due else None for day in kept]
    unit = word("report.completeness.unit", language)
    labels = _labels([day.day for day in kept])
    yield picture(bars(labels, values, unit=unit, top=Fraction(100), warn_below=Fraction(99)))
    yield text(word("report.completeness.how", language), "small")
    rows = [
        [stream, str(held["readings"]), str(held["readings_due"]), str(held["percent"]),
         str(held["gaps"]), str(held["gaps_s"]), str(held["holes"]), str(held["holes_s"])]
        for stream, held in sorted(checked.report.completeness.items())
    ]  # fmt: skip
    names = ("stream", "readings", "due", "percent", "gaps", "gaps_s", "holes", "holes_s")
    if rows:
        head = [word(f"completeness.{name}", language) for name in names]
        yield table(head, rows, widths=[2, 2, 2, 1, 1, 1, 1, 1], align="lrrrrrrr")
    worst = sorted(
        (parse_decimal(row["percent"]), point)
        for point, row in checked.month.given.get("completeness", {}).items()
        if row.get("percent") and row["percent"] != "100.00"
    )[:10]
    if worst:
        yield text(word("completeness.worst", language), "small")
        shown = [[point, f"{rounded_text(percent, 2)} %"] for percent, point in worst]
        yield table([], shown, widths=[4, 1], align="lr")


def _days(checked: Checked) -> Sequence[Day]:
    return checked.hours.calendar


def _labels(days: Sequence[Day]) -> list[str]:
    return [str(n) for n in range(1, len(days) + 1)]
