"""A document's body as people write it into forms and tables: every value a text. Pure.

An instant is the plant's own time to the minute, "2026-10-01 00:00", or with seconds where they are
not zero: there is one way to write each. What cannot be read is left as it was written:
`check_document` then names the field.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from cloud.records.forms import FieldForm, fields_of

LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}(:(?!00)[0-9]{2})?", re.ASCII)
_COUNT = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

#: field -> text, or the rows of a list, each field -> text
Written = Mapping[str, str | Sequence[Mapping[str, str]]]


def body_of_written(kind: str, given: Written, zone: ZoneInfo) -> dict[str, Any]:
    """The body as it is signed; an empty text is a field that was left out.

    Args:
        kind: of the document.
        given: as it was written.
        zone: of the plant.

    Raises:
        UnsupportedError: there is no such kind.
    """
    return _read(fields_of(kind), given, zone)


def written_body(kind: str, body: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """What `body_of_written` makes this body of.

    Args:
        kind: of the document.
        body: as it is signed, of its kind.
        zone: of the plant.
    """
    return _written(fields_of(kind), body, zone)


def instant_ns(text: str, zone: ZoneInfo) -> int | None:
    """Nanoseconds since 1970 of a plant's own time; None where there is none, or two, or no zone.

    Where clocks are put back an hour comes twice: such an hour is signed by a program.
    """
    if not LOCAL.fullmatch(text):
        return None
    try:
        local = dt.datetime.fromisoformat(text)
        first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() != second.utcoffset():
            return None
        since = first - _EPOCH
    except (ValueError, OverflowError):
        return None
    return (since.days * 86_400 + since.seconds) * 10**9


def local_text(at_ns: int, zone: ZoneInfo) -> str:
    """An instant as the plant's own time; what is finer than a second stands behind it."""
    seconds, ns = divmod(at_ns, 10**9)
    try:
        local = (_EPOCH + dt.timedelta(seconds=seconds)).astimezone(zone)
    except OverflowError:
        return f"{at_ns} ns"
    finer = (f":{local:%S}" if local.second else "") + (f" +{ns} ns" if ns else "")
    return f"{local:%Y-%m-%d %H:%M}{finer}"


def _read(forms: Sequence[FieldForm], given: Written, zone: ZoneInfo) -> dict[str, Any]:
    by_name = {form.name: form for form in forms}
    made = dict[str, Any]()
    for name, value in given.items():
        form = by_name.get(name)
        if value == "" and not (form is not None and form.check == "region"):
            continue
        made[name] = value if form is None else _value(form, value, zone)
    return made


def _value(form: FieldForm, value: object, zone: ZoneInfo) -> object:
    if form.columns:
        rows = value if isinstance(value, list) else [value]
        return [_read(form.columns, row, zone) if isinstance(row, dict) else row for row in rows]
    if not isinstance(value, str):
        return value
    made: object = value
    if form.check == "instant":
        made = instant_ns(value, zone)
    elif form.check == "count" and _COUNT.fullmatch(value):
        made = int(value)
    elif form.check == "truth":
        made = {"true": True, "false": False}.get(value)
    elif form.check in ("digest", "key_bytes", "signed"):
        made = _bytes(value)
    return value if made is None else made


def _bytes(value: str) -> bytes | None:
    try:
        return bytes.fromhex(value)
    except ValueError:
        return None


def _written(forms: Sequence[FieldForm], body: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    made = dict[str, Any]()
    for form in forms:
        if form.name not in body:
            continue
        value = body[form.name]
        if form.columns:
            made[form.name] = [_written(form.columns, row, zone) for row in value]
        elif form.check == "instant":
            made[form.name] = local_text(value, zone)
        elif isinstance(value, bytes):
            made[form.name] = value.hex()
        elif isinstance(value, bool):
            made[form.name] = "true" if value else "false"
        else:
            made[form.name] = str(value)
    return made
