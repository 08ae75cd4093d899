"""Documents of persons in the months' archives: which, with what proofs, and whole.

Both verifiers judge the archives; which documents a month needs is counted by hand below.
"""

from pathlib import Path

import pytest
from sqlalchemy import Table, delete

from cloud.api.services import MonthRefusedError
from cloud.closing.records import MonthTime
from cloud.database.schema import document, file_chunk
from evidence.archive import paths
from evidence.documents.document import COLLECTOR, Document
from evidence.findings import Verdict
from evidence.frame import TYP_FRAME, encode_body
from evidence.log import Kind
from tests.independent.other import compare, verify_there
from tests.independent.random_documents import SAMPLES
from tests.unit.cloud.closing.test_seam import begins
from tests.unit.cloud.month_examples import Desk, judged, months
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp
from tests.unit.evidence.small_plant import MONTH

JULY = {"from_ns": begins(7), "to_ns": begins(8)}
DECISION = {"reason": "burnt", "by": "li", "owed": [{"what": "Silent.", "by": "operator"}]}
TEST = {"tested_ns": begins(7) + 1, "method": "GB/T 213"}


def june(desk: Desk) -> list[bytes]:
    """Persons and papers before the first reading; one more of each sort than July needs."""
    made = pp.papers()
    for data in made:
        desk.paper(data, *([pp.SCAN] if data == made[6] else []))
    samples = [desk.paper(pp.paper(*sample)) for sample in SAMPLES]
    stock = desk.paper(pp.paper("chen", "stock-take", "coke", pp.STOCK | {"at_ns": begins(7)}))
    desk.deliver()
    return [*made, *samples, stock]


def records(archive: Path) -> dict[str, set[bytes]]:
    """Ending -> SHA-256 of what is under data/records."""
    found: dict[str, set[bytes]] = {"cose": set(), "proof": set(), "": set()}
    for path in sm.unpack(archive.read_bytes()):
        if path.startswith(paths.RECORDS):
            name, _, ending = path.rpartition("/")[2].partition(".")
            found[ending].add(bytes.fromhex(name))
    return found


@pytest.mark.needs("node")
@pytest.mark.needs("npm")
async def test_each_month_holds_what_it_needs_and_both_verifiers_pass(
    desk: Desk, tmp_path: Path
) -> None:
    made, by = june(desk), months(desk, tmp_path / "archives", begins(10))
    first = await by.close(sm.PLANT, MONTH, closing="final")
    for body in sm.bodies(sm.configuration(), begins(7)):
        desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)
    newer = [
        desk.paper(pp.paper("lab", "sample-tested", "S-1", TEST)),
        desk.paper(pp.paper("li", "count", "clinker", {"value": "7", "unit": "t", **JULY})),
        desk.paper(pp.paper(COLLECTOR, "month-decision", "2026-07", DECISION)),
    ]
    second = await by.close(sm.PLANT, "2026-07", closing="final")
    files = [Path(facts["archive"]) for facts in (first, second)]
    for file, answer in zip(files, verify_there(files), strict=True):
        report = judged(file)
        assert report.verdict is Verdict.PASSED, report.findings
        assert compare(report, answer).differences() == []
    held = records(files[0])
    assert held == {"cose": set(map(sm.sha256, made)), "proof": set(), "": {sm.sha256(pp.SCAN)}}
    # earlier: five persons; S-1, which is tested in July, with its seal and result, and S-2, which
    # was composed of it; the certificate due in 2027; the stock at the month's first instant
    needed = [*made[:5], *made[10:15], made[-1]]
    assert records(files[1]) == {
        "cose": set(map(sm.sha256, [*needed, *newer])),
        "proof": set(map(sm.sha256, needed)),
        "": set(),
    }
    assert judged(files[1]).counts["documents"] == len(needed) + len(newer)
    again = await by.seal(sm.PLANT, "2026-07")
    assert again["sha256"] == second["sha256"]


async def test_what_follows_an_earlier_paper_comes_with_it(desk: Desk, tmp_path: Path) -> None:
    """July corrects an invoice of May: with it come its first wording and who approved it."""
    made, by = june(desk), months(desk, tmp_path / "archives", begins(10))
    await by.close(sm.PLANT, MONTH, closing="final")
    for body in sm.bodies(sm.configuration(), begins(7)):
        desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)
    desk.paper(pp.paper("li", "invoice", "anthracite", pp.INVOICE, sm.sha256(made[6])))
    facts = await by.close(sm.PLANT, "2026-07", closing="final")
    report = judged(Path(facts["archive"]))
    assert report.verdict is Verdict.PASSED, report.findings
    held = records(Path(facts["archive"]))
    assert set(map(sm.sha256, made[5:8])) <= held["proof"]
    assert sm.sha256(made[8]) not in held["cose"]  # a stock-take of May that was withdrawn
    assert held[""] == {sm.sha256(pp.SCAN)}


@pytest.mark.parametrize("table", [document, file_chunk])
async def test_without_its_documents_no_month_is_sealed(
    table: Table, desk: Desk, tmp_path: Path
) -> None:
    june(desk)
    with desk.database.writing() as connection:
        connection.execute(delete(table))
    with pytest.raises(MonthRefusedError, match="missing, or altered"):
        await months(desk, tmp_path / "archives").close(sm.PLANT, MONTH, closing="final")


@pytest.mark.parametrize(("days", "is_of"), [(-12, True), (-13, False), (43, True), (44, False)])
def test_a_stock_take_that_a_meter_may_bridge_is_of_the_month(days: int, is_of: bool) -> None:
    """Twelve days either way of July's 31."""
    july = MonthTime("2026-07", begins(7), begins(8))
    at_ns = begins(7) + days * pp.DAY
    stock = Document(sm.PLANT, "chen", 0, "stock-take", "coke", pp.STOCK | {"at_ns": at_ns})
    assert july.touches(stock) is is_of
    check = Document(sm.PLANT, "chen", 0, "internal-check", "belt", {"checked_ns": at_ns})
    assert not july.touches(check)
