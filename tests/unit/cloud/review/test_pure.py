"""Rules of reviews by tables: openings, items, threads, decisions, draws, plants side by side."""

from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cloud.accounts.roles import Principal
from cloud.api.reviewed import level_at
from cloud.review import across, rules
from cloud.review import openings as openings_module
from cloud.review.across import Figures, compared, figures_of, shareable, shared
from cloud.review.draw import draw
from cloud.review.items import counting, items_of, of_statement
from cloud.review.limits import limits
from cloud.review.months import months_of
from cloud.review.openings import Openings
from cloud.review.thread import thread_of
from edge.calc.statements.statement import compute
from evidence.documents.review import level_of
from evidence.errors import MalformedError
from tests.unit.cloud.kept import kept_in
from tests.unit.cloud.outputs.months import EVIDENCE_INTENSITY, evidence_input

S = 10**9
SHANGHAI = ZoneInfo("Asia/Shanghai")
A, B, C = "aa" * 32, "bb" * 32, "cc" * 32


# -- openings -------------------------------------------------------------------------------------


def test_only_the_first_time_counts_and_nobody_fills_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openings_module, "ITEMS_MAX", 2)
    held = Openings(kept_in(tmp_path))
    for item, at in (("line/fuel/coke", 7), ("month", 5), ("month", 3), ("third", 9)):
        held.note("qin", "mini", "2026-09", item, at)
    held.note("qin", "mini", "2026-08", "month", 1)
    held.note("guo", "mini", "2026-09", "month", 2)
    again = Openings(kept_in(tmp_path))
    assert again.of("qin", "mini", "2026-09") == [("month", 5), ("line/fuel/coke", 7)]
    assert again.of("guo", "mini", "2026-09") == [("month", 2)]


# -- items ----------------------------------------------------------------------------------------


def document(kind: str, sha256: str = A, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "sha256": sha256, "files": [], "body": {}, "about": "x",
            "received_ns": 0, **more}  # fmt: skip


def test_a_month_is_its_archive_lines_documents_and_files_each_once() -> None:
    lines = [{"category": "fuel", "kind": kind} for kind in ("coke", "coal", "coke")]
    archive = {"sha256": C, "newest": True, "replaced": False}
    older = {"sha256": B, "newest": False, "replaced": True}
    row = {"archives": [older, archive], "figures": {"made": {"lines": lines}}}
    papers = [
        document("invoice", A, files=[{"sha256": B}]), document("person"),
        document("review-question"), document("count", B, files=[{"sha256": B}]),
    ]  # fmt: skip
    assert items_of(row, papers) == [
        f"archive/{C}", "line/fuel/coke", "line/fuel/coal", f"document/{A}", f"file/{B}",
        f"document/{B}",
    ]  # fmt: skip
    assert items_of({"archives": [older], "figures": None}, []) == []


@pytest.mark.parametrize(
    ("told", "months"),
    [
        # midnight of 1 October at the plant is 16:00 UTC of the day before: to is exclusive
        ({"kind": "count", "body": {"from_ns": "2026-08-31T16:00:00Z",
                                    "to_ns": "2026-09-30T16:00:00Z"}}, ["2026-09"]),
        ({"kind": "count", "body": {"from_ns": "2026-11-30T16:00:00Z",
                                    "to_ns": "2027-01-31T16:00:00.000000001Z"}},
         ["2026-12", "2027-01", "2027-02"]),
        ({"kind": "stock-take", "body": {"at_ns": "2026-09-30T16:00:00Z"}}, ["2026-10"]),
        ({"kind": "control-plan", "received_ns": 1_790_000_000 * S}, ["2026-09"]),
        ({"kind": "review-decision", "about": "2026-05"}, ["2026-05"]),
    ],
)  # fmt: skip
def test_a_document_is_of_the_months_that_it_tells(told: Any, months: list[str]) -> None:
    assert months_of(document(**told), SHANGHAI) == months


