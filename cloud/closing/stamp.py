"""Asks a time stamping authority (RFC 3161) for a stamp over a seal. Blocking network I/O: HTTP.

What the authority answers is looked at before it goes into an archive: a stamp of something else
would make the archive fail. Who the authority is, the reader decides (`stackproof verify --tsa`).
"""

import http.client
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from cloud.answers import STEP_S, in_bounds, opener
from cloud.errors import TimeStampError
from evidence.errors import EvidenceError
from evidence.timestamp import RESPONSE_BYTES_MAX, is_available, read_stamp, stamp_request

ANSWER_S = 20.0

NEEDS_PACKAGE = "time stamps need rfc3161-client; run: pip install 'stackproof[tsa]'"


class Authority:
    """A time stamping authority.

    Args:
        url: where it takes requests, http or https.
        answer_s: how long it may take to answer, in all.
    """

    def __init__(self, url: str, answer_s: float = ANSWER_S) -> None:
        self._url, self._answer_s = url, answer_s

    def __call__(self, sealed: bytes) -> bytes:
        """An RFC 3161 response over these bytes.

        Raises:
            TimeStampError: it is away, refuses, or answers something else.
        """
        request = urllib.request.Request(  # noqa: S310 - `url_fault` allows http and https only
            self._url,
            data=make_request(sealed),
            headers={"Content-Type": "application/timestamp-query"},
        )
        try:
            response = self._answer(request)
        except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
            raise TimeStampError(f"{self._url} gave no time stamp: {error}") from error
        check_reply(response, sealed)
        return response

    def _answer(self, request: urllib.request.Request) -> bytes:
        end_s = time.monotonic() + self._answer_s
        with opener().open(request, timeout=min(STEP_S, self._answer_s)) as answer:
            answer.until(end_s)
            return b"".join(in_bounds(answer, RESPONSE_BYTES_MAX))


def url_fault(url: str) -> str | None:
    """What is wrong with an authority's address; None when nothing is."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0
    except ValueError as error:
        return f"{url!r}: {error}"
    if not known:
        return f'{url!r} is not "http://…" or "https://…"'
    if parts.username or parts.password:
        return "must not hold a password: it would be seen in logs and lists"
    return None if is_available() else NEEDS_PACKAGE


def make_request(sealed: bytes) -> bytes:
    """A time stamp request over a seal, DER; TimeStampError without the optional package."""
    if not is_available():
        raise TimeStampError(NEEDS_PACKAGE)
    return stamp_request(sealed)


def may_be_kept(response: bytes, sealed: bytes) -> bool:
    """False for a response that can be seen to be no stamp over this seal."""
    try:
        return not is_available() or bool(read_stamp(response, sealed))
    except EvidenceError:
        return False


def check_reply(response: bytes, sealed: bytes) -> None:
    """Look at a response before it is put into an archive.

    Raises:
        TimeStampError: it is no granted stamp over this seal.
    """
    if not is_available():
        raise TimeStampError(NEEDS_PACKAGE)
    try:
        read_stamp(response, sealed)
    except EvidenceError as error:
        raise TimeStampError(str(error)) from error
