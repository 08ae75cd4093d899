"""What keeps 1,500 plants cheap changes nothing of what is told of one."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from cloud.closing.archive import ArchiveFolder
from cloud.errors import StoreError
from cloud.month import book
from cloud.month.book import MonthBook
from cloud.month.expected import Expected
from cloud.month.facts import Facts
from evidence.log import decode_entry
from tests.unit.cloud.kept import kept_in
from tests.unit.cloud.month.engine_examples import TO_NS, Works, heartbeat
from tests.unit.cloud.month.month_facts import NOW_NS, NoCollector, Planned, back, close, fill
from tests.unit.evidence.documents import papers as pp
from tests.unit.evidence.small_plant import MONTH, PLANT

COAL = Expected("Coal", "invoice", "anthracite", "month", "purchasing")


def test_one_look_at_the_folder_tells_plants_apart_whose_names_end_like_months(
    tmp_path: Path,
) -> None:
    names = ["mill-2026-10.tar", "mill-2026-10.replaced-0123456789ab.tar",
             "mill-2026-2026-10.tar", ".closing-mill.tar", "mill-2026-1.tar"]  # fmt: skip
    for name in names:
        (tmp_path / name).touch()
    folder = ArchiveFolder(tmp_path)
    assert folder.names() == {"mill": sorted(names[:2]), "mill-2026": names[2:3]}
    rows = [(row["month"], row["replaced"]) for row in folder.rows("mill")]
    assert rows == [("2026-10", False), ("2026-10", True)]
    assert ArchiveFolder(tmp_path / "none").names() == {}


async def test_a_month_that_is_over_is_told_anew_when_something_of_it_comes(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan, a document, an object of the next month, and nothing."""
    engine, made = works.engine(), Mock(side_effect=book.checklist)
    monkeypatch.setattr(book, "checklist", made)

    async def owed() -> list[str]:
        works.clock.now_ns += 60 * 10**9
        await engine.look()
        row: Any = next(row for row in engine.rows(PLANT) if row["month"] == MONTH)
        return [one["what"] for one in row["owed"]]

    assert await owed() == ["silent"]
    works.plan.rows = [COAL]
    assert await owed() == ["silent", "document"]
    for data in [*pp.persons(), pp.paper("li", "invoice", "anthracite", pp.INVOICE)]:
        works.desk.paper(data)
    assert await owed() == ["silent", "approval"]
    heartbeat(works.desk, TO_NS)
    assert await owed() == ["approval"]
    made.reset_mock()
    assert await owed() == ["approval"]
    assert MONTH not in [call.args[0].month for call in made.call_args_list]


async def test_what_is_closed_is_told_as_closed_whatever_the_disk_does_then(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeat(works.desk, TO_NS)
    engine = works.engine()
    await engine.look()
    away = Mock(side_effect=StoreError("no descriptor"))
    with monkeypatch.context() as patch:
        patch.setattr(works.facts, "done", away)
        patch.setattr(works.facts, "add_closes", away)
        facts = await engine.close(PLANT, MONTH, closing="final")
    assert (facts["closing"], away.call_count) == ("final", 2)
    await engine.look()
    row = engine.month(PLANT, MONTH)
    assert row is not None
    assert (row["state"], row["counting"]) == ("sealed", "")


def test_ten_years_of_a_plant_are_gone_through_once_not_once_a_month(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each month went through the archives of all: of 120, 28 ms of CPU a plant each minute."""
    joined = list[str]()

    class Folder:
        def __truediv__(self, name: str) -> Path:
            joined.append(name)
            return tmp_path / name

    facts, months, folder = Facts(kept_in(tmp_path)), list(back(40)), Folder()
    fill(facts, PLANT, months, devices=1, points=1)
    statements = [close(facts, PLANT, month, index) for index, month in enumerate(months[:-2])]
    again = close(facts, PLANT, months[3], 38, statements[3])
    book = MonthBook(facts, NoCollector([PLANT]), Planned(), folder)  # type: ignore[arg-type] # what it asks
    rows = {row["month"]: row for row in book.rows(PLANT, NOW_NS)}
    assert len(joined) == 39  # 38 months, of which one was amended
    assert list(rows) == months[::-1]
    assert [rows[month]["state"] for month in months[2:5]] == ["sealed", "amended", "sealed"]
    told = {month: [one["statement_sha256"] for one in row["archives"]]
            for month, row in rows.items()}  # fmt: skip
    assert told[months[2]] == [statements[2].hex()]
    assert sorted(told[months[3]]) == sorted([statements[3].hex(), again.hex()])
    assert told[months[-1]] == told[months[-2]] == []
    decoded = Mock(side_effect=decode_entry)
    monkeypatch.setattr("cloud.month.facts.decode_entry", decoded)
    later_ns = NOW_NS + 60 * 10**9
    assert [row["state"] for row in book.rows(PLANT, later_ns)].count("sealed") == 37
    assert decoded.call_count == 0
    close(facts, PLANT, months[-2], 39)
    assert book.rows(PLANT, later_ns + 60 * 10**9)[1]["state"] == "sealed"
    facts.forget(PLANT)
    assert list(facts.closes(PLANT)) == []