# -- threads --------------------------------------------------------------------------------------


def review(kind: str, index: int, body: Any, *follows: str, **more: Any) -> dict[str, Any]:
    return {"kind": f"review-{kind}", "index": index, "body": body, "follows": list(follows),
            "sha256": f"{index:064}", "ended_by": None, "region": "", **more}  # fmt: skip


CITY, COUNTY = "3707", "370702"


def decided(index: int, level: str, decision: str, archive: str = A, **more: Any) -> dict[str, Any]:
    body = {"level": level, "decision": decision, "archive_sha256": archive,
            "statement_sha256": B if archive == A else archive, **more}  # fmt: skip
    return review("decision", index, body)


STANDS = {"sha256": A, "statement_sha256": B}


def test_questions_are_open_overdue_or_answered() -> None:
    ask = [review("question", n, {"answer_by": f"2026-10-{day}"}) for n, day in ((1, 20), (2, 10))]
    gone = review("question", 3, {"answer_by": "2026-10-01"}, ended_by=ask[0]["sha256"])
    told = review("answer", 5, {}, ask[0]["sha256"])
    rows = [*ask, gone, decided(4, "city", "approve"), told]
    of = thread_of(rows, STANDS, "2026-10-11")
    assert [point.state for point in of.points] == ["answered", "overdue"]
    assert (of.count("open"), of.next_due) == (0, "2026-10-10")
    assert of.decided[0].unanswered == 2  # the answer came after it
    assert thread_of(rows[:2], STANDS, "2026-10-10").points[1].state == "open"


def test_an_answer_to_an_earlier_wording_is_kept_and_answers_no_more() -> None:
    first = review("question", 1, {"answer_by": "2026-10-20"}, ended_by=f"{3:064}")
    told = review("answer", 2, {}, first["sha256"])
    second = review("question", 3, {"answer_by": "2026-10-20"}, first["sha256"])
    (point,) = thread_of([first, told, second], STANDS, "2026-10-11").points
    assert (point.row, point.state, point.earlier) == (second, "open", [told])


@pytest.mark.parametrize(
    ("rows", "states", "archives"),
    [
        ([], ["", "", ""], []),
        ([decided(1, "city", "approve"), decided(2, "city", "note")], ["approve", "", ""],
         ["this", "this"]),
        ([decided(1, "nation", "approve"), decided(2, "nation", "return")], ["", "", "return"],
         ["this", "this"]),
        ([decided(1, "province", "approve", C)], ["", "older", ""], ["older"]),
        ([decided(1, "province", "approve", C, statement_sha256=B)], ["", "approve", ""],
         ["resealed"]),
    ],
)  # fmt: skip
def test_each_level_has_the_newest_word(
    rows: list[Any], states: list[str], archives: list[str]
) -> None:
    of = thread_of(rows, STANDS, "2026-10-11")
    assert [of.state(level) for level in ("city", "province", "nation")] == states
    assert [one.archive for one in of.decided] == archives


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ([(CITY, "return"), (COUNTY, "approve")], "return"),
        ([(CITY, "return"), (COUNTY, "return"), (COUNTY, "approve")], "return"),
        ([(CITY, "return"), (COUNTY, "approve"), (CITY, "approve")], "approve"),
        ([(CITY, "approve"), (COUNTY, "return")], "return"),
        ([(COUNTY, "return"), (CITY, "approve")], "approve"),
        ([(COUNTY, "return"), (COUNTY, "approve")], "approve"),
    ],
)
def test_a_county_lifts_no_return_by_its_city(said: list[tuple[str, str]], state: str) -> None:
    """Both decide for the level "city"; what the county says stands beside it, and is no word."""
    rows = [decided(n, "city", word) | {"region": of} for n, (of, word) in enumerate(said)]
    assert thread_of(rows, STANDS, "2026-10-11").state("city") == state
    amended = {"sha256": C, "statement_sha256": C}
    rows.append(decided(9, "city", "approve", C) | {"region": COUNTY})
    assert thread_of(rows, amended, "2026-10-11").state("city") == "approve", "it is amended"


