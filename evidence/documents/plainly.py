"""A document's body as people and programs write it, and back: hashes in hex, instants as dates.

JSON and TOML have no byte strings, and JSON's readers round large integers. Pure.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any

from evidence.documents import fields as f
from evidence.documents.kinds import shape_of
from evidence.errors import MalformedError

_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def body_of(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The body as it is signed; what is not of the kind is left for `check_document` to name.

    Args:
        kind: of the document.
        given: instants as text such as "2026-10-01T00:00:00+08:00" or a `datetime` (or ns since
            1970), hashes and keys in hex, the rest as in the document.

    Raises:
        UnsupportedError: there is no such kind.
        MalformedError: names the field that is no instant, or no hex.
    """
    return _each(kind, given, _signed)


def plain_body(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """What `body_of` makes this body of; UnsupportedError for a kind there is none of."""
    return _each(kind, body, _plain)


def _each(
    kind: str, body: Mapping[str, Any], change: Callable[[f.Check | None, Any], Any]
) -> dict[str, Any]:
    shape = shape_of(kind)
    return _fields({**shape.required, **shape.optional}, body, change)


def _fields(
    checks: Mapping[str, f.Check],
    body: Mapping[str, Any],
    change: Callable[[f.Check | None, Any], Any],
) -> dict[str, Any]:
    """Each field changed, in the rows of lists too; what is no list of maps is left as it is."""
    made = dict[str, Any]()
    for name, value in body.items():
        check = checks.get(name)
        try:
            if isinstance(check, f.Rows) and isinstance(value, list):
                inner = {**check.required, **check.optional}
                made[name] = [
                    _fields(inner, row, change) if isinstance(row, dict) else row for row in value
                ]
            else:
                made[name] = change(check, value)
        except MalformedError as error:
            raise MalformedError(f"{name}: {error}") from error
    return made


def _signed(check: f.Check | None, value: Any) -> Any:
    if check is f.instant:
        return ns_of(value)
    if check is f.day and type(value) is dt.date:
        return value.isoformat()
    if check in (f.digest, f.key_bytes, f.signed) and isinstance(value, str):
        try:
            return bytes.fromhex(value)
        except ValueError as error:
            raise MalformedError("must be hex") from error
    return value


def _plain(check: f.Check | None, value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if check is f.instant:
        seconds, ns = divmod(value, 10**9)
        try:
            at = _EPOCH + dt.timedelta(seconds=seconds)
        except OverflowError:  # after the year 9999
            return value
        return f"{at:%Y-%m-%dT%H:%M:%S}{f'.{ns:09}' if ns else ''}Z"
    return value


def ns_of(value: Any) -> Any:
    """Nanoseconds since 1970 of an instant's text or `datetime`; anything else as it is.

    Raises:
        MalformedError: a text that is no instant with its zone.
    """
    if isinstance(value, dt.datetime):
        value = value.isoformat()
    if not isinstance(value, str):
        return value
    match = _INSTANT.fullmatch(value)
    if match is None:
        raise MalformedError("must be an instant with its zone, like 2026-10-01T00:00:00+08:00")
    day, time, fraction, zone = match.groups()
    try:
        since = dt.datetime.fromisoformat(f"{day}T{time}{zone.replace('Z', '+00:00')}") - _EPOCH
    except (ValueError, OverflowError) as error:
        raise MalformedError(f"is no instant: {error}") from error
    seconds = since.days * 86_400 + since.seconds
    return seconds * 10**9 + int((fraction or "").ljust(9, "0"))
