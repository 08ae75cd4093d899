"""A month with figures that persons signed: closed, sealed, verified twice, amended, made again.

The plant is the small smelter, which also burns coal that no meter counts. What its statement must
be is computed by hand from the papers, as an accountant would give it to `calc statement`.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from cloud.api.services import MonthRefusedError
from edge.calc.statements.statement import compute
from evidence import cbor
from evidence.archive.paths import STATEMENT
from evidence.blocks import compress
from evidence.findings import Verdict
from evidence.frame import TYP_CONFIG, TYP_FRAME, encode_body
from evidence.log import Kind
from tests.independent.other import compare, verify_there
from tests.unit.cloud.closing.test_seam import begins
from tests.unit.cloud.month_examples import Desk, judged, months
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp
from tests.unit.evidence.documents.documented import configuration
from tests.unit.evidence.small_plant import MONTH, START_NS

#: of the statement: the gateway began in the middle of June
PERIOD = {"from_ns": START_NS, "to_ns": begins(7)}
DAY = 86_400 * sm.SECOND
WET = [{"name": "total-moisture", "value": "10", "unit": "%", "basis": "ar"},
       {"name": "moisture", "value": "2", "unit": "%", "basis": "ad"}]  # fmt: skip


class Office:
    """Persons of the plant, who sign and approve."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        for data in pp.persons():
            desk.paper(data)

    def sign(
        self, person: str, kind: str, about: str, body: dict[str, Any], *follows: bytes,
        approved: bool = True,
    ) -> bytes:  # fmt: skip
        made = self.desk.paper(pp.paper(person, kind, about, body, *follows))
        if approved:
            self.approve(about, made)
        return made

    def approve(self, about: str, made: bytes) -> None:
        """By the engineer, who writes none of these."""
        self.desk.paper(pp.paper("zhao", "approve", about, {}, sm.sha256(made)))

    def sample(self, about: str, source: str, rows: list[dict[str, str]], **more: str) -> bytes:
        time = {"from_ns": START_NS, "to_ns": START_NS + DAY}
        self.sign("chen", "sample-taken", about,
                  {"source": source, "place": "belt", "taken_ns": START_NS, "mass_kg": "2",
                   "seal": "A", **time, **more})  # fmt: skip
        return self.result(about, rows)

    def result(self, about: str, rows: list[dict[str, str]], *follows: bytes) -> bytes:
        body = {"report": "R", "report_day": "2026-06-20", "laboratory": "Lab", "values": rows}
        return self.sign("lab", "sample-result", about, body, *follows)

    def june(self) -> bytes:
        """What was signed of June; the result of the second sample of coal."""
        ncv = {"name": "ncv", "unit": "GJ/t"}
        self.sample("S-1", "coal-1", [{**ncv, "value": "24", "basis": "ad"}, *WET],
                    stands_for_t="300")  # fmt: skip
        second = self.sample("S-2", "coal-1", [{**ncv, "value": "20.5", "basis": "ar"}],
                             stands_for_t="100")  # fmt: skip
        self.sample("B-1", "anode-b", [{"name": "sulfur_percent", "value": "1.9", "unit": "%"}])
        for value, at in (("500", START_NS), ("450.25", begins(7))):
            self.sign("chen", "stock-take", "coal-1",
                      {"at_ns": at, "method": "tape", "value": value, "unit": "t"})  # fmt: skip
        for number, value in (("1", "1200.5"), ("2", "300")):
            self.sign("li", "invoice", "coal-1",
                      pp.INVOICE | PERIOD | {"number": number, "value": value})  # fmt: skip
        self.sign("li", "parameter", "coal-1",
                  {"name": "carbon_content", "origin": "supplier 2026", "value": "27.5",
                   "unit": "tC/TJ", **PERIOD})  # fmt: skip
        self.sign("li", "count", "gas", {"value": "200", "unit": "Nm3", **PERIOD}, approved=False)
        return second


def measured(desk: Desk) -> None:
    """The configuration and June's frames."""
    config = configuration()
    desk.take(Kind.CONFIG, TYP_CONFIG, compress(cbor.encode(config)))
    for body in sm.bodies(config):
        desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)


def lost(archive: str) -> None:
    Path(archive).unlink()