def test_approved_without_opening_is_told_and_a_return_is_no_such_thing() -> None:
    some = {"not_opened": [{"item": "a"}], "not_opened_more": 2}
    rows = [decided(1, "city", "approve", **some), decided(2, "province", "return", **some),
            decided(3, "nation", "approve")]  # fmt: skip
    of = thread_of(rows, STANDS, "2026-10-11").decided
    assert [(one.not_opened, one.is_blind) for one in of] == [(3, True), (3, False), (0, False)]


def test_a_line_that_was_opened_of_a_replaced_statement_is_not_opened() -> None:
    of_line = of_statement("line/fuel/coke", B)
    opened = [(of_line, 5), ("line/fuel/coke", 4), (f"document/{A}", 6)]
    assert counting(opened, STANDS) == [("line/fuel/coke", 5), (f"document/{A}", 6)]
    assert counting(opened, {"statement_sha256": C}) == [(f"document/{A}", 6)]
    assert counting(opened, None) == [(f"document/{A}", 6)]


def test_who_moved_decides_for_the_region_of_the_newest_key() -> None:
    """A decision for the level of the key before was begun, and refused when it was signed."""
    qin = {"person": "qin", "role": "reviewer"}
    listed = [
        {**qin, "region": "3707"},
        {**qin, "region": "37"},
        {**qin, "role": "operator", "region": ""},
    ]
    given: Any = SimpleNamespace(records=SimpleNamespace(persons=lambda _: listed))
    assert level_at(given, Principal("qin", frozenset()), "mini") == "province"
    assert level_at(given, Principal("guo", frozenset()), "mini") == ""


# -- decisions ------------------------------------------------------------------------------------

ITEMS = ["line/1", "line/2", "document/3"]
RECORD = [("month", 5 * S), ("line/2", 7 * S + 1)]
OPENED = [{"item": "line/2", "first_ns": 7 * S}, {"item": "month", "first_ns": 5 * S}]
UNSEEN = [{"item": "line/1"}, {"item": "document/3"}]


def test_a_decision_begins_with_what_the_record_says() -> None:
    archive = {"sha256": A, "statement_sha256": B}
    made = rules.draft("province", archive, ITEMS, RECORD)
    assert made == {
        "level": "province", "archive_sha256": A, "statement_sha256": B, "openings": "recorded",
        "opened": OPENED, "not_opened": UNSEEN,
    }  # fmt: skip
    rules.check_openings(made, ITEMS, RECORD)
    many = [f"document/{n}" for n in range(1_003)]
    most = rules.draft("city", archive, many, [(item, S) for item in many[:1_001]])
    assert (len(most["opened"]), most["opened_more"], len(most["not_opened"])) == (1_000, 1, 2)
    rules.check_openings(most, many, [(item, S) for item in many[:1_001]])
    none = rules.draft("city", archive, many, [])
    assert (len(none["not_opened"]), none["not_opened_more"]) == (1_000, 3)
    rules.check_openings(none, many, [])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"opened": OPENED, "not_opened": UNSEEN}, ""),
        ({"opened": OPENED[1:], "not_opened": [*UNSEEN, {"item": "line/2"}]}, ""),  # says less
        ({"opened": [*OPENED, {"item": "line/1", "first_ns": 8 * S}],
          "not_opened": UNSEEN[1:]}, "no record that line/1"),
        ({"opened": [{"item": "month", "first_ns": 4 * S}], "not_opened": UNSEEN}, "no record"),
        ({"opened": OPENED, "opened_more": 1, "not_opened": UNSEEN}, "more openings"),
        ({"opened": OPENED, "not_opened": UNSEEN[:1]}, "passes over 1 items"),
        ({"opened": OPENED, "not_opened": UNSEEN[:1], "not_opened_more": 1}, ""),
        ({"not_opened": UNSEEN}, "passes over 1 items of the month, line/2"),
        ({}, "passes over 3"),
        ({"opened": [{"item": "line/1", "first_ns": 1}], "openings": "told"}, ""),
    ],
)  # fmt: skip
def test_a_decision_claims_no_more_than_the_record(body: dict[str, Any], said: str) -> None:
    told = {"openings": "recorded", **body}
    if not said:
        rules.check_openings(told, ITEMS, RECORD)
        return
    with pytest.raises(MalformedError, match=said):
        rules.check_openings(told, ITEMS, RECORD)


