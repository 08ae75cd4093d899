"""Bodies as people write them: which bytes they become, and what they are said as again."""

import datetime as dt
from typing import Any

import pytest

from evidence.documents.plainly import body_of, plain_body
from evidence.errors import MalformedError

SHANGHAI = dt.timezone(dt.timedelta(hours=8))
#: 2026-10-01T00:00:00+08:00 is 1,790,784,000 s after 1970 (date -d … +%s)
OCTOBER_NS = 1_790_784_000 * 10**9
ROWS: list[tuple[str, str, Any, Any, str]] = [
    ("count", "from_ns", "2026-10-01T00:00:00+08:00", OCTOBER_NS, "2026-09-30T16:00:00Z"),
    ("count", "from_ns", "2026-09-30 16:00:00Z", OCTOBER_NS, "2026-09-30T16:00:00Z"),
    ("count", "from_ns", dt.datetime(2026, 10, 1, tzinfo=SHANGHAI), OCTOBER_NS,
     "2026-09-30T16:00:00Z"),
    ("count", "from_ns", "2026-09-30T16:00:00.000000007Z", OCTOBER_NS + 7,
     "2026-09-30T16:00:00.000000007Z"),
    ("count", "from_ns", OCTOBER_NS, OCTOBER_NS, "2026-09-30T16:00:00Z"),
    ("ledger", "sheet_sha256", "ab" * 32, b"\xab" * 32, "ab" * 32),
    ("person", "key", "00ff", b"\x00\xff", "00ff"),
    ("sample-result", "report_day", dt.date(2026, 6, 2), "2026-06-02", "2026-06-02"),
    ("count", "value", "12.50", "12.50", "12.50"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "given", "signed", "said"), ROWS)
def test_what_is_written_is_signed_and_said(
    kind: str, name: str, given: Any, signed: Any, said: str
) -> None:
    assert body_of(kind, {name: given}) == {name: signed}
    assert plain_body(kind, {name: signed}) == {name: said}
    assert body_of(kind, {name: said}) == {name: signed}


@pytest.mark.parametrize(
    "text",
    ["2026-10-01", "2026-10-01T00:00:00", "2026-13-01T00:00:00Z", "2026-10-01T24:00:00Z", "now",
     "2026-10-01T00:00:00+99:00", dt.datetime(2026, 10, 1)],  # noqa: DTZ001 - that is the point
)  # fmt: skip
def test_an_instant_has_a_zone(text: Any) -> None:
    with pytest.raises(MalformedError, match=r"from_ns: (must be an|is no) instant"):
        body_of("count", {"from_ns": text})
