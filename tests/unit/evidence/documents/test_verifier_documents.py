"""The verifier's walk through the documents of an archive: what holds, and what it says."""

from collections.abc import Callable

import pytest

from evidence.findings import Report, Verdict
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
