"""Who may read at the front: by a token, as a bearer or as a browser's user and password.

Nothing can be changed here, so there is no session to steal and no form to forge.
"""

import asyncio
import base64
import hmac
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from cloud.front.config import Reader
from cloud.http_server import Complaint

#: what anybody may ask
OPEN = ("/livez", "/readyz")
METHODS = ("GET", "HEAD")
HEADER_CHARACTERS_MAX = 8_192
ASK = 'Basic realm="stackproof", charset="UTF-8"'


def is_reader(header: str, readers: Sequence[Reader]) -> bool:
    """Does an Authorization header bring the token of one of them?

    Every token is looked at, whichever it is, in the same time.
    """
    scheme, _, given = header[:HEADER_CHARACTERS_MAX].partition(" ")
    name, token = None, given.strip()
    if scheme.lower() == "basic":
        try:
            name, _, token = base64.b64decode(token, validate=True).decode().partition(":")
        except ValueError:
            return False
    elif scheme.lower() != "bearer":
        return False
    found = [
        hmac.compare_digest(one.token.encode(), token.encode())
        for one in readers
        if name in (None, one.name)
    ]
    return any(found)


class ReadersOnly:
    """ASGI middleware: GET and HEAD alone, and of readers alone where there are any.

    Args:
        app: what is behind it.
        readers: none for whoever asks.
    """

    def __init__(self, app: ASGIApp, readers: Sequence[Reader]) -> None:
        self._app, self._readers, self._complaint = app, readers, Complaint()

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
        if not self._readers or scope["path"] in OPEN:
            return None
        if is_reader(Headers(scope=scope).get("authorization", ""), self._readers):
            return None
        now_s = asyncio.get_running_loop().time()
        self._complaint.tell("a request without a reader's token was refused", now_s)
        told = "this needs a reader's token, as a bearer or as a browser's password"
        return JSONResponse({"detail": told}, 401, {"WWW-Authenticate": ASK})
