"""What a browser may ask of the commissioning page. Pure.

The page is served on loopback to whoever holds the address that the command printed: the token in
it is made anew at each start. Another site's page can neither guess it, nor read an answer, nor
make a browser send one here under a name of its own (Host).
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

FORM_BYTES_MAX = 4096
FIELDS_MAX = 16
PATH_MAX = 300
LANGUAGES = ("en", "zh")
_PIECE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HOST = re.compile(r"(127(\.[0-9]{1,3}){3}|localhost|\[::1\])(:[0-9]{1,5})?")

#: the record runs no script and has one style, named by its hash where it is shown
POLICY = (
    "default-src 'none'; style-src {style}; img-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # with no-referrer browsers would send forms with "Origin: null"
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Asked:
    """An address below the token: "/TOKEN/zh/point/ac-1.power".

    Attributes:
        language: one of `LANGUAGES`.
        page: "devices", "point", …; which there are is the server's business.
        name: device or point id, "" where there is none.
    """

    language: str
    page: str
    name: str = ""


class UnaskableError(Exception):
    """What was sent is nothing that the page's own links and forms send."""


def parse_path(text: str, token: str) -> Asked:
    """What an address means; UnaskableError where it is none of ours, or the token is not."""
    if len(text) > PATH_MAX:
        raise UnaskableError("address too long")
    pieces = text.removeprefix("/").split("/")
    if not hmac.compare_digest(pieces[0].encode(), token.encode()):
        raise UnaskableError("open the address that the command has printed")
    rest = [piece for piece in pieces[1:] if piece]
    if len(rest) > 3 or not all(_PIECE.fullmatch(piece) for piece in rest):
        raise UnaskableError("no such page")
    language, page, name = (*rest, *("en", "devices", "")[len(rest) :])
    if language not in LANGUAGES:
        raise UnaskableError("no such page")
    return Asked(language, page, name)


def parse_form(data: bytes) -> Mapping[str, str]:
    """The fields of a form, each once; UnaskableError where it is none."""
    if len(data) > FORM_BYTES_MAX:
        raise UnaskableError("form too long")
    try:
        pairs = parse_qsl(
            data.decode("ascii"), keep_blank_values=True, strict_parsing=bool(data),
            max_num_fields=FIELDS_MAX, errors="strict",
        )  # fmt: skip
    except ValueError as error:  # UnicodeDecodeError is one
        raise UnaskableError(f"no form: {error}") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise UnaskableError("a field stands twice in the form")
    return fields


def is_ours(host: str | None, origin: str | None) -> bool:
    """The name asked for is this machine's own, and no other site's page sent it.

    Whatever the port: it may have come through a tunnel (ssh -L).
    """
    if host is None or not _HOST.fullmatch(host):
        return False
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme == "http" and parts.netloc == host