def statement_of(archive: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(sm.unpack(Path(archive).read_bytes())[STATEMENT])
    return made


#: (24.046 x 90 / 98 - 0.23) x 300 t and 20.5 x 100 t, by 400 t
NCV = "21.514795918367347"


def by_hand(given: dict[str, Any], ncv: str) -> dict[str, Any]:
    """The input that an accountant types for `calc statement`; metered amounts as they were."""
    coal = {"kind": "anthracite", "use": "other", "opening": "500", "purchased": "1500.5",
            "closing": "450.25", "ncv": ncv, "carbon_content": "0.0275"}  # fmt: skip
    gas = {"kind": "natural-gas", "quantity": given["fuel"][0]["quantity"]}
    return {
        "rule_set": given["rule_set"], "month": MONTH, "fuel": [gas, coal],
        "anode": {"gross_t": given["anode"]["gross_t"], "sulfur_percent": "1.9"},
        "pfc": {"metal_t": given["pfc"]["metal_t"]},
        "output": {"aluminium_t": given["output"]["aluminium_t"]},
    }  # fmt: skip


@pytest.mark.needs("node")
@pytest.mark.needs("npm")
async def test_what_persons_sign_becomes_figures_that_both_verifiers_make_again(
    desk: Desk, tmp_path: Path
) -> None:
    office, by = Office(desk), months(desk, tmp_path / "archives", begins(10))
    second = office.june()
    measured(desk)
    facts = await by.close(sm.PLANT, MONTH, closing="final")
    made = statement_of(facts["archive"])
    expected = compute(by_hand(made["input"], NCV))
    assert made["output"]["totals"] == expected["totals"]
    assert [x["emission_t"] for x in made["output"]["lines"]] == [
        x["emission_t"] for x in expected["lines"]
    ]
    coal = made["input"]["fuel"][1]
    assert (coal["ncv"], coal["purchased"]) == (NCV, "1500.5")
    assert sm.sha256(second).hex() in coal["provenance"]["ncv"]["documents"]["sha256"]
    told = made["output"]["lines"][1]["parameters"]
    assert {name: told[name]["basis"] for name in ("ncv", "carbon_content", "opening")} == {
        "ncv": "measured", "carbon_content": "calculated", "opening": "calculated",
    }  # fmt: skip
    assert told["carbon_content"]["source"] == "documents: coal-1 (parameter): supplier 2026"
    assert {"no-document:gas", "not-approved:gas"} <= set(made["output"]["flags"])

    # the laboratory corrects its report after the close: nothing changes before it is amended
    late = {"name": "ncv", "value": "20.9", "unit": "GJ/t", "basis": "ar"}
    office.result("S-2", [late], sm.sha256(second))
    lost(facts["archive"])
    again = await by.seal(sm.PLANT, MONTH)
    assert (again["statement_sha256"], again["sha256"]) == (
        facts["statement_sha256"], facts["sha256"],
    )  # fmt: skip
    amended = await by.close(
        sm.PLANT, MONTH, closing="final", amend=True, reason="report corrected"
    )
    newer = statement_of(amended["archive"])
    # (24.046 x 90 / 98 - 0.23) x 300 t and 20.9 x 100 t, by 400 t: 0.1 more
    assert newer["input"]["fuel"][1]["ncv"] == "21.614795918367347"
    expected = compute(by_hand(newer["input"], "21.614795918367347"))
    assert newer["output"]["totals"] == expected["totals"] != made["output"]["totals"]
    assert amended["replaces"]["same_figures"] is False
    files = sorted((tmp_path / "archives").glob("*.tar"))
    assert len(files) == 2
    for file, answer in zip(files, verify_there(files), strict=True):
        report = judged(file)
        assert report.verdict is Verdict.PASSED, report.findings
        assert compare(report, answer).differences() == []
        assert ("W-DOCUMENT", "not-approved:gas") in {(f.code, f.where) for f in report.findings}


@pytest.mark.needs("node")
@pytest.mark.needs("npm")
async def test_the_closing_stock_of_a_month_opens_the_next(desk: Desk, tmp_path: Path) -> None:
    """Signed before the first close, it comes with July's archive, proved, and is its opening."""
    office, by = Office(desk), months(desk, tmp_path / "archives", begins(10))
    office.june()
    measured(desk)
    await by.close(sm.PLANT, MONTH, closing="final")
    for body in sm.bodies(configuration(), begins(7)):
        desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)
    office.sign("chen", "stock-take", "coal-1",
                {"at_ns": begins(8), "method": "tape", "value": "50", "unit": "t"})  # fmt: skip
    facts = await by.close(sm.PLANT, "2026-07", closing="final")
    coal = statement_of(facts["archive"])["input"]["fuel"][1]
    assert (coal["opening"], coal["closing"]) == ("450.25", "50")
    (answer,) = verify_there([Path(facts["archive"])])
    report = judged(Path(facts["archive"]))
    assert compare(report, answer).differences() == []
    assert report.verdict is Verdict.PASSED


async def test_a_document_that_comes_while_the_month_is_made_is_not_left_out(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, by = Office(desk), months(desk, tmp_path / "archives", begins(10))
    office.june()
    measured(desk)
    count = {"value": "7", "unit": "Nm3", **PERIOD}
    made = by._make_dir

    def meanwhile() -> None:
        made()
        office.sign("chen", "count", "gas", count)

    with monkeypatch.context() as patched:
        patched.setattr(by, "_make_dir", meanwhile)
        with pytest.raises(MonthRefusedError, match="a document was logged meanwhile"):
            await by.close(sm.PLANT, MONTH, closing="final")
    facts = await by.close(sm.PLANT, MONTH, closing="final")
    checks = statement_of(facts["archive"])["input"]["checks"]
    assert [c["recorded"] for c in checks if "recorded" in c] == ["0.0007"]
