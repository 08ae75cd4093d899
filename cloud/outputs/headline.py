"""A month's figures as people call them: for the report and for the month's page alike. Pure."""

from collections.abc import Mapping
from typing import Any

from cloud.outputs.figures import name_of
from cloud.outputs.words import word, word_or
from edge.calc.factors import RuleSet

#: name, decimal string, unit
Row = tuple[str, str, str]


def headline(given: Mapping[str, Any], output: Mapping[str, Any], language: str) -> list[Row]:
    """Totals, gases, what was made, intensity: as sealed, the total first.

    Args:
        given: a statement's input.
        output: its output.
        language: "en" or "zh".
    """
    totals = dict(output["totals"])
    ordered = {"total_t": totals.pop("total_t"), **totals}
    rows = [(f"total.{key}", value, _total_unit(key)) for key, value in ordered.items()]
    rows += [
        (f"gas.{key}", value, "t" if key.endswith("_t") else "kg")
        for key, value in output["gases"].items()
    ]
    rows += [
        (f"output.{key}", value, "t")
        for key, value in given.get("output", {}).items()
        if isinstance(value, str)
    ]
    if "intensity" in output:
        rows.append(("intensity", output["intensity"], "tCO2(e)/t"))
    return [(word_or(key, language, key), value, unit) for key, value, unit in rows]


def kind_name(rules: RuleSet, category: str, kind: str, language: str) -> str:
    """What a line is about as people call it: "washed coal" of washed-coal."""
    own = name_of(rules, category, kind) if language == "zh" else kind.replace("-", " ")
    return word_or(f"kind.{kind}", language, own)


def line_name(rules: RuleSet, line: Mapping[str, Any], language: str) -> str:
    """A line as people call it: what, of which material, in which process unit, by which meter."""
    category, kind = line["category"], line["kind"]
    named = kind_name(rules, category, kind, language)
    parts = [word(f"category.{category}", language), named, line.get("unit", ""), _meter(line)]
    return " · ".join(filter(None, parts))


def emission_unit(line: Mapping[str, Any]) -> str:
    """Unit of a line's emission."""
    return "tCO2e" if line["category"] == "pfc" else "tCO2"


def _total_unit(key: str) -> str:
    return {"total_t": "tCO2(e)", "pfc_co2e_t": "tCO2e"}.get(key, "tCO2")


def _meter(line: Mapping[str, Any]) -> str:
    """The points its amount was read at: two lines of one coal are told apart by them."""
    amount: Mapping[str, Any] = line["parameters"].get("quantity", {})
    return str(amount.get("provenance", {}).get("frames", {}).get("point", ""))