@pytest.mark.parametrize(
    ("archive", "statement", "openings", "said"),
    [
        (A, B, "recorded", ""),
        (C, B, "recorded", "another archive"),
        (C, B, "told", ""),
        (C, C, "told", ""),  # replaced since, but closed once
        (C, C, "recorded", "another archive"),
        (A, A, "told", "never closed"),
        (A, "dd" * 32, "told", "never closed"),  # an interim close
    ],
)
def test_a_decision_is_about_an_archive_that_is_or_was(
    archive: str, statement: str, openings: str, said: str
) -> None:
    closes = [{"statement_sha256": one, "closing": "final"} for one in (C, B)]
    closes.append({"statement_sha256": "dd" * 32, "closing": "interim"})
    body = {"archive_sha256": bytes.fromhex(archive), "openings": openings,
            "statement_sha256": bytes.fromhex(statement)}  # fmt: skip
    month = {"month": "2026-09", "closes": closes}
    if not said:
        rules.check_archive(body, month, STANDS)
        return
    with pytest.raises(MalformedError, match=said):
        rules.check_archive(body, month, STANDS)


@pytest.mark.parametrize(
    ("region", "level", "of_plant", "is_there"),
    [("", "nation", "370700", True), ("", "nation", "", True), ("37", "province", "370700", True),
     ("3707", "city", "370700", True), ("370702", "city", "370700", False),
     ("13", "province", "370700", False), ("37", "province", "", False)],
)  # fmt: skip
def test_a_reviewer_has_a_level_and_a_region(
    region: str, level: str, of_plant: str, *, is_there: bool
) -> None:
    assert level_of(region) == level
    if is_there:
        rules.check_region("qin", region, "mini", of_plant)
        return
    with pytest.raises(MalformedError, match="does not lie"):
        rules.check_region("qin", region, "mini", of_plant)


# -- draws ----------------------------------------------------------------------------------------

#: made by `printf '%s' '7-12-31/PLANT/MONTH' | sha256sum` of GNU coreutils
DRAWN = {
    ("kiln-a", "2026-09"): "0b3dc30a64b8d4a4b9f9366870f83a9adbd9a2945040e3ed11e0e55921ebb2d3",
    ("kiln-b", "2026-09"): "57f5073e3f3663752b4071a3e0ec20f90ae9b5f4fd20fcc7682c0103f123e0c2",
    ("kiln-a", "2026-10"): "75f588f657744d36700675d4af3ff2e7ef96c3bf91270cc4e30332c1684c34de",
}


def test_a_draw_can_be_made_again_by_hand_in_any_order() -> None:
    found = draw("7-12-31", [*DRAWN, *reversed(DRAWN)], 9)
    assert {(one.plant, one.month): one.sha256 for one in found} == DRAWN
    assert [one.sha256 for one in found] == sorted(DRAWN.values())
    assert draw("7-12-31", DRAWN, 2) == found[:2]
    for seed, count in (("", 1), ("x" * 201, 1), ("a\nb", 1), ("a", 0)):
        with pytest.raises(ValueError, match=r"seed|least"):
            draw(seed, DRAWN, count)


# -- plants side by side --------------------------------------------------------------------------


def of_plants(*values: str, figure: str = "intensity") -> list[Figures]:
    return [Figures(f"p{n}", "rules", {figure: Decimal(v)}) for n, v in enumerate(values)]


