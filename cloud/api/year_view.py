"""A year as its page shows it: texts instead of codes. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from cloud.api.month_view import look_of
from cloud.api.rendering import STRINGS
from cloud.outputs.headline import Row, kind_name
from cloud.outputs.words import word, word_or
from edge.calc.flags import Flag
from edge.calc.statements.statement import statement_rules

_POSITION = (
    "emission_t", "output_t", "intensity", "allowance_t", "balance_t", "balance_percent", "held_t",
    "still_to_hold_t", "price", "worth",
)  # fmt: skip


class YearView:
    """A year in a language, for its template.

    Args:
        told: as `cloud.year.shown.year_shown` gives it.
        language: "en" or "zh".
    """

    def __init__(self, told: Mapping[str, Any], language: str) -> None:
        self._told, self._language = told, language

    def months(self) -> list[tuple[str, Mapping[str, Any] | None]]:
        """All twelve, each with its archive or None."""
        there = {one["month"]: one for one in self._told["archives"]}
        year = self._told["year"]
        return [(name, there.get(name)) for name in (f"{year}-{n:02}" for n in range(1, 13))]

    def state(self, name: str) -> tuple[str, str] | None:
        """(look, headline) of a month's archive; None for a month without one."""
        found = {one["month"]: one["state"] for one in self._told["archives"]}
        found |= {one["month"]: one["state"] for one in self._told["failed"]}
        state = found.get(name)
        return None if state is None else (look_of(state), state["headline"][self._language])

    def beside_total(self) -> list[str]:
        """Months that make the total doubtful, in words: those left out, then those not all."""
        language = self._language
        return [self.left_out(one) for one in self._told["failed"]] + [
            f"{one['month']}{one['state']['beside_total'][language]}"
            for one in self._told["archives"]
            if one["state"]["beside_total"][language]
        ]

    def left_out(self, one: Mapping[str, Any]) -> str:
        """A month that no sum has, with its state."""
        state = one["state"]["headline"][self._language]
        return self.text("year.left-out", month=one["month"], state=state)

    def figures(self) -> list[Row]:
        """Name, decimal string, unit."""
        told, language = self._told, self._language
        rows = [
            (word_or(f"total.{key}", language, key), value, "tCO2(e)")
            for key, value in sorted(told["totals"].items(), key=lambda row: row[0] != "total_t")
        ]
        rows += [
            (word_or(f"gas.{key}", language, key), value, "t" if key.endswith("_t") else "kg")
            for key, value in told["gases"].items()
        ]
        if "output_t" in told:
            rows.append((word("year.output", language), told["output_t"], "t"))
            rows.append((word("intensity", language), told["intensity"], "tCO2(e)/t"))
        return rows

    def line(self, line: Mapping[str, Any]) -> str:
        """What a line is about."""
        rules = statement_rules(self._told["months"][-1]["rule_set"])
        parts = [
            word(f"category.{line['category']}", self._language),
            kind_name(rules, line["category"], line["kind"], self._language),
        ]
        return " · ".join(filter(None, [*parts, line.get("unit", "")]))

    def factor(self, name: str) -> str:
        """A parameter's name."""
        return word_or(f"parameter.{name}", self._language, name)

    def said(self, key: str) -> str:
        """A text that papers have too."""
        return word(key, self._language)

    def flags(self) -> list[str]:
        """The year's flags in words, of a factor or figure with its row."""
        flags = [Flag(flag) for flag in self._told["flags"]]
        return [
            " ".join(
                [*([one.where] if one.where != one.text else []), one.sentence(self._language)]
            )
            for one in flags
        ]

    def lacks(self) -> list[str]:
        """What belongs to the emission and is not in it, in words."""
        return [Flag(flag).sentence(self._language) for flag in self._told["position"]["lacks"]]

    def position(self) -> list[tuple[str, str, str, str]]:
        """(name, now, then, difference) of each figure; "" where there is none."""
        told = self._told["position"]
        then = told.get("what_if", {})
        rows = []
        for key in _POSITION:
            if key in told or key in then:
                money = key in ("price", "worth")
                unit = f" ({then.get('currency', told.get('currency', ''))})" if money else ""
                rows.append(
                    (word(f"position.{key}", self._language) + unit, told.get(key, ""),
                     then.get(key, ""), then.get("difference", {}).get(key, ""))
                )  # fmt: skip
        return rows

    def reason(self, said: str) -> str:
        """Why there is no position."""
        about = said.partition(":")[0]
        key = f"year.position.reason.{about}"
        whole = about in ("allowance", "price") or "per tonne" in said or "no figure" in said
        return self.text(key) if whole else self.text("year.position.reason.other", why=said)

    def wrong(self, names: Sequence[str]) -> str:
        """Which fields of the form cannot be read."""
        labels = [self.text(f"year.form.{name}") for name in names]
        return self.text("year.form.wrong", names="; ".join(labels))

    def share(self, emission_t: str) -> int:
        """A source's emission as a share of the largest, in percent, for its bar."""
        sizes = [
            abs(float(row["emission_t"]))
            for unit in self._told["footprint"]["units"]
            for row in unit["sources"]
        ]
        return round(100 * abs(float(emission_t)) / max(sizes)) if max(sizes) else 0

    def text(self, key: str, **values: object) -> str:
        """A text of the page with its values."""
        text = STRINGS[self._language][key]
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text
