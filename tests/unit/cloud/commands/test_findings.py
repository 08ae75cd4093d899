"""`stackproof record findings`: of archives, offline, and of a collector; how it ends."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud.commands import records as cli_records
from cloud.records import findings as findings_module
from cloud.records.findings import PdfShelf
from evidence.documents.observed.paper import Paper, unread
from tests.unit.cloud.fake_collector import TOKEN, FakeCollector
from tests.unit.evidence.documents import papers as pp
from tests.unit.evidence.small_plant import PLANT, START_NS

RESULT = {"report": "HT-2026-0412", "report_day": "2026-06-14", "laboratory": "Huatan",
          "values": [{"name": "carbon", "basis": "ad", "value": "64.31", "unit": "%"}]}  # fmt: skip
NONE: dict[str, Any] = {"plant": PLANT, "findings": [], "results": [], "pdfs_read": 0,
                        "pdfs_not_read": 0}  # fmt: skip


def archive_of(path: Path, *samples: tuple[str, str, str, dict[str, Any]]) -> Path:
    made = [*pp.persons(), *(pp.paper(*sample, files=[]) for sample in samples)]
    made[-1] = pp.paper(*samples[-1], files=[pp.file_of(pp.SCAN, "report.pdf")])
    path.write_bytes(pp.archive(made))
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """June's, with a result of a sample that nobody took; its PDF is none."""
    return archive_of(tmp_path / "june.tar", ("lab", "sample-result", "C-1", RESULT))


def test_an_archive_is_looked_at_offline(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli_records.main(["findings", str(archive), "--json"]) == 1
    said = capsys.readouterr()
    (plant,) = json.loads(said.out)
    codes = [one["code"] for one in plant["findings"]]
    assert codes == ["S-RESULT-WITHOUT-SAMPLE", "N-PDF-UNREAD"]
    (result,) = plant["results"]
    assert result["why_not"] == ["S-RESULT-WITHOUT-SAMPLE"]
    assert "was not checked" in said.err
    assert cli_records.main(["findings", str(archive), "--lang", "zh", "--month", "2026-06"]) == 1
    assert "没有采样或混样登记" in capsys.readouterr().out
    assert cli_records.main(["findings", str(archive), "--month", "2025-06"]) == 0
    assert cli_records.main(["findings", str(archive), "--plant", "other"]) == 0


def test_archives_are_looked_at_together(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sample was registered, and only another archive has that."""
    taken = {"source": "anthracite", "place": "belt", "mass_kg": "2", "seal": "1",
             "taken_ns": START_NS - pp.DAY, **pp.PERIOD}  # fmt: skip
    other = archive_of(
        tmp_path / "other.tar", ("chen", "sample-taken", "C-1", taken),
        ("chen", "sample-taken", "C-2", taken | {"seal": "2"}),
    )  # fmt: skip
    cli_records.main(["findings", str(archive), str(other), "--json"])
    (plant,) = json.loads(capsys.readouterr().out)
    assert "S-RESULT-WITHOUT-SAMPLE" not in {one["code"] for one in plant["findings"]}


@pytest.mark.parametrize(
    "damage", [lambda data: data[:9000], lambda data: data[:-3000] + b"x" * 3000]
)
def test_an_archive_that_is_not_in_order_is_not_looked_at(
    damage: Any, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive.write_bytes(damage(archive.read_bytes()))
    assert cli_records.main(["findings", str(archive)]) == 2
    assert "stackproof verify" in capsys.readouterr().err
    assert cli_records.main(["findings", str(archive.parent / "none.tar")]) == 2


@pytest.fixture
def collector() -> Iterator[FakeCollector]:
    with FakeCollector() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_collector_is_asked(
    collector: FakeCollector, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOKEN", TOKEN)
    collector.answer(f"plants/{PLANT}/records/findings?month=2026-06", NONE)
    url = f"http://127.0.0.1:{collector.server_port}"
    asked = ["findings", url, "--month", "2026-06", "--token", "env:TOKEN"]
    assert cli_records.main([*asked, "--plant", PLANT]) == 0
    assert f"{PLANT}: 0 findings" in capsys.readouterr().out
    assert cli_records.main(asked) == 2


def test_a_file_is_read_once_and_none_when_time_is_up() -> None:
    read = list[bytes]()

    def reader(data: bytes) -> Paper:
        read.append(data)
        return unread("broken")

    shelf = PdfShelf(reader)
    for _ in range(2):
        assert shelf.papers([b"1"], lambda sha256: sha256 * 2) == {b"1": unread("broken")}
    assert read == [b"11"]
    assert shelf.papers([b"2", b"1"], lambda sha256: sha256, read_s=0) == {b"1": unread("broken")}


def test_nobody_waits_for_somebody_elses_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings_module, "TURN_S", 0.01)
    reading, go_on = threading.Event(), threading.Event()

    def reader(data: bytes) -> Paper:
        reading.set()
        assert go_on.wait(60)
        return unread("broken")

    shelf = PdfShelf(reader)
    other = threading.Thread(target=shelf.papers, args=([b"1"], lambda sha256: sha256))
    other.start()
    assert reading.wait(60)
    assert shelf.papers([b"1", b"2"], lambda sha256: sha256) == {}
    go_on.set()
    other.join(60)
    assert shelf.papers([b"1"], lambda sha256: sha256) == {b"1": unread("broken")}