def test_what_is_far_from_its_peers_by_hand() -> None:
    """1 2 3 4 5 100: median 3.5, deviations 2.5 1.5 0.5 0.5 1.5 96.5, their median 1.5."""
    rows = compared(of_plants("1", "2", "3", "4", "5", "100"), limits())
    first, last = rows[0], rows[-1]
    assert (first.plant, first.peers, first.is_far) == ("p5", 5, True)
    assert (first.median, first.mad) == (Decimal("3.5"), Decimal("1.5"))
    assert first.score == Decimal("43.3928")  # 0.6745 * 96.5 / 1.5
    assert sum(row.is_far for row in rows) == 1
    assert {row.plant: row.score for row in rows}["p0"] == Decimal("-1.1242")
    assert last.is_far is False


def test_too_few_are_no_peers_and_where_all_are_alike_the_other_one_is_told() -> None:
    few = compared(of_plants("1", "2", "3", "4", "100"), limits())
    assert {(row.peers, row.score, row.is_far) for row in few} == {(4, None, False)}
    alike = compared(of_plants(*["2"] * 6, "3"), limits())
    assert [(row.plant, row.score) for row in alike if row.is_far] == [("p6", None)]
    apart = [Figures("a", "one", {"intensity": Decimal(1)}), *of_plants("2")]
    assert {row.peers for row in compared(apart, limits())} == {0}


def test_figures_of_a_published_month() -> None:
    """A steel works' workbook of 2026-06; 5845.97 t of 2317.68 t of anthracite."""
    given = evidence_input() | {"completeness": {"a": {"percent": "99.10"}, "b": {"percent": "97"}}}
    made = figures_of("p", {"input": given, "output": compute(evidence_input())})
    assert made.values[across.INTENSITY] == Decimal(EVIDENCE_INTENSITY)
    assert made.values[across.UNUSABLE] == 3
    assert made.values["factor/fuel/anthracite"] == Decimal("2.5223")


def test_the_share_of_lines_with_a_default_value() -> None:
    lines = [
        {"category": "fuel", "kind": "a", "emission_t": emission, "quantity": "0",
         "parameters": {"ncv": {"basis": basis}}}
        for emission, basis in (("30", "default"), ("-10", "measured"), ("60", "default"))
    ]  # fmt: skip
    made = figures_of("p", {"input": {}, "output": {"lines": lines, "rule_set": "r"}})
    assert made.values == {across.DEFAULTS: 90}


def test_what_several_plants_share_is_told_and_reviewers_are_not() -> None:
    def result(laboratory: str, report: str, *files: str) -> dict[str, Any]:
        tested = {"name": "carbon", "unit": "%", "value": f"0.7654321{report[-1]}1"}
        body = {"laboratory": laboratory, "report": report, "values": [tested]}
        return {"kind": "sample-result", "body": body,
                "files": [{"sha256": one} for one in files], "ended_by": None}  # fmt: skip

    def row(role: str, key: str) -> dict[str, str]:
        return {"role": role, "key": key, "name": "Li", "organisation": "Mini"}

    gone = result("Lab B", "R-9") | {"ended_by": A}  # corrected since
    documents = {
        "one": shareable([result("Lab A", "R-1", A), result("Lab B", "R-9")]),
        "two": shareable([result("lab  a", "R-1", A), result("Lab A", "R-2"), gone]),
    }
    people = {
        "one": [row("engineer", B), row("reviewer", C)],
        "two": [row("accountant", B), row("reviewer", C)],
    }
    documents["one"] |= {("author", "Wei"), ("producer", "LIMS")}
    documents["two"] |= {("producer", "LIMS")}
    found = [(one.what, one.plants) for one in shared(documents, people)]
    everything = ("report", "file", "values", "signer", "person", "laboratory", "producer")
    assert found == [(what, ["one", "two"]) for what in everything]
