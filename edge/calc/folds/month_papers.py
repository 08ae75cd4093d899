"""What documents of persons add to a month: factors and amounts of entries that name a source.

Nothing of it changes what a meter counted. A second source beside a meter is compared and never
added; a document that nobody else approved counts for nothing; each is a flag of the statement.

Flags: no-document:<source>, not-approved:<source>, not-usable:<source>.<what>,
no-records:<source>, apart:<source>, bridged:<source>, bridge-told:<source>,
stock-incomplete:<source>.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.factors import Kind, RuleSet
from edge.calc.folds.bridging import bridged_amounts
from edge.calc.folds.entries import lists_of
from edge.calc.folds.month_entry import MonthEntry
from edge.calc.folds.paper_amounts import (
    BALANCED,
    PARTS,
    Recorded,
    UnfitError,
    amounts_of,
    counts,
    invoices,
)
from edge.calc.folds.paper_factors import Factor, factors_of
from edge.calc.folds.papers import Papers, provenance
from edge.calc.methods.combustion import carbon_per_unit, fuel_parameters, parameter_unit
from edge.calc.parameter import given

#: % that a second source may be off the meter (table statement-checks, second_source.percent)
APART_PERCENT = 5


class MonthPapers:
    """The documents of a month beside its entries.

    Attributes:
        flags: what the statement must say of them, as far as rows were made.
        checks: documents against totalisers, likewise.
        bridges: how documents of another period were brought to this one.
    """

    def __init__(self, rules: RuleSet, papers: Papers, entries: Sequence[MonthEntry]) -> None:
        """`entries`: all of the month; what they name is looked up when their rows are made."""
        self._rules, self._papers = rules, papers
        self._times = Counter(entry.plan.entry.source for entry in entries)
        self._told: set[str] = set()  # sources of which a document made something
        self._flags: set[str] = set()
        self._asked: set[str] = set()
        self._bridge_of: dict[str, str] = {}  # source -> point
        self.checks: list[dict[str, Any]] = []
        self.bridges: list[Mapping[str, Any]] = []

    @property
    def flags(self) -> set[str]:
        """Codes, each once."""
        silent = {f"no-document:{source}" for source in self._asked - self._told}
        waiting = {
            f"not-approved:{source}"
            for source in self._asked
            if self._papers.is_waiting(source, self._bridge_of.get(source, ""))
        }
        return self._flags | silent | waiting

    def row(self, entry: MonthEntry) -> dict[str, Any] | None:
        """An entry as a row of its table; None where there is no amount of it."""
        plan = entry.plan.entry
        if not plan.source:
            return entry.row() if entry.quantities else None
        self._asked.add(plan.source)
        if plan.is_recorded:
            row = self._recorded_row(entry)
        else:
            row = entry.row() if entry.quantities else None
            if row is not None and self._times[plan.source] == 1:
                self._compare(entry)
        if row is not None:
            kind = self._rules.kinds(plan.table)[plan.kind]
            self._add(row, self._factors(plan.source, plan.table, kind, plan.words.get("use", "")))
        return row

    def anode(self, row: dict[str, Any], source: str) -> None:
        """Add what was analysed to the anodes' row."""
        self._asked.add(source)
        self._add(row, self._factors(source, "anode", Kind("", "")))

    def _factors(self, source: str, table: str, kind: Kind, use: str = "") -> Mapping[str, Factor]:
        def carbon(own: Mapping[str, Fraction]) -> Fraction:
            parameters = {
                name: given(value, exact_text(value), parameter_unit(kind, name))
                for name, value in own.items()
            }
            return carbon_per_unit(fuel_parameters(self._rules, kind, parameters, use=use))

        found, flags = factors_of(self._papers, source, table, kind, carbon)
        self._flags.update(flags)
        if found:
            self._told.add(source)
        return found

    def _add(self, row: dict[str, Any], factors: Mapping[str, Factor]) -> None:
        row |= {name: factor.text for name, factor in factors.items()}
        row["provenance"] |= {name: dict(factor.provenance) for name, factor in factors.items()}

    def _recorded_row(self, entry: MonthEntry) -> dict[str, Any] | None:
        plan = entry.plan.entry
        amounts = self._amounts(entry)
        if not amounts:
            return None
        self._told.add(plan.source)
        return {
            **plan.words,
            **{key: amount.text for key, amount in amounts.items()},
            "provenance": {
                key: provenance(plan.source, amount.rule, amount.made_of)
                for key, amount in amounts.items()
            },
        }

    def _amounts(self, entry: MonthEntry) -> Mapping[str, Recorded]:
        plan = entry.plan.entry
        unit = self._rules.kinds(plan.table)[plan.kind].unit
        flag = f"not-usable:{plan.source}.amount"
        found: Mapping[str, Recorded] = {}
        if entry.is_whole:  # otherwise a meter, or another entry, may have counted a part of it
            flag = f"no-records:{plan.source}"
            try:
                found = self._amounts_of(entry, unit)
            except UnfitError:
                flag = f"not-usable:{plan.source}.amount"
        self._flags |= set() if found else {flag}
        return found

    def _amounts_of(self, entry: MonthEntry, unit: str) -> Mapping[str, Recorded]:
        """Of the period, or brought to it; UnfitError."""
        source, table = entry.plan.entry.source, entry.plan.entry.table
        if entry.bridge is None:
            return amounts_of(self._papers, source, table, unit)
        self._bridge_of[source] = entry.bridge.point.id
        made = bridged_amounts(self._papers, source, table, unit, entry.bridge)
        if made.as_map is not None:
            self.bridges.append(made.as_map)
            self._flags.add(f"bridged:{source}")
            if not {"quantity", "opening"} & made.as_map["parts"].keys():
                self._flags.add(f"stock-incomplete:{source}")  # what lay there is not known
            self._flags |= {f"bridge-told:{source}"} if made.is_told else set()
        return made.amounts

    def _compare(self, entry: MonthEntry) -> None:
        """Documents of what its meters counted, where there are any."""
        plan = entry.plan.entry
        unit = self._rules.kinds(plan.table)[plan.kind].unit
        for key, (meter, quantity) in entry.quantities.items():
            try:
                second = self._second(plan.source, plan.table, unit, key)
            except UnfitError:
                self._flags.add(f"not-usable:{plan.source}.{key}")
                continue
            if second is None:
                continue
            self._told.add(plan.source)
            check: dict[str, Any] = {
                "check": "documents against the totaliser",
                "point": meter.point.id,
                "totaliser": exact_text(quantity),
                "recorded": second.text,
                **provenance(plan.source, second.rule, second.made_of),
            }
            if quantity:
                apart = (second.value - quantity) / quantity * 100
                check["difference_percent"] = rounded_text(apart, 2)
                if abs(apart) > APART_PERCENT:
                    self._flags.add(f"apart:{plan.source}")
            self.checks.append(check)

    def _second(self, source: str, table: str, unit: str, key: str) -> Recorded | None:
        """Invoices of what came and left; counts of what was used or made, else what came."""
        if key in PARTS:
            return invoices(self._papers, source, unit, key)
        counted = counts(self._papers, source, unit)
        if counted is not None or table not in BALANCED:
            return counted
        return invoices(self._papers, source, unit, PARTS[0])


def rows(
    rules: RuleSet, entries: Sequence[MonthEntry], papers: MonthPapers
) -> dict[str, list[dict[str, Any]]]:
    """The tables that a sector's statement has lists of, in the order of the entries."""
    return {
        table: [
            row
            for entry in entries
            if entry.table == table and (row := papers.row(entry)) is not None
        ]
        for table in [*lists_of(rules), "auxiliary"]
    }
