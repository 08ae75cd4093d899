"""A month of each plant with all that happens in one: closed, amended, verified, all figures one.

What a statement must say is held against three things: what the counters showed, by hand and
through `calc statement`; the simulator's truth; and every paper that is made of the archive.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from cloud.app import create_app
from cloud.records import desk as desk_module
from edge.calc.decimal_text import exact_text
from edge.calc.statements.accuracy import with_accuracy
from edge.calc.statements.statement import compute
from evidence.findings import Verdict
from evidence.keys import load_trust
from evidence.verifier.run import verify
from simulators.month_plants import month_plant
from simulators.plants import load_any
from tests.independent.other import compare, verify_there
from tests.integration.cloud.whole_month import (
    DAYS,
    FROM_NS,
    HOUR,
    MONTH,
    PERIOD,
    REPLACED,
    TO_NS,
    Played,
    Replacement,
    Works,
)
from tests.unit.cloud.app_examples import make_client, make_hub, make_services
from tests.unit.cloud.outputs.collected import collected, figures_of, numbers, statement_of
from tests.unit.cloud.outputs.months import needs_font

pytestmark = [
    needs_font, pytest.mark.needs("node"), pytest.mark.needs("npm"), pytest.mark.timeout(300)
]  # fmt: skip

DAY = 24 * HOUR
#: of every meter: the maximum permissible error that its plant states
PERCENT = "0.5"
#: what a statement may lack of the truth, which its meters did not show: the minute before the
#: month's first reading, the one after its last, and that in which a meter was replaced
LACKING = Fraction(3, DAYS * 1440)


@dataclass(frozen=True)
class Case:
    """A plant.

    Attributes:
        scenario, mix: of the simulator.
        replacement: of its meter.
        row: what the laboratory finds in the fuel that is first in the statement.
        ncv: the same in the statement's unit.
        inputs: what an accountant types of the counters: (counted, ncv or nothing).
        truth: the same of the simulator's truth.
        sampled: first rows of the fuels' list that the factor is for.
        flags: of the statement.
    """

    scenario: str
    replacement: Replacement
    row: Mapping[str, str]
    ncv: str
    inputs: Callable[[Mapping[str, list[list[int]]]], dict[str, Any]]
    truth: Callable[[Mapping[str, Any]], dict[str, Any]]
    sampled: int
    flags: frozenset[str]
    mix: Mapping[str, int] = field(default_factory=dict)


def text(value: Fraction | int, parts: int = 1) -> str:
    return exact_text(Fraction(value) / parts)


def moved(pieces: list[list[int]]) -> int:
    return sum(last - first for first, last in pieces)


def smelter_inputs(counted: Mapping[str, list[list[int]]]) -> dict[str, Any]:
    """Gas in Nm3, then in steps of 10 Nm3; metal in kg."""
    old, new = counted["gas.volume"]
    metal_t = Fraction(moved(counted["line.metal"]), 1000)
    return {
        "fuel": [{"kind": "natural-gas", "quantity": text(moved([old]), 10_000)},
                 {"kind": "natural-gas", "quantity": text(moved([new]), 1_000)}],
        **smelter_metal(metal_t),
    }  # fmt: skip


def smelter_metal(metal_t: Fraction) -> dict[str, Any]:
    return {"anode": {"gross_t": text(metal_t * 469, 1000)}, "pfc": {"metal_t": text(metal_t)},
            "output": {"aluminium_t": text(metal_t)}}  # fmt: skip


def smelter_truth(end: Mapping[str, Any]) -> dict[str, Any]:
    gas = {"kind": "natural-gas", "quantity": text(Fraction(end["gas_volume_nm3"]), 10_000)}
    return {"fuel": [gas], **smelter_metal(Fraction(end["metal_made_kg"]) / 1000)}


def kiln_fuels(*quantities: str) -> dict[str, Any]:
    return {"fuel": [{"kind": "bituminous", "use": "kiln", "quantity": q} for q in quantities]}


def kiln_inputs(counted: Mapping[str, list[list[int]]]) -> dict[str, Any]:
    """Both feeders count in 0.01 t."""
    feeders = ("coal-kiln.total", "coal-calciner.total")
    return kiln_fuels(*(text(moved(counted[one]), 100) for one in feeders))


def kiln_truth(end: Mapping[str, Any]) -> dict[str, Any]:
    names = ("kiln_coal_kg", "calciner_coal_kg")
    return kiln_fuels(*(text(Fraction(end[name]), 1000) for name in names))


def steel(coking: str, coal: list[str], scrap: list[str], made: list[str]) -> dict[str, Any]:
    """Two shops tap steel, and `output` names one counter: so there is no intensity."""
    return {
        "fuel": [{"kind": "washed-coal", "quantity": coking},
                 *({"kind": "bituminous", "quantity": one} for one in coal)],
        "process": [{"material": "scrap", "quantity": one} for one in scrap],
        "product": [{"product": "crude-steel", "quantity": one} for one in made],
    }  # fmt: skip


def steel_inputs(counted: Mapping[str, list[list[int]]]) -> dict[str, Any]:
    """All count in 0.01 t; the new scale of the coal for injection has a name of its own."""
    of = {name.removesuffix(".total"): text(moved(one), 100) for name, one in counted.items()}
    return steel(of["coking-coal"], [of["bf-coal"], of["bf-coal-b"]],
                 [of["converter-scrap"], of["arc-scrap"]],
                 [of["converter-steel"], of["arc-steel"]])  # fmt: skip


def steel_truth(end: Mapping[str, Any]) -> dict[str, Any]:
    came, went = ({name: text(Fraction(kg), 1000) for name, kg in end["mass_kg"][side].items()}
                  for side in ("in", "out"))  # fmt: skip
    return steel(came["coking_coal"], [came["coal"]], [came["scrap"]], [went["steel"]])


CASES = [
    Case(
        "smelter-normal", Replacement("station-01", "gas.volume", 70_000_000, coarser=10),
        {"value": "38.5", "unit": "MJ/Nm3"}, "385", smelter_inputs, smelter_truth, 2,
        frozenset({"configuration-changed"}), {"points": 50, "pots": 4},
    ),
    Case(
        "kiln-normal", Replacement("coal-kiln", "coal-kiln.total", 0),
        {"value": "24.5", "unit": "GJ/t", "basis": "ar"}, "24.5", kiln_inputs, kiln_truth, 1,
        frozenset({"totaliser-drop:coal-kiln.total"}),
    ),
    Case(
        "steelworks-normal",
        Replacement("bf-coal", "bf-coal.total", 900_000_000, renamed="bf-coal-b"),
        {"value": "26.5", "unit": "GJ/t", "basis": "ar"}, "26.5", steel_inputs, steel_truth, 1,
        frozenset({"configuration-changed"}),
    ),
]  # fmt: skip


def configuration(case: Case, works: Works) -> dict[str, Any]:
    """The plant's own, and the source that samples of its first fuel are about."""
    plant = month_plant(
        load_any(case.scenario), points=case.mix.get("points"), pots=case.mix.get("pots"),
        seed=None, interval_s=60,
    )  # fmt: skip
    config = plant.configuration(works.collector_sha256)
    statement = dict(config["statement"])
    first, *others = statement["fuels"]
    statement["fuels"] = [{**first, "source": "fuel-1"}, *others]
    return {**config, "statement": statement}


