"""Headers on every answer, the origin of requests, the bearer token. No I/O.

The page loads everything from its own address and runs no inline script or style, so the
policy can forbid the rest; a plant's name or a point's id may be hostile text.
"""

import hmac
from collections.abc import Sequence
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # browsers that do not know frame-ancestors
    # with no-referrer browsers would send forms with "Origin: null", and nobody knew whose they are
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

#: names a browser on the same machine uses
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
GZIP_BYTES_MIN = 1024
#: characters of a path, ours have 200: a file is looked for through every folder that it names
PATH_MAX = 2_048


def put_around(app: FastAPI, names: Sequence[str]) -> None:
    """What every answer of an application follows; call it after whatever is to be inside of it.

    Args:
        app: the application.
        names: that may stand in a Host header, besides the loopback ones.
    """
    hosts = [*LOOPBACK_HOSTS, *names]
    app.add_middleware(GZipMiddleware, minimum_size=GZIP_BYTES_MIN)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)
    app.add_middleware(ShortHeads)
    app.add_middleware(SecurityHeaders)  # outermost: also on refusals


class ShortHeads:
    """ASGI middleware: of a head nothing that takes whoever reads it seconds.

    FastAPI parses the cookies of every request, before any right is looked at. Quoted ones, which
    ours never are, take CPython before 3.11.10 the square of their length (CVE-2024-7592): 17 s of
    the event loop for one head, from anybody. So they go.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] in ("http", "websocket"):
            if len(scope["path"]) > PATH_MAX:
                refused = PlainTextResponse(f"a path has at most {PATH_MAX} characters", 414)
                await refused(scope, receive, send)
                return
            scope["headers"] = [
                (name, _unquoted(value) if name == b"cookie" else value)
                for name, value in scope["headers"]
            ]
        await self._app(scope, receive, send)


def _unquoted(cookies: bytes) -> bytes:
    return b";".join(one for one in cookies.split(b";") if b'"' not in one)


class SecurityHeaders:
    """ASGI middleware: the headers above on every HTTP answer, and no caching of live answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                # files are asked for again each time (ETag: 304), everything else never kept
                static = scope["path"].startswith("/static/")
                headers["Cache-Control"] = "no-cache" if static else "no-store"
            await send(message)

        await self._app(scope, receive, send_with_headers)


def same_origin(headers: Headers) -> bool:
    """True when the Origin names the host that was asked, or when there is none (no browser).

    A browser always sends Origin with a WebSocket, so a page of another site cannot read ours.
    """
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc == headers.get("host")


def token_matches(authorization: str | None, token: str) -> bool:
    """True when the header is "Bearer <token>"; takes the same time wherever they differ."""
    scheme, _, given = (authorization or "").partition(" ")
    right = hmac.compare_digest(given.strip().encode(), token.encode())
    return right and scheme.lower() == "bearer"
