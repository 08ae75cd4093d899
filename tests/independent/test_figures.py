"""The month's figures, made twice: by the program, and by Node from FIGURES.md."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.forging import ROOT_SHA256
from tests.independent.other import agreed, compare, verify_there
from tests.independent.random_plants import month
from tests.unit.evidence import sealed_month as sm

SEEDS = range(40)

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("npm")]


@pytest.fixture(scope="module")
def months() -> list[bytes]:
    return [month(seed) for seed in SEEDS]


def inputs(months: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(sm.unpack(data)["data/statement.json"])["input"] for data in months]


def test_both_make_the_same_figures_of_random_plants(months: list[bytes], tmp_path: Path) -> None:
    assert {found.verdicts for found in agreed(months, tmp_path)} == {("passed", "passed")}


def test_a_number_that_is_none_is_not_usable(tmp_path: Path) -> None:
    """A NaN that is called good is as a bad reading (FIGURES.md): completeness too says so."""
    assert agreed([month(seed, nan_code=0) for seed in range(10, 20)], tmp_path)


def test_random_plants_meet_every_rule_of_effects(months: list[bytes]) -> None:
    made = inputs(months)
    effects = [e for m in made for line in m["potlines"] for e in line["effects"]]
    assert {flag for effect in effects for flag in effect["flags"]} == {
        "configuration-change", "gap", "hole", "month-cut", "running", "state-change",
    }  # fmt: skip
    assert max(effect["crossings"] for effect in effects) >= 3
    flags = {flag.partition(":")[0] for m in made for flag in m["flags"]}
    assert {"configuration-changed", "totaliser-drop", "slow-pot-voltage"} <= flags
    assert {"totaliser-spike", "totaliser-leap", "check", "not-checked"} <= flags
    counters = [t for m in made for t in m["totalisers"]]
    assert {s["before"] < s["after"] for t in counters for s in t.get("spikes", [])} == {
        True,
        False,
    }
    assert max(s["readings"] for t in counters for s in t.get("spikes", [])) > 3
    assert any(t["difference"] != t["steps_upward"] for t in counters if "leaps" in t)
    results = {c["result"] for m in made for c in m["checks"]}
    assert results == {"within", "outside", "not-checked"}
    assert "unconfirmed:overvoltage.algebraic" in {flag for m in made for flag in m["flags"]}
    outside = [entry for m in made for line in m["potlines"] for entry in line.get("outside", [])]
    assert {entry["state"] for entry in outside} == {"unknown", "baking", "unnamed"}
    slow = [line["sampling"] for m in made for line in m["potlines"] if "sampling" in line]
    assert len({s["never_seen_up_to_s"] for s in slow}) >= 2
    assert max(int(s["total_uncertainty_s"]) for s in slow) >= 12, "two effects, six seconds each"
    assert {code for m in made for code in m.get("reservations", {})} == {"16", "21"}
    assert {m["closing"] for m in made} == {"interim", "final"}
    figures = [m["pfc"] for m in made if "indicator" in m.get("pfc", {})]
    assert {"site", "ipcc-2019"} <= {pfc["indicator"]["edition"] for pfc in figures}
    classes = {
        pfc["indicator"]["provenance"]["aem_min_per_cell_day"]["frames"]["class"] for pfc in figures
    }
    assert {"typed", "meter-direct"} <= classes
    statements = [json.loads(sm.unpack(data)["data/statement.json"]) for data in months]
    assert {statement["simulated"] for statement in statements} == {True, False}


def test_a_figure_that_is_moved_is_found_there_too(tmp_path: Path) -> None:
    """The comparison is no empty one: each figure of the input, moved alone, is named."""
    files = sm.unpack(sm.honest())
    honest = json.loads(files["data/statement.json"])
    figures = [
        ("E-INPUT", "input.totalisers[0].difference"), ("E-INPUT", "input.checks[1].integral"),
        ("E-INPUT", "input.completeness.gas.flow.usable"),
        ("E-INPUT", "input.potlines[0].effects[0].v_max"),
        ("E-TOTAL", "output.lines[1].emission_t"), ("E-TOTAL", "output.gases.cf4_kg"),
    ]  # fmt: skip
    paths = []
    for code, figure in figures:
        statement = json.loads(json.dumps(honest))
        move(statement, figure)
        files["data/statement.json"] = sm.statement_bytes(statement)
        paths.append(tmp_path / f"{len(paths)}.tar")
        paths[-1].write_bytes(sm.repack(files))
        assert (code, figure) in {
            (f.code, f.where) for f in sm.check(paths[-1].read_bytes()).findings
        }
    for (code, figure), answer in zip(figures, verify_there(paths), strict=True):
        assert {"code": code, "where": figure} in [
            {"code": found["code"], "where": found["where"]} for found in answer["findings"]
        ]


#: what is no indicator of a site's own coefficients
NO_SITE: tuple[Callable[[Any], Any], ...] = (
    lambda i: i.pop("slope"), lambda i: i.update(slope="1/9"), lambda i: i.update(slope="10.5"),
    lambda i: i.update(c2f6_fraction="1.01"), lambda i: i.update(c2f6_fraction=1),
    lambda i: i.update(source="x"), lambda i: i.update(technology="PFPB"),
    lambda i: i.update(edition="ipcc-2019"), lambda i: i["provenance"].pop("slope"),
    lambda i: i["provenance"]["slope"].update(frames={}), lambda i: i.update(provenance=[]),
    lambda i: i["provenance"]["c2f6_fraction"]["typed"].update(source=None),
    lambda i: i["provenance"].update(source={}), lambda i: i.pop("aem_min_per_cell_day"),
)  # fmt: skip


def test_both_refuse_what_is_no_indicator_of_a_site(months: list[bytes], tmp_path: Path) -> None:
    of = (i for i, m in enumerate(inputs(months)) if _edition(m) == "site")
    files = sm.unpack(months[next(of)])
    honest, paths = json.loads(files["data/statement.json"]), []
    for change in NO_SITE:
        statement = copy.deepcopy(honest)
        change(statement["input"]["pfc"]["indicator"])
        files["data/statement.json"] = sm.statement_bytes(statement)
        paths.append(tmp_path / f"{len(paths)}.tar")
        paths[-1].write_bytes(sm.repack(files))
    for path, answer in zip(paths, verify_there(paths, [ROOT_SHA256]), strict=True):
        report = sm.check(path.read_bytes())
        assert compare(report, answer).differences() == []
        assert "E-STATEMENT" in sm.codes(report)


def _edition(given: dict[str, Any]) -> str | None:
    found = given.get("pfc", {}).get("indicator", {}).get("edition")
    return str(found) if found else None


def move(statement: Any, path: str) -> None:
    """Set what stands at a path to 7."""
    if "gas.flow" in path:  # an id with a dot
        statement["input"]["completeness"]["gas.flow"]["usable"] = 7
        return
    *steps, last = path.replace("[", ".").replace("]", "").split(".")
    for step in steps:
        statement = statement[int(step) if step.isdigit() else step]
    statement[last] = "7"
