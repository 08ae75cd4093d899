"""The verifier's walk through the documents of an archive: what holds, and what it finds."""

from collections.abc import Callable
from typing import Any

import pytest

from evidence import cbor
from evidence.archive import paths
from evidence.documents.document import COLLECTOR
from evidence.findings import Report, Verdict
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

#: places in `papers()`
WRONG, RIGHT, APPROVED, STOCK, WITHDRAWN = 5, 6, 7, 8, 9
FIRST = sm.sha256(pp.papers()[0])


def found(archive: bytes) -> Report:
    return sm.check(archive, recompute=False)


def documents(report: Report) -> list[str]:
    """Sentences of what does not hold of documents."""
    return [f.sentence for f in report.findings if f.code == "E-DOCUMENT"]


@pytest.mark.parametrize("earlier", [0, 3, 9, 10])
def test_papers_that_hold_pass(earlier: int) -> None:
    report = found(pp.archive(pp.papers(), earlier=earlier))
    assert report.verdict is Verdict.PASSED, report.findings
    assert report.counts["documents"] == 10
    assert report.counts["attached_files"] == 1
    assert any("attached files" in sentence for sentence in report.not_checked)


def next_person(person: str, signer: str, **body: Any) -> bytes:
    made = pp.persons()
    return pp.paper(
        signer, "person", person, pp.person_body("lab") | body, sm.sha256(made[-1]),
    )  # fmt: skip


def count_by(person: str, **other: Any) -> bytes:
    body = {"value": "1", "unit": "t", **pp.PERIOD}
    return pp.paper(person, "count", "clinker", body, **other)


APPROVE_OWN = pp.paper("li", "approve", "anthracite", {}, sm.sha256(pp.papers()[RIGHT]))
END_LI = pp.paper(
    "wang", "person-end", "li",
    {"key": pp.key_sha256(pp.key_of("li").public_key), "reason": "left"},
    sm.sha256(pp.persons()[-1]),
)  # fmt: skip

REFUSED: list[tuple[str, Callable[[], list[bytes]], str]] = [
    ("another's key", lambda: [count_by("li", by=pp.key_of("zhao"))], "no such key"),
    ("no person", lambda: [count_by("lab2", by=pp.key_of("li"))], "no such key"),
    ("another plant", lambda: [count_by("li", plant="other")], "plant other"),
    ("role", lambda: [pp.paper("chen", "invoice", "coal", pp.INVOICE)], "operator to sign"),
    ("laboratory counts", lambda: [count_by("lab")], "laboratory to sign"),
    ("field missing",
     lambda: [pp.paper("li", "count", "coal", {"value": "1", **pp.PERIOD})], "nit: missing"),
    ("number is no text",
     lambda: [pp.paper("li", "count", "coal", {"value": 1, "unit": "t", **pp.PERIOD})],
     "must be a number"),
    ("period turned",
     lambda: [pp.paper("li", "count", "coal", {"value": "1", "unit": "t", "from_ns": pp.JUNE,
                                               "to_ns": pp.MAY})], "before to_ns"),
    ("enrols without role", lambda: [next_person("eve", "li")], "accountant to sign"),
    ("accountant enrols", lambda: [next_person("eve", "zhao")], "engineer to sign"),
    ("key twice", lambda: [next_person("eve", "wang")], "already"),
    ("list forks",
     lambda: [pp.paper("wang", "person", "eve", pp.person_body("lab"), FIRST)],
     "does not follow the newest"),
    ("signed after the end", lambda: [END_LI, count_by("li")], "ended before"),
    ("ended twice",
     lambda: [END_LI, pp.paper("wang", "person-end", "li", {
         "key": pp.key_sha256(pp.key_of("li").public_key), "reason": "x"}, sm.sha256(END_LI))],
     "no such key to end"),
]  # fmt: skip