def typed(rules: str, given: dict[str, Any], ncv: str = "", sampled: int = 1) -> dict[str, Any]:
    """What `calc statement` makes of it."""
    if ncv:
        rows = given["fuel"]
        given = {**given, "fuel": [{**x, "ncv": ncv} for x in rows[:sampled]] + rows[sampled:]}
    return compute({"rule_set": rules, "month": MONTH, **given})


async def papers_before(case: Case, works: Works) -> None:
    """What was signed of the month until its first close."""
    one = case.replacement
    at_ns = FROM_NS + REPLACED * HOUR
    taken = {"source": "fuel-1", "place": "belt", "taken_ns": FROM_NS + 12 * DAY, "mass_kg": "2",
             "seal": "A-1", **PERIOD}  # fmt: skip
    event = {"event": "replacement", "reason": "worn out", "from_ns": at_ns - HOUR,
             "to_ns": at_ns}  # fmt: skip
    await works.sign_by_two("li", "meter-event", one.renamed or one.device, event)
    await works.sign_by_two("chen", "sample-taken", "S-1", taken)


async def late_result(case: Case, works: Works) -> None:
    """The laboratory's report comes after the month was closed for good."""
    body = {"report": "R-1", "report_day": "2027-03-09", "laboratory": "Lab",
            "values": [{"name": "ncv", **case.row}]}  # fmt: skip
    await works.sign_by_two("lab", "sample-result", "S-1", body)


