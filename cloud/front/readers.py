"""Who may read at the front: by a token, or whoever the team's own proxy says has signed in there.

A token comes as a bearer or as a browser's user and password. The proxy shows a token of its own
with each request, so that nobody else on the machine can name persons. Nothing can be changed here,
so there is no session to steal and no form to forge.
"""

import asyncio
import base64
import hmac
import logging
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from cloud.front.config import Reader, SignIn
from cloud.http_server import Complaint

log = logging.getLogger("stackproof.cloud.front")

#: what anybody may ask
OPEN = ("/livez", "/readyz")
METHODS = ("GET", "HEAD")
HEADER_CHARACTERS_MAX = 8_192
PERSON_CHARACTERS_MAX = 200
#: seconds without a request after which somebody is told to begin to read again, and of how many
#: that is remembered
AWAY_S, REMEMBERED_MAX = 900.0, 10_000
ASK = 'Basic realm="stackproof", charset="UTF-8"'


def reader_of(header: str, readers: Sequence[Reader]) -> str | None:
    """Name of the reader whose token an Authorization header brings; None for nobody's.

    Every token is looked at, whichever it is, in the same time.
    """
    scheme, _, given = header[:HEADER_CHARACTERS_MAX].partition(" ")
    name, token = None, given.strip()
    if scheme.lower() == "basic":
        try:
            name, _, token = base64.b64decode(token, validate=True).decode().partition(":")
        except ValueError:
            return None
    elif scheme.lower() != "bearer":
        return None
    found = [
        one.name
        for one in readers
        if hmac.compare_digest(one.token.encode(), token.encode()) and name in (None, one.name)
    ]
    return found[0] if found else None


def signed_in(headers: Headers, sign_in: SignIn) -> str | None:
    """Whom the proxy names as signed in: once, in UTF-8, printable; None for anything else.

    Args:
        headers: of a request that brought the proxy's token.
        sign_in: in which header it names the person.
    """
    named = headers.getlist(sign_in.user)
    if len(named) != 1:  # none, or one that the browser sent beside the proxy's
        return None
    try:
        name = named[0].encode("latin-1").decode().strip()
    except UnicodeDecodeError:
        return None
    return name if name.isprintable() and 0 < len(name) <= PERSON_CHARACTERS_MAX else None


def person_of(request: Request) -> str:
    """Who has signed in at the proxy; "" for a reader by token, and where nobody needs one."""
    found: str = getattr(request.state, "person", "")
    return found


class ReadersOnly:
    """ASGI middleware: GET and HEAD alone, and of those who may read where any are named.

    Args:
        app: what is behind it.
        readers: by token.
        sign_in: the proxy that signs persons in, None for none.
    """

    def __init__(self, app: ASGIApp, readers: Sequence[Reader], sign_in: SignIn | None) -> None:
        self._app, self._readers, self._sign_in = app, readers, sign_in
        self._proxy = [Reader("", sign_in.token)] if sign_in else []
        self._complaint, self._asked_s = Complaint(), dict[str, float]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http" and (refused := self._refused(scope)):
            await refused(scope, receive, send)
        elif scope["type"] == "http":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})

    def _refused(self, scope: Scope) -> JSONResponse | None:
        if scope["method"] not in METHODS:
            told = "nothing can be changed here: ask the plant's collector"
            return JSONResponse({"detail": told}, 405, {"Allow": ", ".join(METHODS)})
        if not (self._readers or self._sign_in) or scope["path"] in OPEN:
            return None
        headers = Headers(scope=scope)
        given = headers.get("authorization", "")
        if self._sign_in and reader_of(given, self._proxy) is not None:
            person = signed_in(headers, self._sign_in)
            if person is None:
                return self._no(403, "the proxy does not say who has signed in", {})
            scope.setdefault("state", {})["person"] = person
            self._note(f"{person}, signed in at the proxy,")
            return None
        reader = reader_of(given, self._readers)
        if reader is None:
            told = "this needs a reader's token, as a bearer or as a browser's password"
            return self._no(401, told, {"WWW-Authenticate": ASK} if self._readers else {})
        self._note(f"reader {reader}")
        return None

    def _no(self, status: int, told: str, headers: dict[str, str]) -> JSONResponse:
        self._complaint.tell(f"a request was refused: {told}", _now_s())
        return JSONResponse({"detail": told}, status, headers)

    def _note(self, who: str) -> None:
        """Say in the log who reads, once a visit."""
        now_s = _now_s()
        if now_s > self._asked_s.get(who, float("-inf")) + AWAY_S:
            log.info("%s begins to read", who)
        if len(self._asked_s) > REMEMBERED_MAX:
            self._asked_s.clear()
        self._asked_s[who] = now_s


def _now_s() -> float:
    return asyncio.get_running_loop().time()
