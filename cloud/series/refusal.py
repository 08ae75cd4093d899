"""Whose trouble it is that an InfluxDB did not take a write. Pure.

What each says of points that are older than its bucket keeps, and of a field of another type:

- 1.x: 400 and "partial write: points beyond retention policy dropped=N" (influxdata/influxdb,
  `coordinator/points_writer.go` and `services/httpd/handler.go` of its 1.x; since 1.3, issue 8392);
  400 and "partial write: field type conflict: …". 1.2 and older take old points and say nothing.
- 2: 422 and "failure writing points to database: partial write: …" (`http/write_handler.go`), early
  2.0 the same with 500 (dojot/dojot issue 2216); newer ones say "dropped N points outside retention
  policy of duration … violates a Retention Policy Lower Bound"
  (docs.influxdata.com/influxdb/v2/write-data/troubleshoot).
- Of a bucket that is not there 1.x says 404 and "database not found: …"
  (`services/httpd/handler.go`), 2 says 404 and "bucket … not found"; 3 makes one.
- 3 Core takes old points and leaves them out of answers
  (docs.influxdata.com/influxdb3/core/reference/internals/data-retention); of a type it says 400,
  "partial write of line protocol occurred", and which lines
  (docs.influxdata.com/influxdb3/core/write-data/http-api/v3-write-lp).

A conflict is told before what is too old (`WritePointsPrivileged` in both `points_writer.go`): who
hears of age alone has written all else.
"""

import json
import re
from enum import Enum, auto
from http import HTTPStatus

#: the points themselves are refused, or their number: another plant's may be taken
_OF_POINTS = frozenset({400, 413, 422})
_PARTIAL = "partial write"
#: 1.x: "database not found: …"; 2: "bucket … not found"
_NO_BUCKET = re.compile(r"\bdatabase not found\b|\bbucket\b.* not found\b")


class Refused(Enum):
    """What a refusal speaks of."""

    AGE = auto()  # of points that are too old to be kept; all others were written
    POINTS = auto()  # of what was sent
    STORE = auto()  # of the server: away, busy, or not to be written by us
    LOST = auto()  # of the bucket, or 1.x's database: it is not there, nor is what was in it


def reason_of(said: bytes) -> str:
    """The sentence in an answer: 1.x and 3 say "error", 2 says "message", 3 adds its lines'."""
    text = said.decode("utf-8", "replace")
    try:
        told = json.loads(text)
        sentence = str(told.get("message") or told.get("error") or "")
        lines = told.get("data") or []
        first = lines[0] if isinstance(lines, list) else lines
        return f"{sentence}: {first['error_message']}" if first else sentence
    except (ValueError, AttributeError, RecursionError):
        return text
    except (LookupError, TypeError):  # lines of another form
        return sentence


def refused(status: int | None, sentence: str) -> Refused:
    """Of a status and of what `reason_of` found, not cut: newer ones name the bound at the end."""
    is_old = "points beyond retention policy" in sentence
    if "outside retention policy" in sentence:  # what is too far ahead is let in later
        is_old = "Upper Bound" not in sentence
    if is_old and _PARTIAL in sentence:
        return Refused.AGE
    if status == HTTPStatus.NOT_FOUND and _NO_BUCKET.search(sentence):
        return Refused.LOST
    return Refused.POINTS if status in _OF_POINTS or _PARTIAL in sentence else Refused.STORE
