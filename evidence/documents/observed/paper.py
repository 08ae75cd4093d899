"""What was read of an attached PDF, in a process of its own. Parsed strictly; pure.

The process that reads is taken for broken or taken over: what it prints is no more than a claim of
the file, within the bounds below.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from evidence.documents.document import is_plain
from evidence.errors import MalformedError

#: characters of the text, of a code and of a line; codes on all pages together
TEXT_MAX, CODE_MAX, LINE_MAX, CODES_MAX = 200_000, 2_000, 200, 250
PAPER_BYTES_MAX = 4 * 1024 * 1024
#: why a file could not be read
REASONS = ("broken", "password", "time", "memory", "died", "answer", "missing")
_COUNTS = ("pages", "pages_read", "revisions", "signatures")
_TEXTS = {"made": LINE_MAX, "changed": LINE_MAX, "producer": LINE_MAX, "author": LINE_MAX,
          "text": TEXT_MAX}  # fmt: skip
_COUNT_MAX = 1_000_000
_DATE = re.compile(
    r"D:([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})?([0-9]{2})?([0-9]{2})?"
    r"(?:([Z+-])(?:([0-9]{2})'?(?:([0-9]{2})'?)?)?)?",
    re.ASCII,
)


@dataclass(frozen=True)
class Paper:
    """A PDF as it was read, or a picture as one of one page.

    Attributes:
        pages: of the file.
        pages_read: of them, from the first.
        revisions: times it was saved: 1 when nothing was appended.
        signatures: signatures in it, each of which appends once.
        made, changed: its own dates, as ISO 32000-1 §7.9.4 writes them, or "".
        producer: the program that made it, by its own word.
        author: who made it, by its own word.
        text: of the pages read.
        codes: contents of the QR codes on each of the pages read.
        unread: one of `REASONS`, "" when it was read.
    """

    pages: int = 0
    pages_read: int = 0
    revisions: int = 0
    signatures: int = 0
    made: str = ""
    changed: str = ""
    producer: str = ""
    author: str = ""
    text: str = ""
    codes: tuple[tuple[str, ...], ...] = ()
    unread: str = ""


def unread(reason: str) -> Paper:
    """A PDF that could not be read, and why."""
    return Paper(unread=reason)


def parse_paper(data: bytes) -> Paper:
    """What the reading process printed.

    Raises:
        MalformedError: it is anything else than a paper's JSON, within bounds.
    """
    if len(data) > PAPER_BYTES_MAX:
        raise MalformedError(f"a paper has at most {PAPER_BYTES_MAX} bytes")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"a paper is JSON: {error}") from error
    if not isinstance(found, dict) or set(found) != {*_COUNTS, *_TEXTS, "codes", "unread"}:
        raise MalformedError("a paper has its fields and no others")
    for name in _COUNTS:
        if type(found[name]) is not int or not 0 <= found[name] <= _COUNT_MAX:
            raise MalformedError(f"a paper's {name} is a count")
    for name, longest in _TEXTS.items():
        _check_text(name, found[name], longest)
    _check_codes(found["codes"], found["pages_read"])
    if found["unread"] not in ("", *REASONS):
        raise MalformedError("a paper was read, or not for one of the known reasons")
    return Paper(**found | {"codes": tuple(map(tuple, found["codes"]))})


def _check_codes(pages: Any, pages_read: int) -> None:
    if not isinstance(pages, list) or len(pages) != pages_read:
        raise MalformedError("a paper has a list of codes for each page read")
    if not all(isinstance(codes, list) for codes in pages) or sum(map(len, pages)) > CODES_MAX:
        raise MalformedError(f"a paper has lists of at most {CODES_MAX} codes together")
    for codes in pages:
        for code in codes:
            _check_text("code", code, CODE_MAX)


def _check_text(name: str, value: Any, longest: int) -> None:
    if not isinstance(value, str) or len(value) > longest:
        raise MalformedError(f"a paper's {name} is a text of at most {longest} characters")
    if not is_plain(value.replace("\n", "")):
        raise MalformedError(f"a paper's {name} has no control characters but line feeds")


def instant_of(date: str) -> datetime | None:
    """A PDF's date (D:20261031160500+08'00'), None when it is none; without a zone it is UTC's."""
    match = _DATE.fullmatch(date)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    sign, zone_hour, zone_minute = match.groups()[6:]
    offset = timedelta(hours=int(zone_hour or 0), minutes=int(zone_minute or 0))
    try:
        zone = timezone(-offset if sign == "-" else offset)
        return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
