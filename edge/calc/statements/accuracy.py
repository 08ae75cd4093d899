"""How sure a sealed month's figures are, by a file that says how sure its meters and factors are.

A sealed month's input holds no uncertainty: what a meter's certificate or a laboratory says is told
beside it, by point and by factor, and goes to every parameter of the statement that was counted by
that point or came from that row. The figures are those of the sealed input, whatever is said.

    [[meter]]
    point = "coal-kiln.total"       # as the statement section names it
    percent = "0.5"                 # and what else an `uncertainty` entry has (docs/uncertainty.md)
    means = "limits"
    common = "weighbridge-1"

    [[factor]]
    of = "fuel.bituminous.ncv"      # a row of the rule set, or CATEGORY.PARAMETER of its lines
    percent = "2"
    means = "expanded"
    k = "2"

Pure.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from edge.calc.errors import StatementError
from edge.calc.statements.statement import compute

ENTRIES_MAX = 2_000
_TABLES = {"meter": "point", "factor": "of"}

#: named -> what is said of it, without its name
Said = Mapping[str, list[dict[str, Any]]]


def with_accuracy(given: Mapping[str, Any], accuracy: Mapping[str, Any]) -> dict[str, Any]:
    """A statement's input with what is said of its meters and factors.

    Args:
        given: of a sealed month, or any other; what it says itself stays.
        accuracy: tables `meter` and `factor`.

    Raises:
        StatementError: names every wrong key of `accuracy`; or as `compute` raises.
    """
    meters, factors = read_accuracy(accuracy)
    result = {key: _copied(value) for key, value in given.items()}
    at: Counter[str] = Counter()
    for line in compute(given)["lines"]:
        table = result[line["category"]]
        fields = table
        if isinstance(table, list):
            fields = table[at[line["category"]]]
            at[line["category"]] += 1
        if found := [*_of_line(line, meters, factors)]:
            fields["uncertainty"] = [*fields.get("uncertainty", ()), *found]
    return result


def read_accuracy(accuracy: Mapping[str, Any]) -> tuple[Said, Said]:
    """(of meters, of factors) by name; StatementError."""
    problems = [f"{key}: unknown key; there are meter, factor" for key in accuracy.keys() - _TABLES]
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for table, name in _TABLES.items():
        said: dict[str, list[dict[str, Any]]] = defaultdict(list)
        entries = accuracy.get(table, [])
        if not isinstance(entries, list) or len(entries) > ENTRIES_MAX:
            problems.append(f"{table}: must be a list of at most {ENTRIES_MAX} tables")
            entries = []
        for number, entry in enumerate(entries):
            if not isinstance(entry, Mapping) or not isinstance(entry.get(name), str):
                problems.append(f"{table}[{number}].{name}: missing, or no text")
            elif "parameter" in entry:
                problems.append(f"{table}[{number}].parameter: {name} says what it is of")
            elif table == "meter" and "absolute" in entry:
                # the same counter can make several parameters, in units of their own
                problems.append(f"{table}[{number}].absolute: give percent")
            else:
                said[entry[name]].append({k: v for k, v in entry.items() if k != name})
        found[table] = dict(said)
    if problems:
        raise StatementError(sorted(problems))
    return found["meter"], found["factor"]


def _copied(value: Any) -> Any:  # noqa: ANN401 - any part of an input
    """Tables that may get a list of uncertainties; what is in them stays as it is."""
    if isinstance(value, list):
        return [dict(row) if isinstance(row, Mapping) else row for row in value]
    return dict(value) if isinstance(value, Mapping) else value


def _of_line(line: Mapping[str, Any], meters: Said, factors: Said) -> Iterator[dict[str, Any]]:
    """What is said of a line's parameters, as entries of its `uncertainty` list."""
    category, kind = line["category"], line["kind"]
    for name, parameter in line["parameters"].items():
        point = parameter.get("provenance", {}).get("frames", {}).get("point", "")
        names = dict.fromkeys(
            (parameter.get("row", ""), f"{category}.{kind}.{name}", f"{category}.{name}")
        )
        for entry in [*meters.get(point, ()), *(e for n in names for e in factors.get(n, ()))]:
            if "percent" not in entry or Fraction(parameter["value"]):  # a share of 0 says nothing
                yield {"parameter": name, **entry}
