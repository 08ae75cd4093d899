"""Tables become documents to be: whose cells are wrong, what is one document, in which words."""

import asyncio
import time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi import HTTPException

from cloud.api import record_imports
from cloud.api.record_imports import label, words_of
from cloud.api.rendering import STRINGS
from cloud.records.forms import CHOSEN, TABLES, FieldForm, fields_of, kinds_for
from cloud.records.imports import Preview, columns_of, folded, preview
from cloud.records.listing import Filter, month_span
from cloud.records.tables import read_csv
from cloud.records.written import body_of_written, instant_ns, local_text, written_body
from evidence.documents.document import Document
from evidence.documents.kinds import KINDS, ROLES
from evidence.documents.standing import Logged
from tests.unit.evidence.documents import papers as pp

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
HEAD = '"Source (fuel, material or product)",Value,Unit,From,To,Note\n'
GOOD = "clinker,12.50,t,2026-10-01 00:00,2026/11/1 0:00,\n"


def looked(text: str, kind: str = "count") -> Preview:
    return preview(read_csv(text.encode()), kind, SHANGHAI, words_of(kind))


def cells(text: str, kind: str = "count") -> list[tuple[str, str, str]]:
    return [(f"{w.column}{w.row}", w.field, w.code) for w in looked(text, kind).wrong]


def test_a_row_becomes_the_body_that_is_signed() -> None:
    (draft,) = looked(HEAD + GOOD).drafts
    assert (draft.rows, draft.about) == ([2], "clinker")
    assert body_of_written("count", draft.body, SHANGHAI) == {
        "value": "12.50", "unit": "t",
        # date -u -d 2026-09-30T16:00Z +%s, and 31 days later
        "from_ns": 1_790_784_000 * 10**9, "to_ns": 1_793_462_400 * 10**9,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ("clinker,12,t,2026-10-01,2026-11-01 00:00,", [("D2", "from_ns", "instant")]),
        ("clinker,1.2.3,t,2026-10-01 00:00,2026-11-01 24:00,",
         [("B2", "value", "decimal"), ("E2", "to_ns", "instant")]),
        (",,t,2026-10-01 00:00,2026-11-01 00:00,",
         [("A2", "about", "missing"), ("B2", "value", "missing")]),
        ("熟料,1,t,2026-10-01 00:00,2026-11-01 00:00,", [("A2", "about", "name_id")]),
        ("clinker,1,t,2026-11-01 00:00,2026-10-01 00:00,", [("D2", "from_ns", "order")]),
        ("clinker,=A1,t,2026-10-01 00:00,2026-11-01 00:00,", [("B2", "value", "formula")]),
        ("clinker,1,t,2026-10-01 00:00,2026-11-01 00:00," + "x" * 2_001, [("F2", "note", "note")]),
    ],
)  # fmt: skip
def test_each_wrong_cell_is_named(row: str, wrong: list[tuple[str, str, str]]) -> None:
    assert cells(HEAD + row) == wrong


@pytest.mark.parametrize(
    ("head", "wrong"),
    [
        ("source,value,unit,from,to,price", [("F1", "", "header")]),
        ("source,value,unit,from,to,Value", [("F1", "", "twice")]),
        ("source,value,unit,from", [("1", "to_ns", "no-column")]),
        ("source,value,unit,from,to", [("1", "", "no-rows")]),
    ],
)
def test_headers_that_name_nothing_are_not_passed_over(
    head: str, wrong: list[tuple[str, str, str]]
) -> None:
    assert cells(head) == wrong


def test_rows_alike_in_all_else_are_one_report_and_their_errors_stay_apart() -> None:
    head = "样品编号,报告编号,报告日期,实验室,名称,数值,计量单位,基准\n"
    rows = [
        "s-1,R1,2026-10-31,Lab,c,0.61,-,收到基",
        "s-1,R1,2026-10-31,Lab,ncv,x,GJ/t,ar",
        "s-2,R2,2026/10/31,Lab,c,0.62,-,",
    ]
    found = looked(head + "\n".join(rows), "sample-result")
    assert [(draft.rows, draft.about) for draft in found.drafts] == [([2, 3], "s-1"), ([4], "s-2")]
    assert found.drafts[0].body["values"][0] == {
        "name": "c", "value": "0.61", "unit": "-", "basis": "ar",
    }  # fmt: skip
    assert found.drafts[1].body["report_day"] == "2026-10-31"
    assert [(w.column, w.row, w.code) for w in found.wrong] == [("F", 3, "decimal")]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", TABLES)
def test_the_labels_of_a_kind_name_its_columns_without_doubt(kind: str, language: str) -> None:
    words = words_of(kind)
    for name in columns_of(kind):
        assert words.headers[folded(label(language, name, kind))] == name


def test_words_are_folded_in_one_pass() -> None:
    """A table of 4 MB of opening brackets took half a minute of the collector."""
    assert folded("Heat value (MJ / kg)（低位）: a(b(c)") == "heatvaluea(b"
    began_s = time.process_time()
    assert folded("(" * 100_000) == "(" * 100_000
    assert time.process_time() - began_s < 10  # milliseconds; it was 35 s