@pytest.mark.parametrize(("made", "said"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_who_may_not_sign_is_found(made: Callable[[], list[bytes]], said: str) -> None:
    report = found(pp.archive([*pp.persons(), *made()], files=()))
    (sentence,) = documents(report)
    assert said in sentence
    assert report.verdict is Verdict.FAILED


def test_four_eyes() -> None:
    report = found(pp.archive([*pp.papers(), APPROVE_OWN]))
    assert documents(report) == ["Li wrote it: another person must approve it."]


@pytest.mark.parametrize(
    ("follower", "said"),
    [
        (lambda: pp.paper("li", "invoice", "coke", pp.INVOICE, sm.sha256(pp.papers()[RIGHT])),
         "a document about anthracite"),
        (lambda: pp.paper("li", "invoice", "anthracite", pp.INVOICE | {"unit": "kg"},
                          sm.sha256(pp.papers()[WRONG])), "corrected or withdrawn"),
        (lambda: pp.paper("li", "count", "anthracite",
                          {"value": "1", "unit": "t", **pp.PERIOD},
                          sm.sha256(pp.papers()[RIGHT])), "corrects no invoice"),
        (lambda: pp.paper("zhao", "approve", "anthracite", {}, bytes(32)), "no document"),
    ],
)  # fmt: skip
def test_what_follows_wrongly_is_found(follower: Callable[[], bytes], said: str) -> None:
    (sentence,) = documents(found(pp.archive([*pp.papers(), follower()])))
    assert said in sentence


def changed(path: str, data: bytes | None) -> bytes:
    """The honest archive with a file changed or taken out, and packed and sealed anew."""
    files = sm.unpack(pp.archive(pp.papers(), earlier=3))
    files = {k: v for k, v in files.items() if k != path} | ({} if data is None else {path: data})
    return sm.repack(files, by=sm.keys().collector)


def test_a_document_without_its_bytes_is_found() -> None:
    path = paths.record(sm.sha256(pp.papers()[RIGHT]))
    assert "not in the archive" in documents(found(changed(path, None)))[0]
    other = pp.papers()[WRONG]
    assert "not the document its name" in documents(found(changed(path, other)))[0]


def test_a_file_that_is_not_there_or_was_changed_is_found() -> None:
    path = paths.record_file(sm.sha256(pp.SCAN))
    assert "is not here" in documents(found(changed(path, None)))[0]
    assert "was changed" in documents(found(changed(path, pp.SCAN[::-1])))[0]


def test_what_no_document_names_is_found() -> None:
    for path in (paths.record_file(bytes(32)), paths.record(bytes(32))):
        assert "E-FILE-EXTRA" in sm.codes(found(changed(path, b"x")))


def proof() -> tuple[str, list[Any]]:
    path = paths.record_proof(sm.sha256(pp.papers()[1]))
    return path, cbor.decode(sm.unpack(pp.archive(pp.papers(), earlier=3))[path])


@pytest.mark.parametrize(
    "bend",
    [
        lambda p: [p[0] + 1, *p[1:]],
        lambda p: [*p[:2], p[2][:-1]],
        lambda p: [*p[:2], [*p[2][:-1], bytes(31)]],
        lambda p: [p[0], p[1][:-1], p[2]],
        lambda p: [*p, 0],
        lambda p: [9, *p[1:]],
    ],
)
def test_a_proof_that_does_not_lead_there_is_found(bend: Callable[[list[Any]], list[Any]]) -> None:
    path, honest = proof()
    report = found(changed(path, cbor.encode(bend(honest))))
    assert documents(report)
    assert report.verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"detail": {"kind": "count", "about": "anthracite", "person": "li"}}, "something else"),
        ({"certificate": pp.key_sha256(pp.key_of("zhao").public_key)}, "another key"),
        ({"length": 3}, "not the document"),
    ],
)
def test_an_entry_that_says_something_else_is_found(fields: dict[str, Any], said: str) -> None:
    report = found(pp.archive(pp.papers(), entries={RIGHT: fields}))
    assert said in documents(report)[0]


def test_a_newer_kind_is_undecided() -> None:
    report = found(pp.archive([*pp.persons(), pp.paper("li", "hologram", "x", {})], files=()))
    assert report.verdict is Verdict.CANNOT_DECIDE
    assert sm.codes(report) >= {"C-FORMAT"}
    assert not documents(report)


def test_the_collector_signs_nothing_else() -> None:
    made = [*pp.persons(), count_by(COLLECTOR)]
    assert "collector to sign" in documents(found(pp.archive(made, files=())))[0]
