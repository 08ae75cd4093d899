"""The verifier's walk through the documents of an archive: what holds, and what it says."""

from collections.abc import Callable

import pytest

from evidence.archive import paths
from evidence.findings import Report, Verdict
from evidence.verifier.opened import Opened
from tests.attacks.by_documents import SAID
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp


def found(archive: bytes) -> Report:
    return sm.check(archive, recompute=False)


@pytest.mark.parametrize("earlier", [0, 3, 9, 10])
def test_papers_that_hold_pass(earlier: int) -> None:
    report = found(pp.archive(pp.papers(), earlier=earlier))
    assert report.verdict is Verdict.PASSED, report.findings
    assert report.counts["documents"] == 10
    assert report.counts["attached_files"] == 1
    assert any("attached files" in sentence for sentence in report.not_checked)


@pytest.mark.parametrize(("build", "said"), [case[1:] for case in SAID], ids=[c[0] for c in SAID])
def test_what_does_not_hold_is_told_in_words(build: Callable[[], bytes], said: str) -> None:
    sentences = [f.sentence for f in found(build()).findings if f.code == "E-DOCUMENT"]
    assert len(sentences) >= 1
    assert said in sentences[0]


def test_behind_a_newer_document_nobody_is_called_a_forger() -> None:
    newer = pp.paper("li", "hologram", "x", {})
    stranger = pp.paper("mallory", "count", "clinker", {"value": "1", "unit": "t", **pp.PERIOD})
    report = found(pp.archive([*pp.persons(), newer, stranger], files=()))
    assert report.verdict is Verdict.CANNOT_DECIDE


def test_a_file_that_many_documents_name_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """100,000 names of a file of 8 MB in an archive of 18 MB are 800 GB to be hashed."""
    made = [
        pp.paper("li", "invoice", "anthracite", pp.INVOICE | {"number": number},
                 files=[pp.file_of(pp.SCAN)])
        for number in ("1", "2", "3")
    ]  # fmt: skip
    archive, read, hashed = pp.archive([*pp.persons(), *made]), list[str](), Opened.sha256

    def counted(self: Opened, path: str) -> str:
        read.append(path)
        return hashed(self, path)

    monkeypatch.setattr(Opened, "sha256", counted)
    report = found(archive)
    assert report.verdict is Verdict.PASSED
    of_manifest = 1
    assert read.count(paths.record_file(sm.sha256(pp.SCAN))) == of_manifest + 1