async def test_tables_of_one_account_leave_others_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those of one that arrive a byte at a time kept all others out for as long as they came."""
    monkeypatch.setattr(record_imports, "_turns", asyncio.Semaphore(1))
    turn, entered = record_imports._turn, asyncio.Event()

    async def read() -> None:
        async with turn("wang"):
            entered.set()

    async with turn("li"):
        waiting, other = (asyncio.create_task(read()) for _ in range(2))
        await asyncio.sleep(0)
        with pytest.raises(HTTPException, match="2 tables of yours"):
            await read()
        assert not entered.is_set()
    await asyncio.gather(waiting, other)
    await read()  # who has none any more may send one
    assert not record_imports._asked


def test_every_kind_field_check_and_choice_has_words() -> None:
    """A kind that is added to the table needs texts, and no more."""
    needed = {f"record.kind.{kind}" for kind in KINDS} | {f"record.choice.{r}" for r in ROLES}

    def words(forms: tuple[FieldForm, ...]) -> None:
        for form in forms:
            needed.update(f"record.{part}.{form.check}" for part in ("hint", "wrong"))
            needed.add(f"record.field.{form.name}")
            needed.update(f"record.choice.{option}" for option in form.options)
            words(form.columns)

    for kind in KINDS:
        words(fields_of(kind))
    assert needed - STRINGS["en"].keys() == set()
    assert {"part", "basis", "fit", "role"} <= CHOSEN


def test_a_role_is_offered_what_it_may_sign() -> None:
    assert kinds_for("security") == ["person", "person-end"]
    assert kinds_for("audit") == kinds_for("") == []
    assert "invoice" in kinds_for("accountant")
    assert "invoice" not in kinds_for("operator")


@pytest.mark.parametrize(
    ("text", "zone", "seconds"),
    [
        ("2026-10-01 00:00", SHANGHAI, 1_790_784_000),
        ("2026-10-01 00:00:09", SHANGHAI, 1_790_784_009),
        ("2026-10-01 00:00:00", SHANGHAI, None),  # there is one way to write each
        ("2026-10-01", SHANGHAI, None),
        ("2026-02-30 00:00", SHANGHAI, None),
        ("2026-10-25 02:30", BERLIN, None),  # comes twice
        ("2026-03-29 02:30", BERLIN, None),  # never comes
        ("2026-10-25 03:00", BERLIN, 1_792_893_600),  # date -u -d 2026-10-25T02:00Z +%s
    ],
)
def test_instants_are_the_plants_own_time(text: str, zone: ZoneInfo, seconds: int | None) -> None:
    found = instant_ns(text, zone)
    assert found == (None if seconds is None else seconds * 10**9)
    if found is not None:
        assert local_text(found, zone) == text


def test_what_a_machine_wrote_finer_than_a_second_is_told() -> None:
    assert local_text(1_790_784_000 * 10**9 + 5, SHANGHAI) == "2026-10-01 00:00 +5 ns"
    assert local_text(2**63 - 1, SHANGHAI) == "2262-04-12 07:47:16 +854775807 ns"


def test_bodies_come_back_as_they_were_written() -> None:
    for kind, body in (("invoice", pp.INVOICE), ("person", pp.person_body("li"))):
        written = written_body(kind, body, SHANGHAI)
        assert body_of_written(kind, written, SHANGHAI) == body


def fits(wanted: Filter, kind: str, body: Any, received_ns: int = 0) -> bool:
    document = Document("mini", "li", 1, kind, "coal", body)
    return wanted.fits(Logged(7, received_ns, bytes(32), document, None), "stands")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        # START_NS less 45 and 14 days: 1 May and 1 June 2026, 12:59:40 in Shanghai
        *(({"span": month_span(f"2026-{month}", SHANGHAI)}, found)
          for month, found in (("04", False), ("05", True), ("06", True), ("07", False))),
        ({}, True), ({"state": "stands"}, True), ({"state": "approved"}, False),
        ({"kind": "invoice", "about": "coal"}, True), ({"kind": "count"}, False),
        ({"about": "coke"}, False), ({"before": 7}, False), ({"before": 8}, True),
    ],
)  # fmt: skip
def test_a_document_is_of_the_months_its_period_touches(wanted: Any, found: bool) -> None:
    assert fits(Filter(**wanted), "invoice", pp.INVOICE) is found


def test_a_period_that_ends_at_midnight_is_not_of_the_next_month_and_none_goes_by_receipt() -> None:
    months = {m: Filter(span=month_span(m, SHANGHAI)) for m in ("2026-09", "2026-10", "2026-12")}
    # date -u -d 2026-09-30T16:00Z +%s, and 92 days later
    october = {"from_ns": 1_790_784_000 * 10**9, "to_ns": 1_798_732_800 * 10**9}
    assert [fits(one, "count", october) for one in months.values()] == [False, True, True]
    assert fits(Filter(span=month_span("2027-01", SHANGHAI)), "count", october) is False
    assert fits(months["2026-10"], "approve", {}, 1_790_784_000 * 10**9)
    assert not fits(months["2026-09"], "stock-take", {"at_ns": 1_790_784_000 * 10**9})
