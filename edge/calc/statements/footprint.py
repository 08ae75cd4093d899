"""Which process unit emitted what, by which meters: lines by unit, source and points. Pure.

Nothing is allocated: what the plant's site file gives no unit stands as the whole plant's.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.statements.line import COUNTS


def footprint(outputs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The footprint of some months.

    Args:
        outputs: of their statements.

    Returns:
        "units": id ("" is the whole plant), "emission_t" as it counts in the total, "percent" of
        the gross emission (of what is emitted and what is subtracted, without signs), "sources":
        category, kind, points, quantity with unit, basis, emission_t, months. "total_t" is the
        sum of the months' printed totals, and of the units'.
    """
    found: dict[str, dict[tuple[str, ...], list[tuple[str, Mapping[str, Any]]]]] = {}
    for output in outputs:
        for line in output["lines"]:
            key = (line["category"], line["kind"], *points_of(line))
            rows = found.setdefault(line.get("unit", ""), {})
            rows.setdefault(key, []).append((output["month"], line))
    units = [_unit(name, rows) for name, rows in sorted(found.items())]
    gross = sum((abs(_emission(row)) for unit in units for row in unit["sources"]), Fraction(0))
    for unit in units:
        share = sum((abs(_emission(row)) for row in unit["sources"]), Fraction(0))
        unit["percent"] = rounded_text(share / gross * 100, 2) if gross else "0.00"
    total = sum((Fraction(output["totals"]["total_t"]) for output in outputs), Fraction(0))
    return {"units": units, "total_t": rounded_text(total, 2)}


def points_of(line: Mapping[str, Any]) -> tuple[str, ...]:
    """Points and potlines whose readings went into a line, sorted; none of what was typed."""
    names = set()
    for parameter in line["parameters"].values():
        frames = parameter.get("provenance", {}).get("frames", {})
        for read in frames if isinstance(frames, list) else [frames]:
            told = [str(read[key]) for key in ("point", "potline") if key in read]
            names |= {name for text in told for name in text.split()}  # a sum names several
    return tuple(sorted(names))


def _unit(
    name: str, rows: Mapping[tuple[str, ...], Sequence[tuple[str, Mapping[str, Any]]]]
) -> dict[str, Any]:
    sources = [_source(key, lines) for key, lines in rows.items()]
    sources.sort(key=lambda row: -abs(_emission(row)))
    total = sum(map(_emission, sources), Fraction(0))
    return {"unit": name, "emission_t": rounded_text(total, 2), "sources": sources}


def _source(key: tuple[str, ...], lines: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    category, kind, *points = key
    amounts = [line["parameters"].get("quantity", {}) for _, line in lines]
    emission = sum((Fraction(line["emission_t"]) for _, line in lines), Fraction(0))
    return {
        "category": category,
        "kind": kind,
        "points": points,
        "quantity": exact_text(sum((Fraction(line["quantity"]) for _, line in lines), Fraction(0))),
        "quantity_unit": next((a["unit"] for a in amounts if "unit" in a), "t"),
        "emission_t": rounded_text(COUNTS[category][2] * emission, 2),
        "months": sorted({month for month, _ in lines}),
    }


def _emission(row: Mapping[str, Any]) -> Fraction:
    return Fraction(row["emission_t"])
