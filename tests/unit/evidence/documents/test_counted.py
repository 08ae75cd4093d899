"""Which documents count: they stand, and a second person's approval of them does."""

import tracemalloc

import pytest

from evidence.documents.document import Document, unverified_document
from evidence.documents.standing import Logged, Standing
from evidence.errors import MalformedError
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp


def follow(person: str, kind: str, data: bytes, **body: str) -> bytes:
    return pp.paper(person, kind, "coal", body, sm.sha256(data))


def test_what_is_withdrawn_counts_no_more_and_an_approval_can_be() -> None:
    first, second, third, fourth = (
        pp.paper("li", "count", "coal", {"value": value, "unit": "t", **pp.PERIOD})
        for value in ("1", "2", "3", "4")
    )
    approval = follow("zhao", "approve", second)
    made = [
        *pp.persons(), first, second, third, fourth,
        follow("zhao", "approve", first), approval,
        follow("chen", "withdraw", approval, reason="not seen"),
        follow("zhao", "approve", third), follow("li", "withdraw", third, reason="wrong"),
    ]  # fmt: skip
    told = [(paper.sha256, paper.is_approved) for paper in pp.standing_of(made)]
    assert told == [
        (sm.sha256(first).hex(), True), (sm.sha256(second).hex(), False),
        (sm.sha256(fourth).hex(), False),
    ]  # fmt: skip


def test_a_corrected_document_waits_for_its_own_approval() -> None:
    wrong = pp.paper("li", "invoice", "anthracite", pp.INVOICE | {"value": "1"})
    approval = pp.paper("zhao", "approve", "anthracite", {}, sm.sha256(wrong))
    right = pp.paper("li", "invoice", "anthracite", pp.INVOICE, sm.sha256(wrong))
    (paper,) = pp.standing_of([*pp.persons(), wrong, approval, right])
    assert (paper.body["value"], paper.is_approved) == ("120.50", False)


def test_a_document_that_a_collector_holds_takes_little_beside_what_it_says() -> None:
    """Of ten years each took 1.3 kB, most of it texts that all invoices have."""
    signed = [pp.paper("li", "invoice", "anthracite", pp.INVOICE | {"number": f"{n:06}"})
              for n in range(64)]  # fmt: skip
    unverified_document(signed[0])
    tracemalloc.start()
    held = [unverified_document(data) for data in signed]
    bytes_each = tracemalloc.get_traced_memory()[0] / len(held)
    tracemalloc.stop()
    assert held[5].body["number"] == "000005"
    # 7 fields in a map of 8 places (some 350), 5 texts and 3 numbers of its own (some 50 each), and
    # the document's 8 fields (some 100)
    assert bytes_each < 1_000


def test_approvals_of_approvals_are_not_walked_through() -> None:
    """Each of a hundred follows a hundred: of the fifth level are 10^10 ways to the first."""
    standing, level = Standing(), list[bytes]()
    for depth in range(6):
        above, level = level, []
        for number in range(100):
            sha256 = bytes([depth, number]) * 16
            kind = "approve" if above else "count"
            document = Document("p", f"p{depth}", 0, kind, "coal", {}, tuple(above))
            standing.take(Logged(len(standing), 0, sha256, document, None))
            level.append(sha256)
    assert standing.authors(standing[level[0]]) == {f"p{depth}" for depth in range(6)}
    again = Document("p", "p0", 0, "approve", "coal", {}, tuple(level[:1]))
    with pytest.raises(MalformedError, match="p0 wrote it"):
        standing.take(Logged(len(standing), 0, b"again", again, None))
