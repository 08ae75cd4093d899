"""The one rule of whose a certificate is: role, plant, name, and the root that issued it."""

import datetime as dt

import pytest

from evidence.certify import objection_to
from evidence.keys import Certificate, generate, issue

AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
KEY, OTHER = generate(), generate()
ROOT, STRANGER = (
    issue("root", "mini", "mini", key.public_key(), issuer=key, not_before=AT, days=10)
    for key in (KEY, OTHER)
)
EDGE = issue(
    "gateway", "mini", "edge-1", generate().public_key(), issuer=(KEY, ROOT), not_before=AT, days=10
)


@pytest.mark.parametrize("name", ["edge-1", ""])
@pytest.mark.parametrize("root", [ROOT, None])
def test_the_one_that_is_asked_for_is_fine(name: str, root: Certificate | None) -> None:
    assert objection_to(EDGE, "gateway", "mini", name, root=root) == ""


@pytest.mark.parametrize(
    "asked", [("collector", "mini", ""), ("gateway", "maxi", "edge-1"), ("gateway", "mini", "edge")]
)
def test_one_of_somebody_else_is_not(asked: tuple[str, str, str]) -> None:
    told = "the certificate is for gateway mini/edge-1"
    assert [objection_to(EDGE, *asked, root=root) for root in (ROOT, None)] == [told, told]


def test_a_root_of_the_same_name_did_not_issue_it() -> None:
    assert objection_to(EDGE, "gateway", "mini", root=STRANGER) == (
        "the plant's root did not issue this certificate"
    )
