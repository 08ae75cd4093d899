"""Nothing that can stand in a file or a signed configuration raises anything but our own errors.

A verifier reads both from strangers: an uncaught exception there is a defect, never a finding.
"""

import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.calc.errors import CalcError, InputError, StatementError, UnknownRuleSetError
from edge.calc.folds.live import PlantCalc
from edge.calc.folds.month import MonthFold
from edge.calc.registry import evaluate, methods
from edge.calc.statements.statement import compute
from tests.property.calc.plant_stories import CONFIG, MIDNIGHT, S, make_series

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=12),
    st.binary(max_size=4),
    st.sampled_from(["coke", "natural-gas", "1.5", "-1", "ar5", "CWPB", "ipcc-2006", "0"]),
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
WORDS = st.sampled_from([
    "kind", "quantity", "opening", "purchased", "closing", "output", "ncv", "carbon_content",
    "carbon_ar", "oxidation_percent", "use", "unit", "provenance", "gross_t", "net_t",
    "loss_percent", "sulfur_percent", "ash_percent", "metal_t", "cf4_kg_t", "c2f6_kg_t", "gwp",
    "aem_min_per_cell_day", "indicator", "technology", "edition", "slope", "c2f6_fraction",
    "purity_percent", "aluminium_t", "frames", "typed",
])  # fmt: skip
TABLE = st.dictionaries(
    WORDS, st.one_of(SCALARS, st.decimals(), st.dictionaries(WORDS, JUNK, max_size=3))
)


@settings(max_examples=300, deadline=None)
@given(
    tables=st.fixed_dictionaries(
        {},
        optional={
            "fuel": st.one_of(st.lists(TABLE, max_size=2), JUNK),
            "anode": st.one_of(TABLE, JUNK),
            "pfc": st.one_of(TABLE, JUNK),
            "carbonate": st.one_of(st.lists(TABLE, max_size=2), JUNK),
            "output": st.one_of(TABLE, JUNK),
            "auxiliary": st.one_of(st.lists(TABLE, max_size=2), JUNK),
            "flags": JUNK,
            "closing": JUNK,
            "period": JUNK,
        },
    ),
    month=st.one_of(st.just("2026-06"), JUNK),
    rules=st.one_of(st.just("cets-ag-04.01-v01-2024"), JUNK),
)
def test_a_statement_of_anything_is_a_statement_or_a_named_refusal(
    tables: dict[str, Any], month: Any, rules: Any
) -> None:
    try:
        found = compute({"rule_set": rules, "month": month, **tables})
    except StatementError as refusal:
        named = [": " in problem for problem in refusal.problems]
    except UnknownRuleSetError:
        named = [rules != "cets-ag-04.01-v01-2024"]
    else:
        named = [Decimal(line["emission_t"]).is_finite() for line in found["lines"]]
        named.append(True)
    assert named
    assert all(named)


@pytest.mark.parametrize("source", [None, [], "text", 5])
def test_an_input_that_is_no_table_is_refused(source: Any) -> None:
    with pytest.raises(StatementError, match="input: must be a table"):
        compute(source)


@settings(max_examples=200, deadline=None)
@given(name=st.sampled_from(list(methods())), values=st.dictionaries(WORDS, JUNK, max_size=6))
def test_a_method_takes_anything(name: str, values: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        evaluate(name, {"colour": "red", **values})


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a nested configuration."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += places(inner, (*path, index))
    return found


PLACES = places(CONFIG)


@settings(max_examples=300, deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.sampled_from(PLACES), st.one_of(st.just("delete"), JUNK)),
        min_size=1, max_size=2,
    )
)  # fmt: skip
def test_a_configuration_of_anything_is_used_or_refused(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    config = copy.deepcopy(CONFIG)
    for path, value in changes:
        change(config, path, value)
    sentences = []
    for use in (live, month):
        try:
            use(config)
        except CalcError as refusal:
            sentences.append(str(refusal))
    assert all(sentences)


BLOCKS = make_series(1, 30, MIDNIGHT).between(MIDNIGHT, MIDNIGHT + 30 * S)


def live(config: Any) -> None:
    """Build and feed; what the frames hold fits the signed groups, or nothing is fed."""
    calc = PlantCalc(config)
    if config["groups"] == CONFIG["groups"] and config["points"] == CONFIG["points"]:
        calc.feed(BLOCKS)


def month(config: Any) -> None:
    fold = MonthFold()
    fold.configure(config)
    if config["groups"] == CONFIG["groups"] and config["points"] == CONFIG["points"]:
        fold.feed(BLOCKS)
        compute(fold.result(MIDNIGHT, MIDNIGHT + 30 * S, "interim"))


def change(config: Any, path: tuple[Any, ...], value: Any) -> None:
    """Replace or delete one place, if an earlier change has not taken it away."""
    for key in path[:-1]:
        try:
            config = config[key]
        except (KeyError, IndexError, TypeError):
            return
    try:
        if value == "delete":
            del config[path[-1]]
        else:
            config[path[-1]] = value
    except (KeyError, IndexError, TypeError):
        return
