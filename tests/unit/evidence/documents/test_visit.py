"""What a visit says of its comparisons, reckoned by hand; random months bend them for both."""

from typing import Any

import pytest

from evidence.documents.document import Document
from evidence.documents.kinds import check_document
from evidence.errors import MalformedError
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

FACE = {"point": "gas-1.volume", "at_ns": pp.JUNE, "face": "100061", "unit": "Nm3"}
WITH = {"result": "agrees", "reading": "100045.0", "allowed": "16.1", "frame": "edge-1/10",
        "frame_sha256": bytes(32)}  # fmt: skip
PHOTO = {"photo": sm.sha256(pp.SCAN)}
VISITS: list[tuple[dict[str, Any], str]] = [
    ({}, ""),  # not compared
    ({"result": "no-reading", "quality": "128"}, ""),
    (WITH, ""),  # 16.0 of 16.1
    (WITH | {"allowed": "16"}, ""),
    (WITH | {"allowed": "15.999999999999999"}, "does not follow"),
    (WITH | {"face": "-16", "reading": "0.1"}, ""),  # 16.1 below
    (WITH | {"face": "-16.01", "reading": "0.1"}, "does not follow"),
    (WITH | {"result": "differs"}, "does not follow"),
    (WITH | {"result": "differs", "allowed": "15.9"}, ""),
    (WITH | {"result": "no-reading"}, "does not follow"),
    ({"reading": "100045.0"}, "does not follow"),
    ({"result": "agrees"}, "does not follow"),
    (PHOTO, ""),
    ({"photo": bytes(32)}, "none of its files"),
]


@pytest.mark.parametrize(("told", "said"), VISITS)
def test_a_result_follows_from_its_figures(told: dict[str, Any], said: str) -> None:
    body = {**pp.PERIOD, "meters": [FACE | told]}
    visit = Document("mini", "qin", 0, "site-visit", "2026-06", body, (), (pp.file_of(pp.SCAN),))
    if not said:
        check_document(visit)
        return
    with pytest.raises(MalformedError, match=said):
        check_document(visit)


def test_a_visit_is_about_a_month() -> None:
    visit = Document("mini", "qin", 0, "site-visit", "gas-1", {**pp.PERIOD, "meters": [FACE]})
    with pytest.raises(MalformedError, match="about a month"):
        check_document(visit)