def check_figures(case: Case, played: Played, archive: Path, ncv: str) -> dict[str, Any]:
    """Those of the counters to the cent, and of the truth within what is stated; the statement."""
    statement = statement_of(archive)
    assert case.flags <= set(statement["output"]["flags"])
    made, given = statement["output"], statement["input"]
    expected = typed(made["rule_set"], case.inputs(played.counted), ncv, case.sampled)
    assert made["totals"] == expected["totals"]
    emissions = [[line["emission_t"] for line in of["lines"]] for of in (made, expected)]
    assert emissions[0] == emissions[1]
    assert made.get("intensity") == expected.get("intensity")
    true = typed(made["rule_set"], case.truth(played.truth), ncv, case.sampled)
    apart_t = abs(Fraction(made["totals"]["total_t"]) - Fraction(true["totals"]["total_t"]))
    points = {row["point"] for row in given["totalisers"]}
    said = [{"point": p, "percent": PERCENT, "means": "limits"} for p in sorted(points)]
    stated = compute(with_accuracy(given, {"meter": said}))
    sure = stated["uncertainty"]["totals"]["total_t"]
    gross_t = sum(abs(Fraction(line["emission_t"])) for line in made["lines"])
    assert 0 < apart_t <= Fraction(sure["expanded_t"])
    assert apart_t <= LACKING * gross_t
    return statement


def check_archives(works: Works, archives: Sequence[Path]) -> list[int]:
    """Both verifiers pass them, and find the same; how many documents each holds."""
    trust, documents = load_trust(works.root), []
    for archive, answer in zip(archives, verify_there(archives, trust), strict=True):
        with archive.open("rb") as file:
            report = verify(file, trust=trust)
        assert report.verdict is Verdict.PASSED, report.findings
        assert compare(report, answer).differences() == []
        assert "N-SIMULATED" in {finding.code for finding in report.findings}
        documents.append(report.counts["documents"])
    return documents


async def check_papers(archive: Path, works: Works, config: Mapping[str, Any]) -> None:
    """Workbook, typing sheet, both reports and the month's pages say what the archive says."""
    made = await asyncio.to_thread(collected, archive, archive.parent, works.root)
    output = made["statement"]["output"]
    figures = set(figures_of(output))
    for name in ("zh.pdf", "en.pdf"):
        assert figures - made["texts"][name] == set(), name
    for name, found in made["texts"].items():
        assert made["book"] - found == set(), name
    assert output["totals"]["total_t"] in made["book"]
    shown = {*output["totals"].values(), *output["gases"].values()}
    shown |= {line["emission_t"] for line in output["lines"]}
    shown |= {output["intensity"]} if "intensity" in output else set()
    for page in await asyncio.to_thread(pages, works, config):
        # a page sets thousands apart, as the program's answer and the papers do not
        assert shown - numbers(re.sub(r"(?<=[0-9]),(?=[0-9]{3})", "", page)) == set()


def pages(works: Works, config: Mapping[str, Any]) -> list[str]:
    """The month's page in both languages, and what the API says of it."""
    hub = make_hub()
    hub.on_config(works.plant, "edge-1", config)
    services = make_services(hub, records=works.records)
    client = make_client(create_app(replace(services, months=works.engine)))
    paths = [f"/{language}/plants/{works.plant}/months/{MONTH}" for language in ("en", "zh")]
    answers = [client.get(path) for path in [*paths, f"/api/v1{paths[0][3:]}"]]
    assert [answer.status_code for answer in answers] == [200] * 3
    return [answer.text for answer in answers]


#: the steelworks steps in fractions, a minute and a half of a core: for the long run
LONG = ("steelworks-normal",)


@pytest.mark.parametrize(
    "case",
    [pytest.param(c, marks=[pytest.mark.long] if c.scenario in LONG else []) for c in CASES],
    ids=lambda case: case.scenario,
)
async def test_a_whole_month(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "FREE_BYTES_MIN", 0)
    # one of them keeps its evidence in a database: all else is the same
    works = Works(tmp_path, case.scenario, in_database=case.scenario == "smelter-normal")
    config = configuration(case, works)
    await works.enrol()
    played = await works.measure(case.scenario, config, case.replacement, **case.mix)
    await papers_before(case, works)
    first = await works.close(TO_NS + 2 * DAY)
    assert first["signed_by"] == ["edge-1"]
    before = check_figures(case, played, Path(first["archive"]), "")
    await late_result(case, works)
    amended = await works.close(TO_NS + 9 * DAY, amend=True, reason="the laboratory was late")
    assert amended["replaces"]["same_figures"] is False
    newest = Path(amended["archive"])
    statement = check_figures(case, played, newest, case.ncv)
    assert statement["replaces"]["statement_sha256"] == first["statement_sha256"]
    await check_papers(newest, works, played.config)
    row = works.engine.month(case.scenario, MONTH)
    assert row is not None
    assert (row["state"], [of["gaps"] for of in row["streams"]]) == ("amended", [1])
    await works.stop()
    (replaced,) = set(works.archives.glob("*.tar")) - {newest}
    assert before["output"]["totals"] != statement["output"]["totals"]
    # five persons, the meter's event and the sample, each approved; then the result likewise
    assert check_archives(works, [replaced, newest]) == [9, 11]
