"""Instants as texts: UTC nanoseconds to ISO 8601 and back. Pure, and no time zone is known here."""

import re
from datetime import UTC, datetime, timedelta, tzinfo

_INSTANT = re.compile(
    r"(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_NS = 10**9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_text(instant_ns: int) -> str:
    """An instant as ISO 8601 UTC, with as many decimals of a second as it has."""
    whole = _EPOCH + timedelta(seconds=instant_ns // _NS)
    fraction = f"{instant_ns % _NS:09}".rstrip("0")
    return f"{whole:%Y-%m-%dT%H:%M:%S}{'.' if fraction else ''}{fraction}Z"


def instant_of(text: str, clock: tzinfo | None = None) -> int:
    """UTC ns of an ISO 8601 text with its offset, or by a clock.

    Raises:
        ValueError: any other text; no offset and no clock; one that the clock shows twice or never.
    """
    shown = repr(text[:40])
    wrong = ValueError(f"{shown} is not like 2026-06-15T13:45:10+08:00")
    if not _INSTANT.fullmatch(text.strip()):
        raise wrong
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise wrong from None
    if instant.tzinfo is None:
        if clock is None:
            raise ValueError(f"{shown} has no offset, and no time zone is given")
        instant = instant.replace(tzinfo=clock)
        if instant.utcoffset() != instant.replace(fold=1).utcoffset():
            raise ValueError(f"{shown} comes twice or never there: give its offset")
    since = instant.astimezone(UTC) - _EPOCH
    return (since.days * 86_400 + since.seconds) * _NS + since.microseconds * 1000
