"""What a field of a document may hold: one small check a kind of value. Pure.

Numbers are decimal strings as somebody wrote them, instants integers (ns since 1970 UTC), days
"YYYY-MM-DD" as they stand on paper. RECORDS.md "Fields".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from evidence.documents.document import ABOUT, is_plain
from evidence.errors import MalformedError

TEXT_MAX, NOTE_MAX, LIST_MAX = 200, 2_000, 1_000
SIGNED_BYTES_MAX = 256 * 1024
DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,15})?", re.ASCII)
_REGION = re.compile(r"|[0-9]{2}|[0-9]{4}|[0-9]{6}", re.ASCII)

#: takes a value as it came; raises MalformedError with what it must be
Check = Callable[[Any], None]


class FieldsError(MalformedError):
    """Fields of a document are not as they must be.

    Attributes:
        problems: "field", or "field.row.field" with rows from 0, -> the name of the check that
            failed, "missing" or "unknown" or "order".
    """

    def __init__(self, sentence: str, problems: Mapping[str, str]) -> None:
        """Say it to people, and to programs that show it beside the field."""
        super().__init__(sentence)
        self.problems = dict(problems)


def text(value: Any) -> None:
    """One line for people, 1 to `TEXT_MAX` characters."""
    if not isinstance(value, str) or not 1 <= len(value) <= TEXT_MAX or not is_plain(value):
        raise MalformedError(f"must be one line of 1 to {TEXT_MAX} characters")


def note(value: Any) -> None:
    """Lines for people, 1 to `NOTE_MAX` characters."""
    if not isinstance(value, str) or not 1 <= len(value) <= NOTE_MAX:
        raise MalformedError(f"must be a text of 1 to {NOTE_MAX} characters")
    if not is_plain(value.replace("\n", "")):
        raise MalformedError("must hold no control characters but line feeds")


def name_id(value: Any) -> None:
    """An id of a sample, device, source or person."""
    if not isinstance(value, str) or not ABOUT.fullmatch(value):
        raise MalformedError("must be an id: letters, digits, '.', '_' and '-', at most 80")


def region(value: Any) -> None:
    """GB/T 2260 prefix: "" for the nation, 2 digits province, 4 city, 6 county."""
    if not isinstance(value, str) or not _REGION.fullmatch(value):
        raise MalformedError("must be 2, 4 or 6 digits of GB/T 2260, or nothing for the nation")


def decimal(value: Any) -> None:
    """A number as decimal string; 30 digits before the point and 15 after it at most."""
    if not isinstance(value, str) or not DECIMAL.fullmatch(value):
        raise MalformedError('must be a number as text, like "12.50"')


def amount(value: Any) -> None:
    """A decimal that is not below zero."""
    decimal(value)
    if value.startswith("-"):
        raise MalformedError("must not be below zero")


def instant(value: Any) -> None:
    """Nanoseconds since 1970 UTC."""
    if type(value) is not int or not 0 <= value < 2**63:
        raise MalformedError("must be an instant, ns since 1970 UTC")


def count(value: Any) -> None:
    """How many, 1 to 1,000,000."""
    if type(value) is not int or not 1 <= value <= 1_000_000:
        raise MalformedError("must be a whole number from 1 to 1,000,000")


def ordinal(value: Any) -> None:
    """A place in a list that grows for ever, or how many it has, from 1."""
    if type(value) is not int or not 1 <= value < 2**63:
        raise MalformedError("must be a whole number from 1")


def truth(value: Any) -> None:
    """Yes or no."""
    if type(value) is not bool:
        raise MalformedError("must be true or false")


def day(value: Any) -> None:
    """A date as it stands on paper, "YYYY-MM-DD"."""
    try:
        is_day = isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        is_day = False
    if not is_day:
        raise MalformedError('must be a date like "2026-10-31"')


def digest(value: Any) -> None:
    """A SHA-256 hash."""
    if not isinstance(value, bytes) or len(value) != 32:
        raise MalformedError("must be a SHA-256 hash")


def key_bytes(value: Any) -> None:
    """A public key, SubjectPublicKeyInfo in DER, at most 200 bytes."""
    if not isinstance(value, bytes) or not 1 <= len(value) <= 200:
        raise MalformedError("must be a public key of at most 200 bytes of DER")


def signed(value: Any) -> None:
    """A signed object inside the document, at most `SIGNED_BYTES_MAX`."""
    if not isinstance(value, bytes) or not 1 <= len(value) <= SIGNED_BYTES_MAX:
        raise MalformedError(f"must be a signed object of at most {SIGNED_BYTES_MAX} bytes")


@dataclass(frozen=True)
class OneOf:
    """One of these words."""

    allowed: tuple[str, ...]

    def __call__(self, value: Any) -> None:
        """As every `Check`."""
        if value not in self.allowed:
            raise MalformedError(f"must be one of {', '.join(self.allowed)}")


@dataclass(frozen=True)
class Rows:
    """A list of 1 to `LIST_MAX` maps of these fields."""

    required: Mapping[str, Check]
    optional: Mapping[str, Check]

    def __call__(self, value: Any) -> None:
        """As every `Check`."""
        if not isinstance(value, list) or not 1 <= len(value) <= LIST_MAX:
            raise MalformedError(f"must be a list of 1 to {LIST_MAX} rows")
        for i, row in enumerate(value):
            check_fields(row, self.required, self.optional, i)


def one_of(*allowed: str) -> OneOf:
    """One of these words."""
    return OneOf(allowed)


def rows(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Rows:
    """A list of 1 to `LIST_MAX` maps of these fields."""
    return Rows(required, optional or {})


def name_of(check: Check) -> str:
    """What a check is called: its function's name, "one_of" or "rows"."""
    if isinstance(check, OneOf):
        return "one_of"
    return "rows" if isinstance(check, Rows) else check.__name__


def check_fields(
    given: Any, required: Mapping[str, Check], optional: Mapping[str, Check], row: int | None = None
) -> None:
    """Hold a map against its fields; of a list, the row's number from 0.

    Raises:
        FieldsError: names every field that is missing, unknown or wrong.
    """
    where, prefix = ("", "") if row is None else (f"row {row + 1}: ", f"{row}.")
    if not isinstance(given, dict):
        raise FieldsError(f"{where}must be a map", {prefix.rstrip("."): "rows"})
    wrong = [f"{name}: missing" for name in required if name not in given]
    problems = {prefix + name: "missing" for name in required if name not in given}
    for name, value in given.items():
        check = required.get(name) or optional.get(name)
        if check is None:
            wrong.append(f"{name}: unknown")
            problems[prefix + str(name)] = "unknown"
            continue
        try:
            check(value)
        except MalformedError as error:
            wrong.append(f"{name}: {error}")
            inner = error.problems if isinstance(error, FieldsError) else {}
            problems |= {f"{prefix}{name}.{path}": code for path, code in inner.items()}
            if not inner:
                problems[prefix + name] = name_of(check)
    if wrong:
        raise FieldsError(where + "; ".join(wrong), problems)
