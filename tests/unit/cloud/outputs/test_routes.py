"""Papers by HTTP: of the archive that stands, made in another process, kept while it stands."""

import asyncio
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]  # it has no types
import pytest

from cloud.outputs import maker
from cloud.outputs.errors import OutputError
from tests.unit.cloud.app_examples import Months, make_app, make_client
from tests.unit.cloud.live_examples import PLANT
from tests.unit.cloud.outputs.months import MONTH, needs_font

OF = f"/api/v1/plants/{PLANT}/months"


class Kept(Months):
    """Months whose archives stand there: as the archive folder lists them."""

    def __init__(self, *archives: Path) -> None:
        super().__init__()
        self._rows = [
            {"plant": PLANT, "month": MONTH, "archive": str(path), "replaced": n > 0}
            for n, path in enumerate(archives)
        ]

    def archives(self, plant: str) -> Sequence[Mapping[str, Any]]:
        return self._rows


def test_a_workbook_comes_as_a_file(archives: dict[str, Path], tmp_path: Path) -> None:
    kept = tmp_path / "a.tar"
    kept.write_bytes(archives["steel"].read_bytes())
    client = make_client(make_app(months=Kept(kept, tmp_path / "replaced.tar")))
    answer = client.get(f"{OF}/{MONTH}/workbook.xlsx")
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    assert "企业基本信息表" in openpyxl.load_workbook(io.BytesIO(answer.content)).sheetnames
    kept.write_bytes(kept.read_bytes()[:-512])
    refused = client.get(f"{OF}/{MONTH}/workbook.xlsx")  # another archive: made anew
    assert refused.status_code == 409
    assert "E-CONTAINER" in refused.json()["detail"]


@needs_font
def test_a_report_comes_in_the_language_asked_for(archives: dict[str, Path]) -> None:
    client = make_client(make_app(months=Kept(archives["steel"])))
    answer = client.get(f"{OF}/{MONTH}/report.pdf", params={"language": "en"})
    assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-")
    assert f"{MONTH}-en.pdf" in answer.headers["content-disposition"]


def test_what_was_made_is_kept_while_its_archive_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Sequence[str]] = []

    async def make(arguments: Sequence[str], within_s: float) -> bytes:
        assert within_s > 0
        made.append(arguments)
        return b"paper"

    monkeypatch.setattr(maker, "made_apart", make)
    archive = tmp_path / "a.tar"
    archive.write_bytes(b"x")
    client = make_client(make_app(months=Kept(archive)))
    for _ in range(2):
        assert client.get(f"{OF}/{MONTH}/report.pdf").content == b"paper"
    assert [list(one) for one in made] == [["month", "report", str(archive), "--lang", "zh"]]
    archive.write_bytes(b"xy")
    client.get(f"{OF}/{MONTH}/report.pdf")
    assert len(made) == 2


def test_a_month_that_is_not_sealed_is_not_there() -> None:
    client = make_client(make_app(months=Kept()))
    assert client.get(f"{OF}/{MONTH}/report.pdf").status_code == 404
    assert client.get(f"{OF}/2026-13/workbook.xlsx").status_code == 422
    assert client.get(f"{OF}/{MONTH}/report.pdf", params={"language": "fr"}).status_code == 422


async def test_a_paper_that_is_kept_waits_for_none_that_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And of those that wait there are only so many, and fewer of one plant."""
    archive, go_on, makes = tmp_path / "a.tar", asyncio.Event(), maker.PaperMaker()
    archive.write_bytes(b"x")

    async def make(arguments: Sequence[str], within_s: float) -> bytes:
        if arguments[1] == "report" and within_s:
            await go_on.wait()
        return b"paper"

    monkeypatch.setattr(maker, "made_apart", make)
    await makes.make("mini", "workbook", [archive])
    asked = [
        asyncio.create_task(makes.make(f"plant-{n // 3}", "report", [archive], f"--n={n}"))
        for n in range(maker.WAITING_MAX - 1)
    ]
    await asyncio.sleep(0)
    with pytest.raises(OutputError, match="3 papers of plant-0 are being made"):
        await makes.make("plant-0", "report", [archive], "--one-more")
    asked.append(asyncio.create_task(makes.make("mini", "report", [archive], "--other")))
    await asyncio.sleep(0)
    assert await makes.make("mini", "workbook", [archive]) == b"paper"
    with pytest.raises(OutputError, match="8 papers are being made"):
        await makes.make("mini", "report", [archive], "--one-more")
    go_on.set()
    assert await asyncio.gather(*asked) == [b"paper"] * maker.WAITING_MAX


async def test_what_a_command_writes_and_says_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both were read into the collector's memory, however long a defect made them."""
    program = tmp_path / "python"
    program.write_text(
        "#!/bin/sh\n"  # -m stackproof cloud year upload --out FILE, or without a FILE
        'if [ "$5" = upload ]; then truncate -s 21M "$7"; exit; fi\n'
        "head -c 300000 /dev/zero | tr '\\0' x >&2; echo the end >&2; exit 2\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(maker.sys, "executable", str(program))
    monkeypatch.setattr(maker, "MADE_BYTES_MAX", 20 * 1024 * 1024)
    with pytest.raises(OutputError, match="21 MiB: make it with stackproof cloud year upload"):
        await maker.made_apart(("year", "upload"), 60.0)
    monkeypatch.setattr(maker, "_SAID_BYTES", 1_000)
    with pytest.raises(OutputError) as raised:
        await maker.made_apart(("month", "report"), 60.0)
    assert (len(str(raised.value)), str(raised.value)[-8:]) == (999, "xthe end")
    monkeypatch.setattr(maker, "MADE_BYTES_MAX", 21 * 1024 * 1024)
    assert len(await maker.made_apart(("year", "upload"), 60.0)) == 21 * 1024 * 1024
