"""What each kind of log entry must say beside the object it names. Pure. FORMAT.md "Log"."""

import re
from collections.abc import Mapping
from typing import Any

from evidence.custody import KeyFault
from evidence.documents.document import ABOUT, KIND
from evidence.errors import MalformedError
from evidence.frame import TYP_CLOSE, TYP_CONFIG, TYP_COSIGNATURE, TYP_FRAME, TYP_ROTATE
from evidence.keys import ROLES
from evidence.log import Entry, Kind
from evidence.points import NAME_ID

#: what the log calls an object of a gateway's stream, by the object's type
KIND_OF = {
    TYP_FRAME: Kind.FRAME,
    TYP_CONFIG: Kind.CONFIG,
    TYP_ROTATE: Kind.ROTATE,
    TYP_COSIGNATURE: Kind.COSIGNATURE,
    TYP_CLOSE: Kind.PLANT_CLOSE,
}
#: entries that accept one
OBJECT_KINDS = frozenset(KIND_OF.values())
ACCEPTED = "accepted"
FORK = "fork"
#: faults of its key for which an object is kept aside, for people to look at; a fork is too
KEPT_ASIDE = frozenset(map(str, KeyFault))
MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)

_PLANT_KINDS = frozenset({Kind.RECORD, Kind.REVIEW, Kind.MONTH_CLOSE})


def check_entry(entry: Entry) -> None:
    """Compare an entry with what its kind must say.

    Raises:
        MalformedError: it says something else.
    """
    if (entry.verdict == ACCEPTED) == (entry.kind is Kind.REJECT) or not entry.verdict:
        raise MalformedError(f"a {entry.kind.name.lower()} entry of verdict {entry.verdict!r}")
    if entry.kind in _PLANT_KINDS:
        _check(entry.stream == "" and entry.seq is None, "it names a stream or a seq")
    elif entry.kind is not Kind.ENROL and entry.kind is not Kind.REJECT:
        _check(NAME_ID.fullmatch(entry.stream) is not None, "it names no stream")
    if entry.kind in OBJECT_KINDS:
        _check(entry.seq is not None, "it names no seq")
        _check(entry.certificate is not None, "it names no key")
        _check(not entry.detail, "it has a detail")
    elif entry.kind in _DETAILS:
        _DETAILS[entry.kind](entry, entry.detail)


def _enrol(entry: Entry, detail: Mapping[str, Any]) -> None:
    _names(detail, "role", "name", "certificate_sha256")
    _check(entry.seq is None and entry.certificate is None, "it names a seq or a signer")
    role, name = detail["role"], detail["name"]
    _check(role in ROLES and isinstance(name, str), "its role or name is none")
    _check(entry.stream == (name if role == "gateway" else ""), "its stream is not its name")
    _hash(detail, "certificate_sha256")


def _revoke(entry: Entry, detail: Mapping[str, Any]) -> None:
    _names(detail, "key")
    _hash(detail, "key")
    _check(entry.certificate is not None, "it names no key")


def _replace(entry: Entry, detail: Mapping[str, Any]) -> None:
    _names(detail, "old", "new")
    _hash(detail, "old")
    _hash(detail, "new")
    _check(entry.seq is not None and entry.certificate is not None, "it names no seq or no key")


def _record(entry: Entry, detail: Mapping[str, Any]) -> None:
    _names(detail, "kind", "about", "person")
    _check(entry.certificate is not None, "it names no key")
    for name, pattern in (("kind", KIND), ("about", ABOUT), ("person", NAME_ID)):
        is_id = isinstance(detail[name], str) and pattern.fullmatch(detail[name]) is not None
        _check(is_id, f"its {name} is no id")


def _gap(entry: Entry, detail: Mapping[str, Any]) -> None:
    _names(detail, "from_ns", "to_ns", "reason")
    numbers = all(type(detail[name]) is int for name in ("from_ns", "to_ns"))
    _check(numbers and isinstance(detail["reason"], str), "its gap is misformed")
    _check(entry.seq is not None, "it names no seq")


def _reject(entry: Entry, detail: Mapping[str, Any]) -> None:
    named = entry.stream == "" or NAME_ID.fullmatch(entry.stream) is not None
    _check(named, "its stream is no id")
    if entry.verdict == FORK:
        held = "held" if "held" in detail else "held_before"
        _names(detail, "prev", held)
        _hash(detail, "prev")
        _hash(detail, held)
        _check(entry.seq is not None and entry.certificate is not None, "it names no seq or no key")
    elif entry.verdict in KEPT_ASIDE:
        _names(detail, "kid")
        kid = detail["kid"]
        _check(isinstance(kid, bytes) and len(kid) == 8, "its kid is no key id")
    else:
        _names(detail, "count")
        _check(type(detail["count"]) is int and detail["count"] >= 1, "its count is no count")


def _month_close(entry: Entry, detail: Mapping[str, Any]) -> None:
    _check(entry.certificate is None, "it names a key")
    _names(detail, "month", "closing", "streams", *(("replaces",) if "replaces" in detail else ()))
    month, streams = detail["month"], detail["streams"]
    _check(isinstance(month, str) and MONTH.fullmatch(month) is not None, "its month is none")
    _check(detail["closing"] in ("interim", "final"), "its closing is none")
    _check(isinstance(streams, dict) and all(map(is_span, streams.values())), "its spans are none")
    if "replaces" in detail:
        _hash(detail, "replaces")


def is_span(span: Any) -> bool:
    """True for [first seq, last seq, hash of the last object]."""
    if not isinstance(span, list) or len(span) != 3:
        return False
    first, last, head = span
    if type(first) is not int or type(last) is not int:
        return False
    return 0 <= first <= last and isinstance(head, bytes) and len(head) == 32


_DETAILS = {
    Kind.ENROL: _enrol, Kind.REVOKE: _revoke, Kind.REPLACE: _replace, Kind.GAP: _gap,
    Kind.RECORD: _record,
    Kind.REJECT: _reject, Kind.MONTH_CLOSE: _month_close,
}  # fmt: skip


def _names(detail: Mapping[str, Any], *names: str) -> None:
    _check(set(detail) == set(names), f"its detail has not the fields {', '.join(names)}")


def _hash(detail: Mapping[str, Any], name: str) -> None:
    value = detail[name]
    _check(isinstance(value, bytes) and len(value) == 32, f"its {name} is no SHA-256")


def _check(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise MalformedError(otherwise)
