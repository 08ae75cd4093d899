"""Figures that persons sign, made twice: by the program, and by Node from FIGURES.md section 7."""

import contextlib
import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.independent.other import agreed
from tests.independent.random_months import bent
from tests.independent.random_papers import papered_month
from tests.unit.evidence import sealed_month as sm

#: in these each rule below is met
SEEDS = (*range(80, 125), *range(186, 207))
TABLES = ("fuel", "process", "product", "clinker", "substitute")

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("npm")]


@pytest.fixture(scope="module")
def months() -> list[bytes]:
    return [papered_month(seed) for seed in SEEDS]


def test_both_make_the_same_figures_of_what_was_signed(months: list[bytes], tmp_path: Path) -> None:
    assert {found.verdicts for found in agreed(months, tmp_path)} == {("passed", "passed")}


def rows(months: list[bytes]) -> list[Any]:
    inputs = [json.loads(sm.unpack(data)["data/statement.json"])["input"] for data in months]
    return [row for given in inputs for table in TABLES for row in given.get(table, ())]


def test_random_papers_meet_every_rule_of_theirs(months: list[bytes]) -> None:
    told = [
        (name, source["documents"])
        for row in rows(months)
        for name, source in row["provenance"].items()
        if "documents" in source
    ]
    assert {(name, of["rule"]) for name, of in told} >= {
        ("ncv", "samples"), ("carbon_content", "samples"), ("carbon_ar", "samples"),
        ("factor", "samples"), ("factor", "parameter"), ("ncv", "parameter"),
        ("opening", "stock-take"), ("closing", "stock-take"), ("purchased", "invoices"),
        ("output", "invoices"), ("quantity", "counts"), ("quantity", "stock-taking"),
    }  # fmt: skip
    assert {of.get("weights") for _, of in told} == {None, "mass", "equal"}
    statements = [json.loads(sm.unpack(data)["data/statement.json"]) for data in months]
    flags = {f.partition(":")[0] for s in statements for f in s["output"]["flags"]}
    assert flags >= {"no-document", "no-records", "not-approved", "not-usable", "apart"}
    checks = [c["check"] for s in statements for c in s["input"]["checks"]]
    assert "documents against the totaliser" in checks


def test_both_say_the_same_of_a_statement_bent_there(
    months: list[bytes], tmp_path: Path, times: int
) -> None:
    """A factor or part of a row, its number, its name, where it comes from."""
    made = []
    for seed in range(50 * times):
        rng, files = random.Random(seed), sm.unpack(months[seed % len(months)])
        statement = json.loads(files["data/statement.json"])
        there = [row for table in TABLES for row in statement["input"].get(table, ())]
        if not there:
            continue
        row = rng.choice(there)
        if rng.random() < 0.5:
            name = rng.choice([*row["provenance"], "ncv", "carbon_ar", "factor", "opening"])
            row[name] = rng.choice(("0", "0.5", "1.5", "4.5", "55", "1", "0.50"))
            row["provenance"].setdefault(
                name, {"documents": {"about": "x", "rule": "samples", "sha256": ["ab"]}}
            )
        else:
            row["provenance"] = bent(row["provenance"], rng)
        with contextlib.suppress(TypeError):  # what is bent may be no JSON
            files["data/statement.json"] = sm.statement_bytes(statement)
            made.append(sm.repack(files, by=sm.keys().collector))
    codes = {code for found in agreed(made, tmp_path) for code, _ in found.ours}
    assert {"E-STATEMENT", "E-INPUT", "E-TOTAL"} <= codes
