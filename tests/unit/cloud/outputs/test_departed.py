"""Departures from the plan, made of an archive alone: the same sentences in report and workbook."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cloud.outputs.book import book_of
from cloud.outputs.departed import NO_PLAN
from cloud.outputs.layout import sector_layout
from cloud.outputs.report import _departures
from cloud.outputs.reported import Checked
from cloud.outputs.sealed import SealedMonth, read_sealed
from cloud.outputs.sheets import notes_cells
from evidence.documents.document import AttachedFile
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp
from tests.unit.evidence.plan import examples as x

CERTIFICATE = {"scope": "verification", "issuer": "Institute", "number": "C-1",
               "day": "2026-05-01", "due": "2026-06-20", "fit": True}  # fmt: skip

REVIEW = {"of": "gas-1", "checked_ns": pp.JUNE, "by": "Chen", "method": "totals by hand",
          "result": "0.2 t off", "passed": False}  # fmt: skip


def sealed(tmp_path: Path, text: str, **body: Any) -> SealedMonth:
    """The small plant's June with a plan, and a certificate of gas-1 that ends on the 20th."""
    data = text.encode()
    file = AttachedFile("plan.toml", "application/toml", len(data), sm.sha256(data))
    named = {"plan_sha256": sm.sha256(data), "revision": 1, **body}
    made = [
        *pp.persons(), pp.paper("zhao", "control-plan", "2026", named, files=[file]),
        pp.paper("zhao", "meter-certificate", "gas-1", CERTIFICATE),
        pp.paper("chen", "internal-check", "review", REVIEW),
    ]  # fmt: skip
    path = tmp_path / "june.tar"
    path.write_bytes(pp.archive(made, files=[data]))
    return read_sealed(path)


def test_report_and_workbook_say_where_the_month_departed(tmp_path: Path) -> None:
    month = sealed(tmp_path, x.text(plant=sm.PLANT))
    told = {(one.code, one.about) for one in month.planned.departures}
    # by hand: the small plant reads gas.volume and no coal, and its meters have other names
    assert told >= {
        ("no-device", "gas-1"),
        ("no-certificate", "scale-1"),
        ("check-failed", "review"),
    }
    assert ("expired", "gas-1") not in told  # it was closed on the 16th
    assert not {code for code, _ in told} & {"other-plant", "other-year"}
    sentences = month.planned.sentences("en")
    assert ("gas-1", "its device gas-1 is in no configuration",
            "correct device in the plan, or the site file") in sentences  # fmt: skip
    checked = cast("Checked", SimpleNamespace(month=month))
    for language in ("zh", "en"):
        paper = json.dumps(list(_departures(checked, language)), ensure_ascii=False)
        rows = month.planned.sentences(language)
        assert len(rows) == len(month.planned.departures)
        assert all(text in paper for row in rows for text in row)
        cells = [cell.text for row in notes_cells(book(month)) for cell in row]
        assert all(any(so in text for text in cells) for _, so, _ in rows)
        assert month.planned.plan_sha256 in paper


def book(month: SealedMonth) -> Any:
    return book_of([month], sector_layout("aluminium"))


def test_a_plan_of_another_plant_is_told(tmp_path: Path) -> None:
    month = sealed(tmp_path, x.text(plant="maxi"))
    assert ("other-plant", "") in {(one.code, one.about) for one in month.planned.departures}


@pytest.mark.parametrize(
    ("text", "body", "said"),
    [("plan = 1", {}, "format"), (x.text(), {"plan_sha256": bytes(32)}, "has no file")],
)
def test_a_plan_that_cannot_be_read_is_told(
    tmp_path: Path, text: str, body: dict[str, Any], said: str
) -> None:
    planned = sealed(tmp_path, text, **body).planned
    assert said in planned.problem
    assert planned.departures == ()
    assert planned.revision == 1


def test_an_archive_without_a_plan_says_so(tmp_path: Path) -> None:
    path = tmp_path / "june.tar"
    path.write_bytes(sm.honest())
    month = read_sealed(path)
    assert month.planned == NO_PLAN
    checked = cast("Checked", SimpleNamespace(month=month))
    assert "No control plan" in json.dumps(list(_departures(checked, "en")))
    assert any("No control plan" in cell.text for row in notes_cells(book(month)) for cell in row)
