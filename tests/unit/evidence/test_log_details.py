"""What each kind of entry must say beside its object: the table of FORMAT.md §7, row by row."""

import dataclasses
from typing import Any

import pytest

from evidence.errors import MalformedError
from evidence.log import Entry, Kind
from evidence.log_details import OBJECT_KINDS, check_entry

HASH, KEY = bytes(range(32)), bytes(range(1, 33))
SPANS = {"edge-1": [0, 5, HASH]}


def entry(kind: Kind, **fields: Any) -> Entry:
    given = {"stream": "edge-1", "seq": 7, "certificate": KEY, **fields}
    return Entry(kind=kind, received_ns=1, epoch=1, sha256=HASH, length=9, **given)


OBJECTS = {kind.name: entry(kind) for kind in sorted(OBJECT_KINDS)}
ENROL = entry(
    Kind.ENROL, seq=None, certificate=None,
    detail={"role": "gateway", "name": "edge-1", "certificate_sha256": HASH},
)  # fmt: skip
CLOSE = entry(
    Kind.MONTH_CLOSE, stream="", seq=None, certificate=None,
    detail={"month": "2026-06", "closing": "final", "streams": SPANS},
)  # fmt: skip
REJECT = entry(Kind.REJECT, verdict="malformed", certificate=None, detail={"count": 3})
FORK = entry(Kind.REJECT, verdict="fork", detail={"prev": HASH, "held": KEY})
ASIDE = entry(Kind.REJECT, verdict="revoked", detail={"kid": bytes(8)})
GAP = entry(Kind.GAP, detail={"from_ns": -5, "to_ns": 9, "reason": "restart"})
REVOKE = entry(Kind.REVOKE, detail={"key": KEY})
REPLACE = entry(Kind.REPLACE, detail={"old": HASH, "new": KEY})
RECORD = entry(
    Kind.RECORD, stream="", seq=None, detail={"kind": "count", "about": "Coal.1", "person": "li"}
)
REVIEW = entry(Kind.REVIEW, stream="", seq=None, certificate=None, detail={"any": [1, {"x": None}]})
GOOD = {
    **OBJECTS, "enrol": ENROL, "close": CLOSE, "reject": REJECT, "fork": FORK, "aside": ASIDE,
    "gap": GAP, "revoke": REVOKE, "replace": REPLACE, "record": RECORD,
}  # fmt: skip


def but(of: Entry, **fields: Any) -> Entry:
    """The entry with other fields, or with another detail: name=value, absent where None."""
    own = {name for name in fields if name in Entry.__annotations__}
    detail = dict(of.detail) | {k: v for k, v in fields.items() if k not in own}
    changed = {name: fields[name] for name in own}
    return dataclasses.replace(of, **({"detail": detail} | changed))


def without(of: Entry, name: str) -> Entry:
    return dataclasses.replace(of, detail={k: v for k, v in of.detail.items() if k != name})


ALSO_GOOD = [
    but(ENROL, stream="", role="root", name="p1"), but(ENROL, stream="", role="collector"),
    but(CLOSE, closing="interim", replaces=KEY), but(CLOSE, streams={}),
    but(CLOSE, streams={"a": [3, 3, HASH]}), but(REVOKE, seq=None), but(REJECT, stream=""),
    but(REJECT, seq=None), but(FORK, detail={"prev": HASH, "held_before": KEY}),
    but(ASIDE, certificate=None), but(ASIDE, verdict="unknown-key", seq=None),
    but(REJECT, count=1), but(REJECT, certificate=KEY), REVIEW,
]  # fmt: skip


@pytest.mark.parametrize("of", [*GOOD.values(), *ALSO_GOOD])
def test_what_the_format_says_is_sound(of: Entry) -> None:
    check_entry(of)  # raises MalformedError otherwise
    assert of.kind in Kind


BAD = [
    *[but(e, **{name: value}) for e in OBJECTS.values() for name, value in (
        ("detail", {"x": 1}), ("seq", None), ("certificate", None), ("stream", ""),
        ("stream", "Edge"))],
    *[but(e, verdict="malformed") for k, e in GOOD.items() if k not in ("reject", "fork", "aside")],
    *[but(e, verdict=v) for e in (REJECT, FORK, ASIDE) for v in ("accepted", "")],
    *[without(e, name) for e in GOOD.values() for name in e.detail],
    *[but(e, detail=dict(e.detail) | {"more": 1}) for e in GOOD.values()],
    but(ENROL, seq=1), but(ENROL, certificate=KEY), but(ENROL, role="owner"), but(ENROL, name=5),
    but(ENROL, stream="edge-2"), but(ENROL, stream=""), but(ENROL, role="root"),
    but(ENROL, certificate_sha256=HASH[:31]), but(ENROL, certificate_sha256="x"),
    but(CLOSE, stream="edge-1"), but(CLOSE, seq=3), but(CLOSE, certificate=KEY),
    *[but(CLOSE, month=m) for m in ("2026-13", "2026-6", "2026-06 ", "", None, 202606)],
    but(CLOSE, closing="open"), but(CLOSE, closing=None), but(CLOSE, streams=[]),
    *[but(CLOSE, streams={"a": span}) for span in (
        [], [0, 5], [5, 0, HASH], [-1, 0, HASH], [0, True, HASH], [0, 5, b""], [0, 5, "x"], None)],
    but(CLOSE, replaces="x"), but(CLOSE, replaces=None), but(REVOKE, key=KEY[:8]),
    but(REVOKE, certificate=None), but(REVOKE, stream=""), but(REPLACE, old=None),
    but(REPLACE, new=b""), but(REPLACE, seq=None), but(REPLACE, certificate=None),
    but(GAP, from_ns="1"), but(GAP, to_ns=True), but(GAP, reason=None), but(GAP, seq=None),
    but(GAP, stream=""), but(REJECT, stream="a/b"), but(REJECT, count=0), but(REJECT, count=True),
    but(REJECT, count="1"), but(FORK, seq=None), but(FORK, certificate=None), but(FORK, prev=b""),
    but(FORK, held="x"), but(FORK, held_before=KEY), but(ASIDE, kid=bytes(7)), but(ASIDE, kid=8),
    but(RECORD, stream="edge-1"), but(RECORD, seq=1),
]  # fmt: skip


@pytest.mark.parametrize("of", BAD)
def test_anything_else_is_not(of: Entry) -> None:
    with pytest.raises(MalformedError):
        check_entry(of)
